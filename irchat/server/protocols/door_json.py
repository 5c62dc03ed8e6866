"""The protocol of sessions over SSH: JSON, with the requests of the process that speaks SSH."""

from typing import TYPE_CHECKING

from irchat.commands.base import SSHConnection
from irchat.protocol import requests, wire
from irchat.protocol.ssh_door import GUEST_SECONDS
from irchat.server.protocols.base import greeting
from irchat.server.protocols.json_lines import JSONProtocol

if TYPE_CHECKING:
    from irchat.server.sessions.session import Session


class SSHDoorProtocol(JSONProtocol):
    """Reads requests as JSON, also those by which the process vouches for a user. ``ssh``: the client's connection."""

    sign_in_seconds = GUEST_SECONDS
    """The client connects again as long as a question stands, so its relay counts this time too."""

    def __init__(self, session: "Session", ssh: SSHConnection) -> None:
        super().__init__(session)
        session.ssh = ssh
        self._ssh = ssh

    def greeting(self, server_name: str) -> bytes:
        """See `irchat.server.protocols.base.ChatProtocol`."""
        return greeting(server_name)

    def decode(self, line: bytes) -> requests.Request:
        """Return the request in a line. Note a typed answer to a question of the sign-in."""
        request = wire.decode_door_request(line)
        if isinstance(request, requests.Login | requests.Register) and request.password:
            self._ssh.answered()
        return request
