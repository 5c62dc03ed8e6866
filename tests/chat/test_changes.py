"""Changes: what the queue finds in one that says nothing of itself."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.changes import Change


class ChangeTests(SynchronousTestCase):
    """`Change`."""

    def test_both_parts_are_needed(self) -> None:
        """A change must have its check and its reply."""
        change: Change[None, None] = Change()
        self.assertRaises(NotImplementedError, change.check)
        self.assertRaises(NotImplementedError, change.reply, None, [])

    def test_defaults(self) -> None:
        """A change belongs to nobody and to no session, has no text, and is committed with others."""
        change: Change[None, None] = Change()
        self.assertEqual((change.whose(), change.origin, change.characters, change.alone), (None, None, 0, False))
