"""The plugin that adds ``twistd irchat`` to twistd."""

from typing import Any

from twisted.application.service import ServiceMaker


class _ServerMaker(ServiceMaker):
    """Records SIGHUP from the moment when twistd selects this service, before it loads the rest of the server."""

    @property
    def options(self) -> Any:
        """The options of ``twistd irchat``."""
        from irchat.system.hangup import note  # noqa: PLC0415 -- other services of twistd must not import it

        note()
        return super().options


irchat = _ServerMaker("IRChat", "irchat.tap", "A self-hosted chat for the terminal and the browser.", "irchat")
