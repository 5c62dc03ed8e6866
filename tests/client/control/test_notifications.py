"""Notifications to the user."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.control.notifications import alert, mentions
from tests.helpers.client_fakes import message


class AlertTests(SynchronousTestCase):
    """Notifications."""

    def test_private_and_mentions(self) -> None:
        """Private messages and mentions notify, other messages and the user's own do not."""
        self.assertEqual(alert(message("hi", chat="@bob"), "alice"), "bob: hi")
        self.assertEqual(alert(message("hi Alice!", chat="*team"), "alice"), "bob in *team: hi Alice!")
        self.assertIsNone(alert(message("hi malice"), "alice"))
        self.assertIsNone(alert(message("alice", sender="alice", chat="@bob"), "alice"))

    def test_timed(self) -> None:
        """A notification never contains timed text."""
        self.assertEqual(alert(message("psst", chat="@bob", id="t"), "alice"), "timed message from bob")

    def test_safe(self) -> None:
        """A notification is one short line without anything that a terminal obeys."""
        text = alert(message("a\nb\x1b]0;x\x07" + "y" * 200, chat="@bob"), "alice")
        assert text is not None
        self.assertTrue(text.isprintable())
        self.assertLess(len(text), 100)

    def test_mentions(self) -> None:
        """A mention is the name as a whole word; an empty name is never mentioned."""
        self.assertTrue(mentions("@Al-ice? yes", "al-ice"))
        self.assertFalse(mentions("anything", ""))
