"""The bus inside one process."""

from collections.abc import Callable, Sequence

from irchat.interfaces.bus import Publication

Deliver = Callable[[Sequence[Publication]], None]


class LocalBus:
    """A `irchat.interfaces.bus.Bus` whose ``publish`` is the subscriber itself, so the bus costs no call."""

    publish: Deliver

    def __init__(self) -> None:
        self.subscribe(lambda publications: None)

    def subscribe(self, deliver: Deliver) -> None:
        """Pass all further publications to ``deliver``."""
        self.publish = deliver
