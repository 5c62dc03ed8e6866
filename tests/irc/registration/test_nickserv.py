"""The words of NickServ."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import Line
from irchat.irc.registration.nickserv import HELP, Misused, as_message, read
from irchat.protocol.requests import Login, Password, Register


class NickServTests(SynchronousTestCase):
    """What is said to NickServ."""

    def test_requests(self) -> None:
        """Each word makes its request, in any case and with any spaces."""
        for text, request in (
            ("REGISTER secret", Register(name="alice", password="secret")),
            ("register  secret a@b.c", Register(name="alice", password="secret")),
            ("IDENTIFY secret", Login(name="alice", password="secret")),
            (" identify bob  secret ", Login(name="bob", password="secret")),
            ("PASSWORD old new", Password(old="old", new="new")),
        ):
            self.assertEqual(read(text, "alice"), request, text)

    def test_help(self) -> None:
        """Help, unknown words, and words that lack something are answered."""
        self.assertEqual(read("HELP", "alice"), Misused(HELP))
        self.assertEqual(read("help register", "alice"), Misused(HELP))
        self.assertEqual(read("", "alice"), Misused(HELP))
        self.assertEqual(read("   ", "alice"), Misused(HELP))
        self.assertEqual(read("GHOST bob", "alice"), Misused(("Unknown command.", *HELP)))
        for text in ("REGISTER", "IDENTIFY", "IDENTIFY a b c", "PASSWORD one", "PASSWORD a b c"):
            answer = read(text, "alice")
            assert isinstance(answer, Misused)
            self.assertTrue(answer.answer[0].startswith(text.split()[0]), text)

    def test_as_command(self) -> None:
        """The commands NICKSERV and NS are messages."""
        line = as_message(Line({"label": "1"}, "", "NS", ["identify", "a b"]))
        self.assertEqual(line, Line({"label": "1"}, "", "PRIVMSG", ["NickServ", "identify a b"]))

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text has an answer that does not repeat it."""
        answer = read(text, "alice")
        if isinstance(answer, Misused):
            self.assertLessEqual(set(answer.answer), {"Unknown command.", *HELP})
