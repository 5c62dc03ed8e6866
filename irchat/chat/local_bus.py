"""The bus inside one process."""

from collections.abc import Callable, Sequence

from irchat.interfaces.bus import Publication

Deliver = Callable[[Sequence[Publication]], None]


def _drop(publications: Sequence[Publication]) -> None:
    pass


class LocalBus:
    """A `irchat.interfaces.bus.Bus` whose methods are those of the subscriber itself, so the bus costs no call."""

    publish: Deliver
    publish_asides: Deliver

    def __init__(self) -> None:
        self.subscribe(_drop)

    def subscribe(self, deliver: Deliver, deliver_asides: Deliver = _drop) -> None:
        """Pass all further publications to ``deliver``, and the asides to ``deliver_asides``."""
        self.publish, self.publish_asides = deliver, deliver_asides
