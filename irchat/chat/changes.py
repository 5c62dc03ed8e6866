"""Changes: requests to commit something, from the check to the reply."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, Never, Protocol, TypeVar

from twisted.python.failure import Failure

from irchat.interfaces.bus import Publication
from irchat.interfaces.writes import Write

Result = TypeVar("Result")
Reply = TypeVar("Reply")
Reply_co = TypeVar("Reply_co", covariant=True)
Reply_contra = TypeVar("Reply_contra", contravariant=True)


class ResultHandler(Protocol[Reply_contra]):
    """Receives the outcome of a change once. A Deferred is one; the path of a message uses a cheaper object."""

    def callback(self, reply: Reply_contra, /) -> None:
        """Accept the reply of a committed change."""

    def errback(self, failure: Failure, /) -> None:
        """Accept the failure of a change, usually a Refusal."""


@dataclass(eq=False, repr=False, slots=True)
class Submittable(Generic[Reply_co]):
    """A change without the type of its result, as the queue and the commands see it."""

    by: Hashable | None
    """The user or, before sign-in, the address that asked for it. Changes take turns by it."""
    origin: int | None
    """The id of the session that submitted it."""
    handler: ResultHandler[Reply_co] = field(init=False)
    """Set by the queue, as is ``write``, the return value of `check`."""
    write: Write[object] | None = field(init=False)
    alone = False
    """Whether it changes permissions. It is then committed alone, and memory follows its `Entry`."""
    characters = 0
    """The length of the message text, in characters."""

    def check(self) -> Write[object] | None:
        """Return the write, or None to write nothing. Raises Refusal if the change is not possible."""
        raise NotImplementedError

    def reply(self, result: Never, publications: list[Publication]) -> Reply_co:
        """Return the reply, and append the events to publish to ``publications``.

        ``result`` is the result of the commit. The directory already reflects the write.
        """
        raise NotImplementedError


class Change(Submittable[Reply_co], Generic[Result, Reply_co]):
    """One change: its check, its write and its reply.

    ``Result`` is the result of committing the write. It includes None if `check` may return no write.
    """

    __slots__ = ()

    def check(self) -> Write[Result] | None:
        raise NotImplementedError

    def reply(self, result: Result, publications: list[Publication]) -> Reply_co:
        raise NotImplementedError


@dataclass(eq=False, repr=False)
class Unchecked(Change[Result, Result]):
    """A write without a check or publications. Its reply is its result."""

    write: Write[Result]

    def check(self) -> Write[Result]:
        return self.write

    def reply(self, result: Result, publications: list[Publication]) -> Result:
        return result
