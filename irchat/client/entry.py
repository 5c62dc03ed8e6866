"""Signing in on the full screen: by the token that was kept, or else by name and password."""

from collections.abc import Callable

from irchat import events, requests
from irchat.client.questions import Questions
from irchat.client.session import Session
from irchat.client.signin import SignIn
from irchat.client.stop import Stop
from irchat.client.tokens import Tokens
from irchat.errors import Code


class Entry:
    """Signs sessions in at the server ``label``, as ``name``, or as who used it last.

    ``trouble`` is told what does not keep the user from signing in.
    """

    def __init__(
        self, tokens: Tokens, label: str, name: str | None, questions: Questions, trouble: Callable[[str], None]
    ) -> None:
        self._tokens = tokens
        self._label = label
        self._given = name
        self._name = name or tokens.last_name(label)
        self._questions = questions
        self._trouble = trouble

    async def sign_in(self, session: Session) -> events.Welcome:
        """Sign the session in. Raises Stop."""
        welcome = await self._by_token(session) or await self._by_password(session)
        self._name = self._given = welcome.name
        try:
            self._tokens.keep(self._label, welcome.name, welcome.token)
        except Stop as stop:
            self._trouble(stop.text)
        return welcome

    def forget(self) -> None:
        """The next sign-in is to ask for the password. Raises Stop."""
        if self._name is not None:
            self._tokens.forget(self._label, self._name)

    async def _by_token(self, session: Session) -> events.Welcome | None:
        token = None if self._name is None else self._tokens.find(self._label, self._name)
        if self._name is None or token is None:
            return None
        reply = await session.request(requests.Resume(token=token))
        if isinstance(reply, events.Error) and reply.code == Code.BAD_TOKEN:
            self._tokens.forget(self._label, self._name)
        return reply if isinstance(reply, events.Welcome) else None

    async def _by_password(self, session: Session) -> events.Welcome:
        if self._given is None and self._name is not None:
            self._questions.suggest(self._name)
        return await SignIn(session, self._questions).run(self._given)
