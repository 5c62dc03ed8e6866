"""The bus of a single node."""

from collections.abc import Callable, Sequence

from irchat.interfaces.bus import Publication

Deliver = Callable[[Sequence[Publication]], None]


class LocalBus:
    """See `irchat.interfaces.bus.Bus`. ``publish`` is the subscriber itself, so the bus costs no call."""

    publish: Deliver

    def __init__(self) -> None:
        self.subscribe(lambda publications: None)

    def subscribe(self, deliver: Deliver) -> None:
        """Hand all publications to ``deliver`` from now on."""
        self.publish = deliver
