"""Changes: the defaults that the queue relies on."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.changes import Change


class ChangeTests(SynchronousTestCase):
    """`Change`."""

    def test_both_parts_are_needed(self) -> None:
        """A change must define its check and its reply."""
        change: Change[None, None] = Change()
        self.assertRaises(NotImplementedError, change.check)
        self.assertRaises(NotImplementedError, change.reply, None, [])

    def test_defaults(self) -> None:
        """By default a change has no user, session or text, and is committed with others."""
        change: Change[None, None] = Change()
        self.assertEqual((change.whose(), change.origin, change.characters, change.alone), (None, None, 0, False))
