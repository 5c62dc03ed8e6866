"""The identity that a sign-in proves."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.ssh.identity import Claims, Identity

_BY_KEY = Identity("alice", fingerprint="SHA256:x")


class IdentityTests(SynchronousTestCase):
    """Claims, and what is left of them."""

    def test_guest(self) -> None:
        """A client that proves nothing is a guest."""
        self.assertTrue(Claims().proved("alice").is_guest)
        self.assertFalse(_BY_KEY.is_guest)
        self.assertFalse(Identity("alice", token="t").is_guest)

    def test_last_request(self) -> None:
        """The claim of the last request counts, once."""
        claims = Claims()
        self.assertTrue(claims.put(claims.reset(), _BY_KEY))
        self.assertEqual(claims.proved("alice"), _BY_KEY)
        self.assertTrue(claims.proved("alice").is_guest)

    def test_reset(self) -> None:
        """A later request drops the claim of an earlier one, also if its answer comes after."""
        claims = Claims()
        first = claims.reset()
        claims.put(first, _BY_KEY)
        claims.reset()
        self.assertFalse(claims.put(first, _BY_KEY))
        self.assertTrue(claims.proved("alice").is_guest)

    def test_other_name(self) -> None:
        """A claim for one name is none for another."""
        claims = Claims()
        claims.put(claims.reset(), _BY_KEY)
        self.assertEqual(claims.proved("bob"), Identity("bob"))
