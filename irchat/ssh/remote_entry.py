"""Sign in the user of a session: by the identity proved at SSH, or by the dialogue of the client."""

from collections.abc import Callable

from irchat.client.connect.dialogue import Dialogue
from irchat.client.connect.request_channel import UNREADABLE, RequestChannel
from irchat.client.connect.sign_in import SignIn
from irchat.client.exceptions import ClientError, Later
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from irchat.ssh.identity import Identity

# Refusals of a token that ends with the key or the password.
_OVER = (Code.BAD_TOKEN, Code.BAD_CREDENTIALS, Code.BANNED)
_NOT_ANY_LONGER = "Your sign-in is no longer valid. Connect again."


class RemoteEntry:
    """The sign-in of one session. Its token is kept in memory alone.

    ``questions`` ask a guest. ``is_last`` returns whether no other session of the connection uses the token of
    ``identity``. ``on_signed_in`` is called after the first sign-in, ``on_over`` if there can be no other one.
    """

    def __init__(
        self,
        identity: Identity,
        questions: Dialogue | None,
        is_last: Callable[[], bool],
        on_signed_in: Callable[[], None],
        on_over: Callable[[ClientError], None],
    ) -> None:
        self.is_signed_in = False
        self._identity = identity
        self._questions = questions
        self._is_last = is_last
        self._on_signed_in = on_signed_in
        self._on_over = on_over
        self._token = identity.token

    @property
    def is_temporary(self) -> bool:
        """Whether the token ends when the user leaves."""
        return not self._identity.token or self._is_last()

    async def sign_in(self, channel: RequestChannel) -> events.Welcome:
        """Sign in on a channel. Raises ClientError, or Later if the server refuses temporarily."""
        if self._token:
            welcome = await self._resume(channel)
        elif self._identity.fingerprint:
            vouch = requests.Vouch(user=self._identity.user, fingerprint=self._identity.fingerprint)
            welcome = self._read(await channel.request(vouch))
        else:
            assert self._questions is not None
            self._questions.suggest(self._identity.user)
            welcome = await SignIn(channel, self._questions).run(None)
        self._token = welcome.token
        if not self.is_signed_in:
            self.is_signed_in = True
            self._on_signed_in()
        return welcome

    def forget(self) -> None:
        """Do nothing: nothing of the sign-in is kept."""

    async def _resume(self, channel: RequestChannel) -> events.Welcome:
        return self._read(await channel.request(requests.Resume(token=self._token)))

    def _read(self, reply: object) -> events.Welcome:
        if isinstance(reply, events.Welcome):
            return reply
        if not isinstance(reply, events.Error):
            raise ClientError(UNREADABLE)
        if reply.code not in _OVER:
            raise Later(reply.text)
        stop = ClientError(reply.text if reply.code == Code.BANNED else _NOT_ANY_LONGER)
        self._on_over(stop)
        raise stop
