"""The steps of a registration."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.registration.steps import Options, Say


class StepTests(SynchronousTestCase):
    """Their defaults."""

    def test_defaults(self) -> None:
        """A server has passwords and open registration, and lines have no label, unless said otherwise."""
        self.assertEqual(Options(), Options(passwords=True, registration_open=True))
        self.assertIsNone(Say(b"").label)
