"""The tokens file: saving, forgetting and using tokens."""

import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect import shared_files
from irchat.client.connect.server_connection import UNENCRYPTED, VERIFIED
from irchat.client.connect.tokens import Kept, Tokens
from irchat.client.exceptions import ClientError

_LABEL = "host:7667"


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Return a tokens file that does not exist yet."""
        self.tokens = Tokens(Path(self.mktemp()) / "deep" / "tokens")


class TokensTests(_Case):
    """The tokens file."""

    def test_keep(self) -> None:
        """A token is found by server and name in any case, and the file is private."""
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        self.tokens.keep("other:1", "alice", "t2", UNENCRYPTED)
        self.tokens.keep(_LABEL, "Alice", "t3", UNENCRYPTED)
        self.assertEqual(self.tokens.find(_LABEL, "ALICE"), Kept("t3", UNENCRYPTED))
        self.assertEqual(self.tokens.find("other:1", "alice"), Kept("t2", UNENCRYPTED))
        self.assertEqual(stat.S_IMODE(self.tokens.path.stat().st_mode), 0o600)
        self.assertEqual(self.tokens.path.read_text().count("\n"), 2)
        self.assertEqual(sorted(path.name for path in self.tokens.path.parent.iterdir()), ["tokens", "tokens.lock"])

    def test_last_name(self) -> None:
        """The last used name is known, even after its token was forgotten."""
        self.assertIsNone(self.tokens.last_name(_LABEL))
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        self.tokens.keep(_LABEL, "bob", "t2", UNENCRYPTED)
        self.assertEqual(self.tokens.last_name(_LABEL), "bob")
        self.tokens.forget(_LABEL, "alice")
        self.assertEqual((self.tokens.last_name(_LABEL), self.tokens.find(_LABEL, "alice")), ("alice", None))

    def test_odd_lines(self) -> None:
        """Malformed lines are ignored, and an invalid name matches only itself."""
        self.tokens.path.parent.mkdir(parents=True)
        self.tokens.path.write_bytes(b"\xff\nhost:7667 alice\nhost:7667 c t0\nhost:7667 d \xff x\nhost:7667 a:b t1 x\n")
        self.assertEqual(self.tokens.find(_LABEL, "a:b"), Kept("t1", "x"))
        self.assertIsNone(self.tokens.find(_LABEL, "c"))
        self.assertIsNone(self.tokens.find(_LABEL, "d"))
        self.assertIsNone(self.tokens.find(_LABEL, "A:B"))

    def test_unknown_issuer(self) -> None:
        """A token without an issuer's identity is unused. Its name is remembered and its line replaced."""
        self.tokens.path.parent.mkdir(parents=True)
        self.tokens.path.write_text("host:7667 alice t1\n")
        self.assertEqual((self.tokens.find(_LABEL, "alice"), self.tokens.last_name(_LABEL)), (None, "alice"))
        self.assertIsNone(self.tokens.line_over_tls(_LABEL))
        self.tokens.keep(_LABEL, "alice", "t2", VERIFIED)
        self.assertEqual(self.tokens.path.read_text(), "host:7667 alice t2 verified\n")

    def test_forged(self) -> None:
        """A hostile server's token or name cannot add a line, neither for itself nor for another server."""
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        before = self.tokens.path.read_text()
        for name, token in (
            ("bob", "t\nother:1 alice forged"), ("bob\nother:1 alice forged", "t"), ("bob", ""), ("", "t"),
            ("bob", "t\u2028x"), ("b ob", "t"), ("bob", "\xe9"),
        ):  # fmt: skip
            self.assertRaises(ClientError, self.tokens.keep, _LABEL, name, token, UNENCRYPTED)
        self.assertEqual(self.tokens.path.read_text(), before)

    def test_cannot_write(self) -> None:
        """If the file cannot be written, the error names it and no partial file is left."""
        self.tokens.path.mkdir(parents=True)
        stop = self.assertRaises(ClientError, self.tokens.keep, _LABEL, "alice", "t1", UNENCRYPTED)
        self.assertIn(str(self.tokens.path), stop.text)
        self.assertEqual(sorted(path.name for path in self.tokens.path.parent.iterdir()), ["tokens", "tokens.lock"])

    def test_over_tls(self) -> None:
        """`line_over_tls` returns the line of a token issued over TLS, and ignores forgotten ones."""
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        self.assertIsNone(self.tokens.line_over_tls(_LABEL))
        self.tokens.keep(_LABEL, "bob", "t2", VERIFIED)
        self.assertEqual((self.tokens.line_over_tls(_LABEL), self.tokens.line_over_tls("other:1")), (2, None))
        self.tokens.forget(_LABEL, "bob")
        self.assertIsNone(self.tokens.line_over_tls(_LABEL))

    def test_forget_this_one(self) -> None:
        """A token replaced meanwhile by another client is not forgotten."""
        self.tokens.keep(_LABEL, "alice", "new", UNENCRYPTED)
        self.tokens.forget(_LABEL, "alice", "old")
        self.assertEqual(self.tokens.find(_LABEL, "alice"), Kept("new", UNENCRYPTED))
        self.tokens.forget(_LABEL, "alice", "new")
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))

    def test_other_lines_stay(self) -> None:
        """Other lines stay unchanged."""
        self.tokens.path.parent.mkdir(parents=True)
        self.tokens.path.write_bytes(b"# caf\xe9\nhost:7667 alice t1 x\nlast")
        self.tokens.keep(_LABEL, "alice", "t2", "x")
        self.assertEqual(self.tokens.path.read_bytes(), b"# caf\xe9\nlast\nhost:7667 alice t2 x\n")

    def test_unreadable(self) -> None:
        """A file that cannot be read is not replaced by a shorter one."""
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)

        def denied(path: Path) -> str:
            raise PermissionError(13, "Permission denied")

        self.patch(shared_files, "read", denied)
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))
        stop = self.assertRaises(ClientError, self.tokens.keep, _LABEL, "bob", "t2", UNENCRYPTED)
        self.assertIn("Permission denied", stop.text)
        self.assertIn("alice", self.tokens.path.read_text())

    def test_protect(self) -> None:
        """`protect` makes a file private, and reports it once."""
        self.assertFalse(self.tokens.protect())
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        self.assertFalse(self.tokens.protect())
        self.tokens.path.chmod(0o640)
        self.assertEqual((self.tokens.protect(), self.tokens.protect()), (True, False))
        self.assertEqual(stat.S_IMODE(self.tokens.path.stat().st_mode), 0o600)
