"""The rules of writes."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import MessageAdded, MessageDeleted, MessageEdited
from irchat.protocol.errors import Code
from irchat.store.write_rules import deletion_refusal, edit_refusal, mentioned_users


class WriteRulesTests(SynchronousTestCase):
    """User 1 writes."""

    def test_edit(self) -> None:
        """Only the sender edits a message, for some time, and not one before the given number."""
        write = MessageEdited(GLOBAL, 7, 1, "new", 100, sent_since=50, seq_from=5)
        self.assertEqual(
            [edit_refusal(write, *message) for message in ((2, 7, 50), (1, 4, 50), (1, 7, 49), (1, 5, 50))],
            [Code.NOT_YOURS, Code.NO_SUCH_MESSAGE, Code.TOO_LATE, None],
        )

    def test_deletion(self) -> None:
        """The sender deletes a message. Others do if they may delete those of anyone."""
        write = MessageDeleted(GLOBAL, 7, 1, 100, seq_from=5)
        self.assertEqual(
            [deletion_refusal(write, *message) for message in ((2, 7), (1, 4), (1, 5))],
            [Code.NOT_YOURS, Code.NO_SUCH_MESSAGE, None],
        )
        self.assertIsNone(deletion_refusal(MessageDeleted(GLOBAL, 7, 1, 100, of_anyone=True), 2, 7))
        self.assertIsNone(deletion_refusal(MessageDeleted(GLOBAL, 7, None, 100), 2, 7))

    def test_mentions(self) -> None:
        """At most 20 users are mentioned, the answered one among them, but no sender and no hidden user."""
        write = MessageAdded(GLOBAL, 1, "hi", 100, None, 0, mentions=(3, 1, 2, 3), hidden=frozenset({2}))
        self.assertEqual(mentioned_users(write, None), (3,))
        self.assertEqual(mentioned_users(write, 9), (3, 9))
        many = MessageAdded(GLOBAL, 1, "hi", 100, None, 0, mentions=tuple(range(2, 40)))
        self.assertEqual(mentioned_users(many, 50), (*range(2, 21), 50))
