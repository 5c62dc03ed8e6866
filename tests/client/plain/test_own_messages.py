"""Which message of the user is the last one that is shown."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.plain.own_messages import OwnMessages
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import TRANSCRIPT_LINES
from tests.helpers.client_fakes import amended, message, sent


class OwnMessagesTests(SynchronousTestCase):
    """The messages of alice."""

    def setUp(self) -> None:
        """Show nothing yet."""
        self.own = OwnMessages()
        self.own.me = "alice"

    def last(self, chat: str = "GLOBAL") -> int | str | None:
        """Return the seq or id of the message that is taken back, or None if it is refused."""
        try:
            request = self.own.amend(requests.AmendLast(chat=chat))
        except Refusal as refusal:
            self.assertEqual(refusal.code, Code.NO_SUCH_MESSAGE)
            return None
        self.assertEqual((request.chat, request.text, request.delete), (chat, None, True))
        return request.seq or request.id

    def mine(self, **fields: object) -> events.Message:
        """Return a message by alice."""
        return message("x", sender="alice", **fields)

    def test_by_chat(self) -> None:
        """Each chat has its own last message, however its name is spelt. Those of others do not count."""
        self.assertIsNone(self.last())
        self.own.shown(self.mine(seq=1))
        self.own.shown(self.mine(chat="*Team", seq=9))
        self.own.shown(message("x", seq=2))
        self.own.shown(sent(chat="@bob", seq=3))
        self.assertEqual([self.last(chat) for chat in ("GLOBAL", "*team", "@BOB", "@carol")], [1, 9, 3, None])

    def test_older_page(self) -> None:
        """A page of older messages, or what a search found, does not change which one is the last."""
        self.own.shown(sent(seq=17, at="2026-11-22T13:00:00.001Z"))
        self.own.shown(events.History("GLOBAL", [self.mine(seq=3), self.mine(seq=4)], True))
        self.own.shown(events.Found([self.mine(seq=2)], False))
        self.assertEqual(self.last(), 17)
        self.assertTrue(self.own.has("GLOBAL", 3))
        self.assertFalse(self.own.has("@bob", 3))

    def test_gone(self) -> None:
        """A deleted or ended message is the last one no longer."""
        for event in sent(seq=1), sent(id="t1"), sent(seq=2):
            self.own.shown(event)
        self.own.shown(amended(seq=2, deleted=True))
        self.assertEqual(self.last(), "t1")
        self.own.shown(events.Erased("GLOBAL", "t1"))
        self.assertEqual(self.last(), 1)
        self.own.shown(amended(seq=1, text="new"))
        self.assertEqual(self.last(), 1)

    def test_edit(self) -> None:
        """A stored message is edited by its number. A timed one cannot be."""
        self.own.shown(sent(seq=1))
        edit = requests.AmendLast(chat="GLOBAL", text="new")
        self.assertEqual(self.own.amend(edit), requests.Amend(chat="GLOBAL", seq=1, text="new"))
        self.own.shown(sent(id="t1"))
        self.assertEqual(self.assertRaises(Refusal, self.own.amend, edit).code, Code.BAD_REQUEST)

    def test_unconfirmed(self) -> None:
        """While the outcome of a message is unknown, none is the last one; the next one, or a page, settles it."""
        for settle in sent(seq=2), events.History("GLOBAL", [], False):
            self.own.shown(sent(seq=1))
            self.own.unconfirmed("global")
            self.assertIsNone(self.last())
            self.own.shown(settle)
            self.assertIsNotNone(self.last())

    def test_bounded(self) -> None:
        """As many are kept as a transcript has lines."""
        for seq in range(1, TRANSCRIPT_LINES + 2):
            self.own.shown(sent(seq=seq))
        self.assertEqual([self.own.has("GLOBAL", seq) for seq in (1, 2)], [False, True])
