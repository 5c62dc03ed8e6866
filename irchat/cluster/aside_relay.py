"""Relay between nodes what is shown to online users and stored nowhere: signals, reasons of removals, and personas."""

from collections.abc import Mapping

from irchat.cluster.bus_messages import Posed, Reasoned, Signaled, State
from irchat.cluster.node_bus import NodeBus
from irchat.interfaces.asides import Persona, ThesePersonas, TheseReasons, TheseSignals
from irchat.interfaces.stored import ChatKey


class AsideRelay:
    """Carries asides between this node and the others. Fulfils `irchat.interfaces.asides.OtherAsides`.

    ``bus`` carries the messages.
    """

    def __init__(self, bus: NodeBus) -> None:
        self._bus = bus

    def connect(self, signals: TheseSignals, reasons: TheseReasons, personas: ThesePersonas) -> None:
        """Pass the messages of the other nodes to the parts of this node."""
        bus = self._bus
        bus.handle(Signaled, lambda node, body: signals.receive(body.sender, body.chat, body.tags))
        bus.handle(Reasoned, lambda node, body: reasons.note(body.group, body.user, body.by, body.reason))
        bus.handle(Posed, lambda node, body: personas.note(node, body.user, body.persona))
        bus.handle(State, lambda node, body: personas.note_all(node, dict(body.personas)))
        bus.personas = personas.here
        bus.on_gone = lambda node: personas.note_all(node, {})

    # For the core.

    def signal(self, sender: int, chat: ChatKey, tags: Mapping[str, str]) -> None:
        """See `irchat.interfaces.asides.OtherAsides` for this and the following methods."""
        self._bus.publish(Signaled(sender, chat, dict(tags)))

    def give_reason(self, group: int, user: int, by: int, reason: str) -> None:
        self._bus.publish(Reasoned(group, user, by, reason))

    def pose(self, user: int, persona: Persona | None) -> None:
        self._bus.publish(Posed(user, persona))
