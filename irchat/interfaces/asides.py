"""The contracts between the core and the other nodes for asides, which are shown to online users and stored nowhere."""

from collections.abc import Mapping
from typing import Protocol, TypedDict

from msgspec import Struct

from irchat.interfaces.stored import ChatKey


class Persona(Struct, frozen=True):
    """How a user presents itself, in one session or in all.

    ``away``: a text, or None for a user that is there. ``*``: nobody is there. ``away_at`` and ``named_at``: when
    ``away`` and the other fields were last set, in ms since the epoch, or 0.
    """

    away: str | None = None
    realname: str = ""
    username: str = ""
    is_bot: bool = False
    away_at: int = 0
    named_at: int = 0


class PersonaChange(TypedDict, total=False):
    """Fields of a persona that a session sets."""

    away: str | None
    realname: str
    username: str
    is_bot: bool


class OtherAsides(Protocol):
    """The other nodes, as the core sees them. A single server has none."""

    def signal(self, sender: int, chat: ChatKey, tags: Mapping[str, str]) -> None:
        """Pass on a signal of a user to a chat."""

    def give_reason(self, group: int, user: int, by: int, reason: str) -> None:
        """Pass on why ``by`` is about to remove ``user`` from a group."""

    def pose(self, user: int, persona: Persona | None) -> None:
        """Report how a user presents itself on this node. None: like a user that never said."""


class TheseSignals(Protocol):
    """The signals of this node, as the other nodes see them."""

    def receive(self, sender: int, chat: ChatKey, tags: Mapping[str, str]) -> None:
        """Show a signal to the users of a chat on this node."""


class TheseReasons(Protocol):
    """The reasons of this node, as the other nodes see them."""

    def note(self, group: int, user: int, by: int, reason: str) -> None:
        """Note a reason, for a removal that this node has not applied yet."""


class ThesePersonas(Protocol):
    """The personas of this node, as the other nodes see them."""

    def note(self, node: str, user: int, persona: Persona | None) -> None:
        """Note how a user presents itself on another node."""

    def note_all(self, node: str, personas: Mapping[int, Persona]) -> None:
        """Replace the personas of another node. It is empty if the node is gone."""

    def here(self) -> Mapping[int, Persona]:
        """Return how the users of this node present themselves, without those that never said."""
