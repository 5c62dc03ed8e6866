"""Changes: the defaults that the queue relies on."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.changes import Change, Unchecked
from irchat.interfaces.writes import TokenRemoved


class ChangeTests(SynchronousTestCase):
    """`Change`."""

    def test_both_parts_are_needed(self) -> None:
        """A change must define its check and its reply."""
        change: Change[None, None] = Change(None, None)
        self.assertRaises(NotImplementedError, change.check)
        self.assertRaises(NotImplementedError, change.reply, None, [])

    def test_defaults(self) -> None:
        """By default a change has no text, and is committed with others."""
        change: Change[None, None] = Change(None, None)
        self.assertEqual((change.characters, change.alone), (0, False))

    def test_unchecked(self) -> None:
        """An unchecked change writes what it was made with, publishes nothing, and replies with the result."""
        write = TokenRemoved(b"token")
        change, publications = Unchecked(None, None, write), []
        self.assertEqual((change.check(), change.reply(None, publications), publications), (write, None, []))
