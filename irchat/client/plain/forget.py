"""``--forget``: forget the saved sign-in, on this machine and on the server."""

from collections.abc import Awaitable, Callable

from twisted.internet.interfaces import IReactorTime

from irchat.client.connect.dialogue import Dialogue
from irchat.client.connect.request_channel import RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.connect.tokens import Tokens
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests


def forget_sign_in(
    clock: IReactorTime, tokens: Tokens, label: str, name: str | None, dialogue: Dialogue
) -> Callable[[ServerConnection], Awaitable[None]]:
    """Return a function that deletes the saved token of ``name`` at the server ``label`` (host:port), and revokes it.

    If ``name`` is None, it is the name used last. Raises ClientError if there is no token. The function raises
    ClientError if the token cannot be deleted, or if its connection leads to another server than the one that issued
    the token: then the token is deleted but not revoked.
    """
    user = name or tokens.last_name(label) or ""
    kept = tokens.find(label, user)
    if kept is None:
        raise ClientError(f"No sign-in is saved for {user or 'anybody'} at {label}. There is nothing to forget.")

    async def forget(connection: ServerConnection) -> None:
        tokens.forget(label, user)
        if connection.identity != kept.identity:
            raise ClientError(
                f"The sign-in of {user} is forgotten here. It was not sent to {label}, which is not the server that "
                "issued it (it has another certificate, or no TLS). On that server, it ends after 90 days without use, "
                "or when you change your password."
            )
        channel = RequestChannel(clock, connection, lambda _: None, lambda _: None)
        if isinstance(await channel.request(requests.Resume(token=kept.token)), events.Welcome):
            await channel.request(requests.Logout(forget=True))
        dialogue.note(f"the sign-in of {user} is forgotten")

    return forget
