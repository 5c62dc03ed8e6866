"""The identity of an SSH connection, as proved by the method of sign-in that succeeded."""

from typing import NamedTuple


class Identity(NamedTuple):
    """A user that was signed in by a key or a password, or a guest without either.

    ``user`` is the name typed for SSH, a mere suggestion for a guest. ``fingerprint`` is that of the key. ``token`` is
    that of the sign-in by password.
    """

    user: str
    fingerprint: str = ""
    token: str = ""

    @property
    def is_guest(self) -> bool:
        """Whether the user has not proved to be ``user``."""
        return not self.fingerprint and not self.token


class Claims:
    """The identity that the running request of sign-in would prove.

    A client may ask whether a key would do, without a signature. The library calls back in the same way for that, so
    each request begins with `reset`, and only the last one counts when a method succeeds.
    """

    def __init__(self) -> None:
        self._number = 0
        self._claim: Identity | None = None

    def reset(self) -> int:
        """Drop the claim. Return the number of the request that begins, or of a change of the name."""
        self._number += 1
        self._claim = None
        return self._number

    def put(self, number: int, claim: Identity) -> bool:
        """Keep the identity that a request would prove. Return False if another request has begun since."""
        if number != self._number:
            return False
        self._claim = claim
        return True

    def proved(self, user: str) -> Identity:
        """Return the identity after the sign-in of ``user`` has succeeded."""
        claim = self._claim
        self.reset()
        return claim if claim is not None and claim.user == user else Identity(user)
