"""The command line of ``irchat say``."""

import contextlib
import io

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.exceptions import ClientError
from irchat.client.say_options import make_request, message_of, parse_say_options
from irchat.protocol.requests import Line, Request, Send


class SayOptionsTests(SynchronousTestCase):
    """Arguments and requests."""

    def made(self, *arguments: str, piped: str = "Filesystem\n/ 99%\n") -> Request:
        """Return the request of a command."""
        return make_request(parse_say_options(["host", *arguments]), lambda: piped, "n")

    def refused(self, *arguments: str, piped: str = "") -> str:
        """Return the reason of a refusal."""
        return self.assertRaises(ClientError, self.made, *arguments, piped=piped).text

    def test_lines(self) -> None:
        """A line with an address is sent as it is typed, with a nonce, and standard input is not read."""
        for line in "*ops disk full", "@bob hi", "*30*ops soon gone", "\\to everyone", "ls *ops", "*ops #17-", "@":
            self.assertEqual(self.made(line, piped=""), Line(line=line, nonce="n"))

    def test_piped(self) -> None:
        """Without a text, standard input is the text, without its last line end. It is never a command."""
        text = "Filesystem\n/ 99%"
        for line, made in (
            ("*ops", Send(chat="*ops", text=text, nonce="n")),
            ("@bob", Send(chat="@bob", text=text, nonce="n")),
            ("*60*ops", Send(chat="*ops", text=text, expires_in=60, nonce="n")),
            ("*60@bob", Send(chat="@bob", text=text, expires_in=60, nonce="n")),
        ):
            self.assertEqual(self.made(line), made)
        self.assertEqual(self.made("*ops", piped="#17-\n"), Send(chat="*ops", text="#17-", nonce="n"))
        self.assertEqual(self.made("*ops", piped="a\r\nb\rc\r\n"), Send(chat="*ops", text="a\nb\rc", nonce="n"))
        self.assertIn("standard input is empty", self.refused("*ops", piped=" \n"))

    def test_to(self) -> None:
        """With --to, the line or standard input goes to that chat as it is, even if it looks like a command."""
        for to in "GLOBAL", "global", "@bob", "*ops":
            self.assertEqual(self.made("--to", to, "@carol x"), Send(chat=to, text="@carol x", nonce="n"))
        self.assertEqual(self.made("--to", "*ops", piped="a\nb\n"), Send(chat="*ops", text="a\nb", nonce="n"))
        for to in "ops", "@", "":
            self.assertIn("--to takes", self.refused("--to", to, "x"))

    def test_plain_text(self) -> None:
        """A text without an address, or none at all, is refused without --to."""
        for line in "disk full", "#17-", "/etc/passwd":
            self.assertIn("add --to", self.refused(line))
        self.assertIn("Where to?", self.refused(piped="text"))

    def test_too_long(self) -> None:
        """A text that does not fit in a line of the protocol is refused."""
        self.assertIn("too long", self.refused("--to", "*ops", "x" * 70_000))

    def test_repeated(self) -> None:
        """Only messages can be repeated, because the server recognises them."""
        message = message_of(Line(line="*30*ops x"))
        self.assertEqual(message, Send(chat="*ops", text="x", expires_in=30))
        for line in "+bob team", "ls", "@ops", "*ops #17-":
            self.assertIsNone(message_of(Line(line=line)))

    def test_wrong_options(self) -> None:
        """Wrong options have the status of a refusal: 2 would mean that there is no server."""
        for arguments in [], ["host", "a", "b"], ["host", "--fingerprint", "x", "y"]:
            error = io.StringIO()
            with contextlib.redirect_stderr(error):
                status = self.assertRaises(SystemExit, parse_say_options, arguments).code
            self.assertEqual(status, 1)
            self.assertIn("irchat say: ", error.getvalue())
