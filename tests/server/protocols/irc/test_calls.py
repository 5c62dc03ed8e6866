"""Calls: the answers to one line."""

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import Line
from irchat.irc.labels import Batches
from irchat.irc.numerics import ServerLines
from irchat.protocol import events, requests
from irchat.server.protocols.irc.calls import Answer, Call


class CallTests(SynchronousTestCase):
    """`Call` with a session that answers by hand."""

    def setUp(self) -> None:
        """Collect what is asked."""
        self.asked: list[tuple[requests.Request, Any]] = []
        self.caps = {"labeled-response"}
        session = SimpleNamespace(ask=lambda request, context: self.asked.append((request, context)))
        batches = Batches(ServerLines("s"))
        self.protocol: Any = SimpleNamespace(session=session, caps=self.caps, batches=batches)

    def call(self, **tags: str) -> Call:
        """Return a call of a line with these tags."""
        return Call(self.protocol, Line(tags, "", "X", []))

    def answer(self) -> bytes:
        """Answer the oldest request. Return the bytes to send."""
        said: bytes = self.asked.pop(0)[1].answered(events.Pong())
        return said

    def test_unlabeled(self) -> None:
        """Without a label each part is sent as it is answered."""
        call = self.call()
        call.say(b"a\r\n")
        call.in_turn(lambda: b"b\r\n")
        call.close()
        self.assertEqual([self.answer(), self.answer()], [b"a\r\n", b"b\r\n"])

    def test_labeled(self) -> None:
        """With a label the last part sends all, whether the handler has ended before or not."""
        for closes_first in True, False:
            call = self.call(label="7")
            call.say(b":s A\r\n")
            call.say(b":s B\r\n")
            if closes_first:
                call.close()
            self.assertEqual(self.answer(), b"")
            said = self.answer()
            if not closes_first:
                self.assertEqual(said, b"")
                call.close()
                said = self.answer()
            self.assertTrue(said.startswith(b"@label=7 :s BATCH +"), said)
            self.assertIn(b" :s A\r\n", said)

    def test_nothing(self) -> None:
        """A labeled call without an answer is acknowledged, one without a label says nothing."""
        self.call().close()
        self.assertEqual(self.asked, [])
        self.call(label="7").close()
        self.assertEqual(self.answer(), b"@label=7 :s ACK\r\n")

    def test_not_negotiated(self) -> None:
        """Without the capability the label is ignored."""
        self.caps.clear()
        self.assertIsNone(self.call(label="7").label)

    def test_base(self) -> None:
        """An answer has to say what it answers."""
        self.assertRaises(NotImplementedError, Answer().answered, events.Pong())
