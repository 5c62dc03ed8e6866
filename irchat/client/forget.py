"""``--forget``: the sign-in that is kept is forgotten, here and at the server."""

from twisted.internet.interfaces import IReactorTime

from irchat import events, requests
from irchat.client.connection import Connection
from irchat.client.dialogue import Dialogue
from irchat.client.session import Session
from irchat.client.stop import Stop
from irchat.client.tokens import Tokens


class Forget:
    """Forgets the token of ``name``, or of who used the server ``label`` last. Raises Stop where none is kept."""

    def __init__(
        self, clock: IReactorTime, tokens: Tokens, label: str, name: str | None, dialogue: Dialogue
    ) -> None:
        self._clock = clock
        self._dialogue = dialogue
        self._name = name or tokens.last_name(label) or ""
        token = tokens.find(label, self._name)
        if token is None:
            raise Stop(f"No sign-in is kept for {self._name or 'anybody'} at {label}.")
        self._token = token
        tokens.forget(label, self._name)

    async def run(self, connection: Connection) -> None:
        """End the token at the server. Raises Stop."""
        session = Session(self._clock, connection, lambda _: None, lambda _: None)
        reply = await session.request(requests.Resume(token=self._token))
        if isinstance(reply, events.Welcome):
            await session.request(requests.Logout(forget=True))
        self._dialogue.note(f"the sign-in of {self._name} is forgotten")
