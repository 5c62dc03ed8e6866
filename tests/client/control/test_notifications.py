"""Notifications to the user."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.control.notifications import alert, mentions
from tests.helpers.client_fakes import message


class AlertTests(SynchronousTestCase):
    """Notifications."""

    def test_private_and_mentions(self) -> None:
        """By default, private messages and mentions notify, other messages and the user's own do not."""
        self.assertEqual(alert(message("hi", chat="@bob"), "alice"), "bob: hi")
        self.assertEqual(alert(message("hi", chat="*team", to=["Alice"]), "alice"), "bob in *team: hi")
        older = alert(message("hi Alice!", chat="*team"), "alice", by_server=False)
        self.assertEqual(older, "bob in *team: hi Alice!")
        self.assertIsNone(alert(message("hi alice", chat="*team"), "alice"))
        self.assertIsNone(alert(message("hi malice"), "alice", by_server=False))
        self.assertIsNone(alert(message("alice", sender="alice", chat="@bob"), "alice"))

    def test_settings(self) -> None:
        """The setting of a chat replaces the default."""
        private, group, call = message("1", chat="@bob"), message("2", chat="*t"), message("3", chat="*t", to=["alice"])
        for setting, wanted in ("all", [1, 1, 1]), ("mentions", [0, 0, 1]), ("none", [0, 0, 0]), ("", [1, 0, 1]):
            told = [alert(each, "alice", setting) is not None for each in (private, group, call)]
            self.assertEqual(told, list(map(bool, wanted)))

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
