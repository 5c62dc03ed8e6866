"""Sign in by name and password. A new name creates an account."""

from irchat.client.connect.dialogue import Dialogue
from irchat.client.connect.request_channel import UNREADABLE, Reply, RequestChannel
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from irchat.protocol.rules import LOGIN_TRIES, visible


class SignIn:
    """The dialogue that signs in on ``channel``.

    On a terminal, a question is repeated after a wrong answer. Elsewhere a wrong answer ends the client: the next line
    of a pipe is not a second attempt.
    """

    def __init__(self, channel: RequestChannel, screen: Dialogue) -> None:
        self._channel = channel
        self._screen = screen

    async def run(self, name: str | None) -> events.Welcome:
        """Sign in as ``name``; ask for the name if it is None. Raises ClientError."""
        while True:
            if name is None:
                name = (await self._screen.ask("Your name: ")).strip()
            reply = await self._try_without_password(name)
            match reply:
                case events.Welcome():
                    return reply
                case events.Error(code=Code.BAD_NAME):
                    self._once_more(reply.text)
                    name = None
                case events.Error(code=Code.NAME_TAKEN):
                    return await self._log_in(name, "")
                case events.Error(code=Code.REGISTRATION_CLOSED):
                    return await self._log_in(
                        name, " Or the name does not exist; the administrator of the server adds new users."
                    )
                case events.Error(code=Code.WEAK_PASSWORD):
                    return await self._register(name)
                case _:
                    raise _refused(reply)

    async def _try_without_password(self, name: str) -> Reply:
        """Try an empty password. A server with passwords refuses it, and its error tells whether the name is new."""
        reply = await self._channel.request(requests.Login(name=name))
        if isinstance(reply, events.Error) and reply.code in (Code.BAD_REQUEST, Code.BAD_CREDENTIALS):
            reply = await self._channel.request(requests.Register(name=name, password=""))
        return reply

    async def _log_in(self, name: str, hint: str) -> events.Welcome:
        tries = LOGIN_TRIES if self._screen.interactive else 1
        while True:
            password = await self._screen.ask("Password: ", secret=True)
            reply = await self._channel.request(requests.Login(name=name, password=password))
            if isinstance(reply, events.Welcome):
                return reply
            if not (isinstance(reply, events.Error) and reply.code == Code.BAD_CREDENTIALS):
                raise _refused(reply)
            tries -= 1
            wrong = f"Wrong password for {visible(name)}. If the name is not yours, it is taken: choose another."
            if not tries:
                raise ClientError(wrong + hint)
            self._screen.complain(wrong + hint)

    async def _register(self, name: str) -> events.Welcome:
        self._screen.note(f"{name} is new here. Choose a password to keep the name.")
        while True:
            password = await self._choose_password()
            reply = await self._channel.request(requests.Register(name=name, password=password))
            if isinstance(reply, events.Welcome):
                return reply
            if not (isinstance(reply, events.Error) and reply.code == Code.WEAK_PASSWORD):
                raise _refused(reply)
            self._once_more(reply.text)

    async def _choose_password(self) -> str:
        while True:
            password = await self._screen.ask("New password: ", secret=True)
            if password == await self._screen.ask("New password again: ", secret=True):
                return password
            self._once_more("The two passwords differ.")

    def _once_more(self, trouble: str) -> None:
        if not self._screen.interactive:
            raise ClientError(trouble)
        self._screen.complain(trouble)


def _refused(reply: Reply) -> ClientError:
    return ClientError(reply.text if isinstance(reply, events.Error) else UNREADABLE)
