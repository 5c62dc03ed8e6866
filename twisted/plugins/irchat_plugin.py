"""Makes ``twistd irchat`` known."""

from typing import Any

from twisted.application.service import ServiceMaker


class _ServerMaker(ServiceMaker):
    """Notes a SIGHUP from the moment that twistd knows what it is to run, before it loads all the rest of it."""

    @property
    def options(self) -> Any:
        """The options of ``twistd irchat``."""
        from irchat.system.hangup import note  # noqa: PLC0415 -- of no concern to other programs of twistd

        note()
        return super().options


irchat = _ServerMaker("IRChat", "irchat.tap", "A self-hosted chat for the terminal.", "irchat")
