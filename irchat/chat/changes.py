"""Changes: what a user asks to be committed, from the check to the reply."""

from collections.abc import Hashable
from typing import Any, Generic, Never, Protocol, TypeAlias, TypeVar

from twisted.python.failure import Failure

from irchat.interfaces.bus import Publication
from irchat.interfaces.writes import Write

Result = TypeVar("Result")
Reply = TypeVar("Reply")
Reply_co = TypeVar("Reply_co", covariant=True)
Reply_contra = TypeVar("Reply_contra", contravariant=True)


class ResultHandler(Protocol[Reply_contra]):
    """Is called once with the outcome of a change: a Deferred, or as much of one as the path of a message needs."""

    def callback(self, reply: Reply_contra, /) -> None:
        """The change is made: take its reply."""

    def errback(self, failure: Failure, /) -> None:
        """The change is not made: take the failure, in most cases a Refusal."""


class Change(Generic[Result, Reply_co]):
    """One change: what it requires, what it writes, and its reply.

    A commit of its write returns a ``Result``. If `check` may return no write, ``Result`` includes None.
    """

    __slots__ = ("handler", "write")

    alone = False
    """Whether it changes who may do what. It is then a commit of its own, whose `Entry` memory follows."""
    characters = 0
    """The length of the text of a message."""
    origin: int | None = None
    """The id of the session that asked."""
    handler: ResultHandler[Never]
    """Set by the queue, as is ``write``, the return value of `check`."""
    write: Write[Result] | None

    def whose(self) -> Hashable | None:
        """Return the key whose changes take turns with those of others: the user, or the address before sign-in."""
        return None

    def check(self) -> Write[Result] | None:
        """Return what to write, or None for nothing. Raise Refusal if the change cannot be made."""
        raise NotImplementedError

    def reply(self, result: Result, publications: list[Publication]) -> Reply_co:
        """Return the reply. ``result`` is what the commit returned; add to ``publications`` what is to be published.

        What the directory holds has followed the write already.
        """
        raise NotImplementedError


AnyChange: TypeAlias = Change[Any, Any]
"""A change in the queue, which holds all kinds and pairs each with its own result and handler."""
