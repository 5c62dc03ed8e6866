"""The command line."""

import contextlib
import io
import os

from twisted.trial.unittest import SynchronousTestCase

from irchat import __version__
from irchat.client.options import ClientOptions, complete_options, parse_options, wants_full_screen
from irchat.client.preferences import Preferences
from irchat.net.fingerprints import fingerprint_of


class OptionsTests(SynchronousTestCase):
    """Options are parsed, invalid ones refused."""

    def _ended(self, *arguments: str) -> tuple[object, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = self.assertRaises(SystemExit, parse_options, arguments).code
        return status, out.getvalue()

    def test_defaults(self) -> None:
        """An address is enough, and implies TLS."""
        self.assertEqual(parse_options(["bob@host"]), ClientOptions("bob@host", True, False, None))

    def test_all(self) -> None:
        """Every option is parsed."""
        fingerprint = fingerprint_of(b"")
        self.assertEqual(parse_options(["--no-tls", "--json", "h"]), ClientOptions("h", False, True, None))
        self.assertEqual(parse_options(["--fingerprint", fingerprint.lower(), "h"]).fingerprint, fingerprint)

    def test_screen(self) -> None:
        """The full screen needs a capable terminal and no option for another mode."""
        self.patch(os, "isatty", lambda descriptor: True)
        for arguments, term, wanted in [
            (["h"], "xterm", True),
            (["--no-bell", "h"], "xterm", True),
            (["--plain", "h"], "xterm", False),
            (["--json", "h"], "xterm", False),
            (["--forget", "h"], "xterm", False),
            (["h"], "dumb", False),
        ]:
            options = parse_options(arguments)
            self.assertEqual(wants_full_screen(options, {"TERM": term}), wanted, arguments)
        self.assertFalse(parse_options(["--no-bell", "h"]).bell)
        self.assertFalse(wants_full_screen(parse_options(["h"]), {}))
        for terminals in (0,), (0, 2), (1, 2), (2,):  # the rest is a pipe
            self.patch(os, "isatty", lambda descriptor, terminals=terminals: descriptor in terminals)
            self.assertFalse(wants_full_screen(parse_options(["h"]), {"TERM": "xterm"}), terminals)
        self.patch(os, "isatty", lambda descriptor: descriptor != 2)
        self.assertTrue(wants_full_screen(parse_options(["h"]), {"TERM": "xterm"}))

    def test_version(self) -> None:
        """``--version`` prints the version, and needs no address."""
        self.assertEqual(self._ended("--version"), (0, f"irchat {__version__}\n"))

    def test_help(self) -> None:
        """``--help`` explains every option."""
        status, text = self._ended("--help")
        self.assertEqual(status, 0)
        for option in "[user@]host[:port]", "--no-tls", "--fingerprint", "--json", "--plain", "--no-bell", "--forget":
            self.assertIn(option, text)

    def test_wrong(self) -> None:
        """Invalid options exit with the usage and status 2."""
        for arguments, why in (
            (("--fingerprint", "AB", "h"), "32 pairs of hex digits"),
            (("--loud", "h"), "unrecognized"),
        ):
            status, text = self._ended(*arguments)
            self.assertEqual(status, 2)
            self.assertIn(why, text)

    def test_completed(self) -> None:
        """Without an address, the server of the settings is joined, else the last one. There must be one."""
        settings = Preferences(server="a@one", plain=True)
        last = ("last", True)
        self.assertEqual(complete_options(parse_options(["h"]), settings, last).address, "h")
        completed = complete_options(parse_options([]), settings, last)
        self.assertEqual((completed.address, completed.plain), ("a@one", True))
        self.assertEqual(complete_options(parse_options([]), Preferences(), last).address, "last")
        stop = self.assertRaises(SystemExit, complete_options, parse_options([]), Preferences(), ("", True))
        self.assertIn("irchat [user@]host[:port]", str(stop.code))

    def test_without_tls(self) -> None:
        """Only the server used last is joined again without TLS, not one that is typed or in the settings."""
        last, settings = ("h", False), Preferences(server="h")
        for arguments, chosen, tls in (
            ([], Preferences(), False),
            (["h"], Preferences(), True),
            ([], settings, True),
            (["--no-tls"], settings, False),
            (["--no-tls", "h"], Preferences(), False),
        ):
            self.assertEqual(complete_options(parse_options(arguments), chosen, last).tls, tls, arguments)
        self.assertFalse(complete_options(parse_options(["--no-tls"]), Preferences(), ("h", True)).tls)
