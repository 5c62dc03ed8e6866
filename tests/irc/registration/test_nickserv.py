"""The words of NickServ."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import Line
from irchat.irc.registration.nickserv import HELP, Misused, as_message, read
from irchat.protocol.requests import Login, Password, Register


class NickServTests(SynchronousTestCase):
    """Messages to NickServ."""

    def test_requests(self) -> None:
        """Each word makes its request, in any case and with any spaces."""
        for text, request in (
            ("REGISTER secret", Register(name="alice", password="secret")),
            ("register  secret a@b.c", Register(name="alice", password="secret")),
            ("REGISTER correct horse  battery", Register(name="alice", password="correct horse  battery")),
            ("REGISTER me@home x", Register(name="alice", password="me@home x")),
            ("IDENTIFY secret", Login(name="alice", password="secret")),
            ("IDENTIFY correct horse  battery", Login(name="alice", password="correct horse  battery")),
            ("IDENTIFY bob correct  horse", Login(name="bob", password="correct  horse")),
            (" identify bob  secret ", Login(name="bob", password="secret")),
            ("PASSWORD old new", Password(old="old", new="new")),
        ):
            self.assertEqual(read(text, "alice", {"bob"}.__contains__), request, text)

    def test_help(self) -> None:
        """Help, unknown words, and words that lack something are answered."""
        self.assertEqual(read("HELP", "alice", bool), Misused(HELP))
        self.assertEqual(read("help register", "alice", bool), Misused(HELP))
        self.assertEqual(read("", "alice", bool), Misused(HELP))
        self.assertEqual(read("   ", "alice", bool), Misused(HELP))
        self.assertEqual(read("GHOST bob", "alice", bool), Misused(("Unknown command.", *HELP)))
        for text in ("REGISTER", "IDENTIFY", "IDENTIFY  ", "PASSWORD one", "PASSWORD a b c"):
            answer = read(text, "alice", {"bob"}.__contains__)
            assert isinstance(answer, Misused)
            self.assertTrue(answer.answer[0].startswith(text.split()[0]), text)

    def test_as_command(self) -> None:
        """The commands NICKSERV and NS are messages."""
        line = as_message(Line({"label": "1"}, "", "NS", ["identify", "a b"]))
        self.assertEqual(line, Line({"label": "1"}, "", "PRIVMSG", ["NickServ", "identify a b"]))

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text has an answer that does not repeat it."""
        answer = read(text, "alice", {"bob"}.__contains__)
        if isinstance(answer, Misused):
            self.assertLessEqual(set(answer.answer), {"Unknown command.", *HELP})
