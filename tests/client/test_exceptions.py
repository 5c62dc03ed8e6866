"""The reasons for which a client ends."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.exceptions import Cancelled, ClientError, InputEnded, Later, Unencrypted


class ClientErrorTests(SynchronousTestCase):
    """`ClientError` and its kinds."""

    def test_text(self) -> None:
        """Each has a text to show, the same as that of the exception."""
        for error in ClientError("x"), Unencrypted("y"), Later("z"), InputEnded(), Cancelled():
            self.assertIsInstance(error, ClientError)
            self.assertTrue(error.text)
            self.assertEqual(str(error), error.text)

    def test_pause(self) -> None:
        """A refusal for now has the pause of the server, or none."""
        self.assertEqual([Later("x").pause, Later("x", 30).pause], [0, 30])
