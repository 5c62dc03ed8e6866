"""``--forget``: forget the saved sign-in, on this machine and on the server."""

from twisted.internet.interfaces import IReactorTime

from irchat.client.connect.dialogue import Dialogue
from irchat.client.connect.request_channel import RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.connect.tokens import Tokens
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests


class Forget:
    """Forget the token of ``name``, or of the last user, at ``label`` (host:port). Raises ClientError without one."""

    def __init__(self, clock: IReactorTime, tokens: Tokens, label: str, name: str | None, dialogue: Dialogue) -> None:
        self._clock = clock
        self._dialogue = dialogue
        self._name = name or tokens.last_name(label) or ""
        kept = tokens.find(label, self._name)
        if kept is None:
            raise ClientError(
                f"No sign-in is saved for {self._name or 'anybody'} at {label}. There is nothing to forget."
            )
        self._kept = kept
        self._tokens = tokens
        self._label = label

    async def run(self, connection: ServerConnection) -> None:
        """Delete the token, and revoke it on the server that issued it. Raises ClientError."""
        self._tokens.forget(self._label, self._name)
        if connection.identity != self._kept.identity:
            raise ClientError(
                f"The sign-in of {self._name} is forgotten here. It was not sent to {self._label}, which is not the "
                "server that issued it (it has another certificate, or no TLS). There it ends after 90 days without "
                "use, or when you change your password."
            )
        channel = RequestChannel(self._clock, connection, lambda _: None, lambda _: None)
        reply = await channel.request(requests.Resume(token=self._kept.token))
        if isinstance(reply, events.Welcome):
            await channel.request(requests.Logout(forget=True))
        self._dialogue.note(f"the sign-in of {self._name} is forgotten")
