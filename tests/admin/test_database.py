"""`irchat-admin` on the database: backup, restore and check; owners, syncs and links of the files."""

import os
import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any

from irchat.admin import database
from irchat.interfaces.stored import GLOBAL
from irchat.protocol.ssh_door import HOST_KEY_FILE
from irchat.server.listeners.ssh.host_keys import ensure_host_key
from irchat.store.sqlite import copying
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from irchat.system.files.data_folder import DataFolder
from tests.helpers.admin import PASSWORD, AdminCase
from tests.helpers.stores import NOW, StoreHands, message


class RestoreTests(AdminCase):
    """Restoring a backup."""

    def test_restore(self) -> None:
        """A backup replaces the database. The old one is kept beside it, with everything from its journal."""
        self.fill()
        copy = self.home / "copy"
        self.done("backup", str(copy))
        self.add("bob")
        held = sqlite3.connect(self.database)  # keeps the journal from being emptied
        held.execute("SELECT count(*) FROM users").fetchone()
        self.add("carol")
        self.done("restore", str(copy))
        held.close()
        (kept,) = [path for path in self.data.glob("*.before-restore-*") if not path.name.endswith(("wal", "shm"))]
        self.assertEqual([name for (name,) in self.tables("SELECT name FROM users", kept)], ["alice", "bob", "carol"])
        self.assertEqual([row[0] for row in self.rows("users")], ["alice"])
        self.assertEqual(stat.S_IMODE(self.database.stat().st_mode), 0o600)
        self.assertEqual(self.done("check"), "The database is sound.\n")
        self.assertEqual(list(self.data.glob("*restoring*")), [])
        self.assertEqual(self.database.stat().st_uid, self.data.stat().st_uid)

    def test_host_key(self) -> None:
        """A backup has the host key of SSH beside it. A restore puts it where none is."""
        self.fill()
        host_key, copy = self.data / HOST_KEY_FILE, self.home / "copy"
        fingerprint = ensure_host_key(self.data)
        self.done("backup", str(copy))
        self.assertEqual(stat.S_IMODE((self.home / f"copy.{HOST_KEY_FILE}").stat().st_mode), 0o600)
        self.assertIn(f"SSH host key  {fingerprint}\n", self.done("stats"))
        host_key.unlink()
        self.done("restore", str(copy))
        self.assertEqual(ensure_host_key(self.data), fingerprint)
        self.assertEqual(stat.S_IMODE(host_key.stat().st_mode), 0o600)
        host_key.unlink()
        other = ensure_host_key(self.data)
        self.done("restore", str(copy))
        self.assertEqual(ensure_host_key(self.data), other)

    def test_host_key_that_cannot_be_read(self) -> None:
        """A restore reads the host key first: without it, the database stays."""
        self.fill()
        copy = self.home / "copy"
        self.done("backup", str(copy))
        self.add("bob")
        (self.home / f"copy.{HOST_KEY_FILE}").mkdir()
        self.refused("It is a folder, not a file", "restore", str(copy))
        self.assertEqual([row[0] for row in self.rows("users")], ["alice", "bob"])

    def test_restore_where_nothing_is(self) -> None:
        """A backup can be restored into a new folder, also by a user other than root."""
        self.fill()
        copy = self.home / "copy"
        self.done("backup", str(copy))
        self.data = self.home / "new"
        self.patch(os, "geteuid", lambda: 1)
        self.assertEqual(self.done("restore", str(copy)), f"{copy} is restored.\n")
        self.assertEqual([row[0] for row in self.rows("users")], ["alice"])

    def test_restore_instead_of_a_damaged_one(self) -> None:
        """A damaged database is kept unchanged when it is replaced, with its journal."""
        self.fill()
        copy = self.home / "copy"
        self.done("backup", str(copy))
        self.database.write_bytes(b"rubbish" * 1_000)
        wal = self.database.with_name("irchat.sqlite-wal")
        wal.write_bytes(b"journal")
        self.refused("file is not a database", "users")
        self.refused("file is not a database", "check")
        wal.write_bytes(b"journal")
        self.done("restore", str(copy))
        kept = {path.name[-4:]: path.read_bytes() for path in self.data.glob("*.before-restore-*")}
        self.assertEqual(sorted(kept.values()), [b"journal", b"rubbish" * 1_000])
        self.assertIn("-wal", kept)
        self.assertEqual([row[0] for row in self.rows("users")], ["alice"])

    def test_restore_refused(self) -> None:
        """A file that is not a sound backup is refused, and the database stays unchanged."""
        self.fill()
        before = self.tables("SELECT * FROM users")
        bad = self.home / "bad"
        bad.write_text("rubbish" * 1_000)
        self.refused("not a database", "restore", str(bad))
        bad.unlink()
        sqlite3.connect(bad).close()
        self.refused("no database of IRChat", "restore", str(bad))
        self.refused("No such file", "restore", str(self.home / "none"))
        self.refused("the database itself", "restore", str(self.database))
        self.done("backup", str(bad))
        self.tables("PRAGMA user_version = 99", bad)
        self.refused("use the newer IRChat", "restore", str(bad))
        self.assertEqual(self.tables("SELECT * FROM users"), before)
        self.assertEqual(list(self.data.glob("*restor*")), [])

    def test_not_sound(self) -> None:
        """The check prints each problem on a line of its own, then the next step, and exits with status 1."""
        self.fill()
        self.tables("PRAGMA foreign_keys = OFF")
        connection = sqlite3.connect(self.database)
        connection.execute("UPDATE chats SET last_seq = 9 WHERE id = 1")
        connection.commit()
        connection.close()
        status, out, err = self.admin("check")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("irchat: chat 1 lacks messages between 0 and 9", err)
        self.assertIn("restore a backup", err.splitlines()[-1])
        connection = sqlite3.connect(self.database)
        connection.execute("PRAGMA user_version = 1")
        connection.close()
        self.refused("start the server once", "check")

    def test_fails(self) -> None:
        """A disk error is reported in one line."""
        self.fill()

        def fail(*_: Any, **__: Any) -> None:
            raise OSError("something else")

        self.patch(database, "copy_database", fail)
        self.refused("something else", "backup", str(self.home / "copy"))


class FileTests(AdminCase):
    """Files, while no server runs."""

    def setUp(self) -> None:
        """Make a database with an account, and a backup of it."""
        super().setUp()
        self.copy = self.home / "copy"
        folder = DataFolder(self.data)
        folder.acquire()
        folder.release()
        self.store_of(self.database, lambda store: store.commit([StoreHands.user("alice"), message(GLOBAL, 1)]))
        self.done("backup", str(self.copy))

    def store_of(self, path: Path, do: Any = lambda store: None) -> str:
        """Open a store, call ``do`` with it, and close it. Return its epoch."""
        store = SQLiteStore(path, NoThreads(), lambda: NOW)
        do(store)
        store.close()
        return store.epoch

    def test_epoch(self) -> None:
        """Each restore changes the epoch, and nothing else does."""
        epochs = [self.store_of(self.database), self.store_of(self.database)]
        for _ in range(2):
            self.done("restore", str(self.copy))
            epochs += [self.store_of(self.database), self.store_of(self.database)]
        self.assertEqual([epochs.index(epoch) for epoch in epochs], [0, 0, 2, 2, 4, 4])

    def test_syncs(self) -> None:
        """The database is on the disk before the rename, and the rename before the command ends."""
        done: list[str] = []
        replace, fsync = Path.replace, os.fsync

        def noting(descriptor: int) -> None:
            done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
            fsync(descriptor)

        def renaming(path: Path, target: Path) -> Path:
            done.append("rename")
            return replace(path, target)

        self.patch(os, "fsync", noting)
        self.patch(Path, "replace", renaming)
        self.done("restore", str(self.copy))
        self.assertEqual(done, ["file", "file", "rename", "folder"])

    def test_owner(self) -> None:
        """Files that root creates in the data folder get the folder's owner."""
        given: dict[str, tuple[int, int]] = {}

        def give(descriptor: int, user: int, group: int) -> None:
            given[Path(os.readlink(f"/proc/self/fd/{descriptor}")).name.split(".")[-1]] = user, group

        self.patch(os, "geteuid", lambda: 0)
        self.patch(os, "fchown", give)
        owner = self.data.stat().st_uid, self.data.stat().st_gid
        for name in "lock", "irchat.sqlite":
            (self.data / name).unlink()
        self.done("add-user", "bob", typed=f"{PASSWORD}\n")
        self.assertEqual(given, {"lock": owner, "sqlite": owner})
        given.clear()
        self.database.write_bytes(b"rubbish" * 1_000)
        self.database.with_name("irchat.sqlite-wal").write_bytes(b"journal")
        self.done("restore", str(self.copy))
        self.assertEqual(sorted(name.rsplit("-", 1)[-1] for name in given), ["part", "wal"])
        given.clear()
        self.done("backup", str(self.copy))
        self.assertEqual(given, {})
        self.done("backup", str(self.data / "copy"))
        self.assertEqual(given, {"part": owner})

    def test_owner_for_real(self) -> None:
        """Run as root, all files belong to the folder's owner, and only that user can read them."""
        if os.geteuid() != 0:
            raise self.skipTest("only root can give files away")
        shutil.rmtree(self.data)
        self.data.mkdir(mode=0o700)
        os.chown(self.data, 12_345, 12_346)
        ensure_host_key(self.home)
        shutil.copy(self.home / HOST_KEY_FILE, self.copy.with_name(f"{self.copy.name}.{HOST_KEY_FILE}"))
        self.done("restore", str(self.copy))
        self.done("add-user", "bob", typed=f"{PASSWORD}\n")
        self.done("backup", str(self.data / "mine"))
        self.assertTrue((self.data / f"mine.{HOST_KEY_FILE}").exists())
        self.done("restore", str(self.copy))
        for path in self.data.iterdir():
            self.assertEqual((path.stat().st_uid, path.stat().st_gid), (12_345, 12_346), path)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_no_link_is_followed(self) -> None:
        """Root creates nothing at the target of a dangling link in the data folder."""
        for name in "lock", "irchat.sqlite":
            elsewhere = self.home / "elsewhere"
            (self.data / name).unlink()
            (self.data / name).symlink_to(elsewhere)
            self.assertRaises(OSError, DataFolder(self.data).acquire)
            self.assertFalse(elsewhere.exists())
            (self.data / name).unlink()

    def test_backup_replaces_files_alone(self) -> None:
        """A backup is written to the target of a link, and replaces no database, pipe, device or folder."""
        link = self.home / "link"
        for target, reason in (
            ("pipe", "It is a pipe, not a file"), (os.devnull, "It is a device, not a file"),
            (self.database, "the database itself"), ("link", "symbolic links"), (self.home, "is a folder"),
        ):  # fmt: skip
            (self.home / "pipe").exists() or os.mkfifo(self.home / "pipe")
            link.symlink_to(target)
            before = os.stat(os.devnull)
            for path in [link] if target == "link" else [link, self.home / target]:
                self.refused(reason, "backup", str(path))
            self.assertEqual(os.stat(os.devnull), before)
            self.assertTrue(link.is_symlink())
            link.unlink()
        link.symlink_to("elsewhere")
        self.done("backup", str(link))
        self.assertTrue(link.is_symlink() and (self.home / "elsewhere").is_file())

    def test_backup_replaces_backups_alone(self) -> None:
        """A backup replaces an older one or an empty file, but no other file, such as a key or the lock."""
        self.done("backup", str(self.copy))
        (self.home / "empty").touch()
        self.done("backup", str(self.home / "empty"))
        key = self.home / "key.pem"
        key.write_bytes(b"a key")
        (self.data / "lock").write_bytes(b"of a server")
        for path in key, self.data / "lock":
            before = path.read_bytes()
            self.refused("is not a backup; name another file", "backup", str(path))
            self.assertEqual(path.read_bytes(), before)

    def test_no_file(self) -> None:
        """A pipe or dangling link in place of the backup, the folder or the database is named, without waiting."""
        os.mkfifo(self.home / "pipe")
        (self.home / "loose").symlink_to("nowhere")
        for name, reason in ("pipe", "It is a pipe"), ("loose", "The link leads nowhere"):
            self.refused(f"{reason}", "restore", str(self.home / name))
        self.database.unlink()
        for name, reason in ("pipe", "It is a pipe"), ("loose", "The link leads nowhere"):
            self.database.symlink_to(self.home / name)
            for command in ["users"], ["check"], ["backup", str(self.home / "new")]:
                self.refused(reason, *command)
            self.database.unlink()
        self.data.rename(self.home / "moved")
        for name, reason in ("pipe", "It is not a folder"), ("loose", "The link leads nowhere"):
            self.data.symlink_to(name)
            self.refused(reason, "users")
            self.data.unlink()

    def test_without_its_journal(self) -> None:
        """A database copied without its journal is refused. With its journal, or with an empty one, it is restored."""
        store = SQLiteStore(self.database, NoThreads(), lambda: NOW)
        store.commit([StoreHands.user("bob")])
        bare = self.home / "bare"
        shutil.copy(self.database, bare)
        shutil.copy(f"{self.database}-wal", self.home / "wal")
        store.close()
        self.refused("without its journal", "restore", str(bare))
        shutil.copy(self.home / "wal", self.home / "bare-wal")
        self.done("restore", str(bare))
        self.assertEqual([row[0] for row in self.rows("users")], ["alice", "bob"])
        (kept,) = self.data.glob("*.before-restore-*")
        self.done("restore", str(kept))
        shutil.copy(self.database, bare)
        (self.home / "bare-wal").touch()
        self.done("restore", str(bare))

    def test_foreign(self) -> None:
        """A database with a trigger is not backed up or restored, and the check reports the trigger."""
        trigger = "CREATE TRIGGER t AFTER INSERT ON messages BEGIN UPDATE users SET password = NULL; END"
        self.tables(trigger, self.copy)
        self.refused("trigger 't'", "restore", str(self.copy))
        self.tables(trigger)
        status, _, err = self.admin("check")
        self.assertEqual((status, "trigger 't'" in err), (1, True))
        self.refused("trigger 't'", "backup", str(self.home / "other"))

    def test_check_beside_a_server(self) -> None:
        """Two checks of a database in use do not disturb each other, and leave no files."""
        folder = DataFolder(self.data)
        folder.acquire()
        self.addCleanup(folder.release)
        found: list[str] = []
        copy_into = copying.copy_into

        def copying_twice(*args: Any, **kwargs: Any) -> None:
            self.patch(database, "copy_into", copy_into)
            found.append(self.done("check"))
            copy_into(*args, **kwargs)

        self.patch(database, "copy_into", copying_twice)
        found.append(self.done("check"))
        self.assertEqual(found, ["The database is sound.\n"] * 2)
        self.assertEqual([path.name for path in self.data.iterdir() if "part" in path.name], [])

    def test_left_by_a_kill(self) -> None:
        """A restore deletes the files left by one that was killed."""
        (self.data / "irchat.sqlite.0123.part").write_text("half")
        self.done("restore", str(self.copy))
        self.assertEqual([path.name for path in self.data.iterdir() if "part" in path.name], [])
        connection = sqlite3.connect(self.database)
        self.addCleanup(connection.close)
        self.assertEqual(connection.execute("SELECT count(*) FROM messages").fetchone(), (1,))
