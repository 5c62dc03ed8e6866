"""Sign in on a terminal, by a saved token if there is one, otherwise by name and password."""

from collections.abc import Callable
from typing import Protocol

from irchat.client.connect.dialogue import Dialogue
from irchat.client.connect.request_channel import UNREADABLE, RequestChannel
from irchat.client.connect.sign_in import SignIn
from irchat.client.connect.tokens import Kept, Tokens
from irchat.client.exceptions import ClientError, Later
from irchat.protocol import events, requests
from irchat.protocol.errors import Code

# Error codes after which a token can never work again.
_NO_TOKEN = (Code.BAD_TOKEN, Code.BAD_REQUEST, Code.BAD_CREDENTIALS, Code.NO_SUCH_USER)
# Seconds between two attempts of a banned user. Each counts as a failed sign-in of the address.
_BANNED_PAUSE = 300


class Entry(Protocol):
    """The way to sign in on each new connection. ``is_temporary``: nothing may sign in by it after the user left."""

    @property
    def is_temporary(self) -> bool:
        """Whether the sign-in ends when the user leaves."""

    async def sign_in(self, channel: RequestChannel) -> events.Welcome:
        """Sign in on a channel. Raises ClientError, or Later if the server refuses temporarily."""

    def forget(self) -> None:
        """Forget the sign-in. Raises ClientError."""


class SavedSignIn:
    """Sign in at the server ``label`` as ``name``, or as the last user if ``name`` is None.

    A token is sent only to a server with the identity of its issuer. It is also kept in memory, so that the client can
    reconnect even if the file cannot be written. After the sign-in, ``trouble`` is called once for each problem that
    did not prevent it.
    """

    is_temporary = False

    def __init__(
        self, tokens: Tokens, label: str, name: str | None, questions: Dialogue, trouble: Callable[[str], None]
    ) -> None:
        self._tokens = tokens
        self._label = label
        self._given = name
        self._name = name or tokens.last_name(label)
        self._questions = questions
        self._trouble = trouble
        self._kept: Kept | None = None
        self._warnings: dict[str, bool] = {}

    async def sign_in(self, channel: RequestChannel) -> events.Welcome:
        """Sign in on a channel. Raises ClientError, or Later if the server refuses a valid token temporarily."""
        welcome = await self._by_token(channel) or await self._by_password(channel)
        self._name = self._given = welcome.name
        self._kept = Kept(welcome.token, channel.identity)
        try:
            self._tokens.keep(self._label, welcome.name, welcome.token, channel.identity)
        except ClientError as stop:
            self.warn(stop.text)
        for text in [text for text, is_told in self._warnings.items() if not is_told]:
            self._warnings[text] = True
            self._trouble(text)
        return welcome

    def warn(self, text: str) -> None:
        """Show a problem after the sign-in, when there is time to read it."""
        self._warnings.setdefault(text, False)

    def forget(self) -> None:
        """Forget the token, so that the next sign-in asks for the password. Raises ClientError."""
        self._kept = None
        if self._name is not None:
            self._tokens.forget(self._label, self._name)

    async def _by_token(self, channel: RequestChannel) -> events.Welcome | None:
        if self._name is None or (kept := self._find_token(self._name, channel)) is None:
            return None
        reply = await channel.request(requests.Resume(token=kept.token))
        match reply:
            case events.Welcome():
                return reply
            case events.Error(code=code) if code in _NO_TOKEN:
                self._questions.complain(reply.text)
                self._drop(self._name, kept.token)
                return None
            case events.Error():
                raise Later(reply.text, _BANNED_PAUSE if reply.code == Code.BANNED else 0)
        raise ClientError(UNREADABLE)

    def _find_token(self, name: str, channel: RequestChannel) -> Kept | None:
        if self._tokens.protect():
            self.warn(
                f"Others could read {self._tokens.path} and sign in as you; now they cannot. "
                "exit --forget ends the sign-in that they may have read."
            )
        for kept in self._kept, self._tokens.find(self._label, name):
            if kept is not None and kept.identity == channel.identity:
                return kept
            if kept is not None:
                self._questions.note(
                    f"the saved sign-in is from {self._label} with another certificate, or without TLS, and is not sent"
                )
        return None

    def _drop(self, name: str, token: str) -> None:
        self._kept = None
        try:
            self._tokens.forget(self._label, name, token)
        except ClientError as stop:
            self.warn(stop.text)

    async def _by_password(self, channel: RequestChannel) -> events.Welcome:
        if self._given is None and self._name is not None:
            self._questions.suggest(self._name)
        return await SignIn(channel, self._questions).run(self._given)
