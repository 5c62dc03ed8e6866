"""The sign-ins of a user: the tokens, listed and ended by their user, and tokens that an administrator creates."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from irchat.chat.changes import Change, Result, Unchecked
from irchat.chat.commits import CommitQueue
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.chat.state.presence import Presence
from irchat.interfaces.bus import Publication, sign_in_id
from irchat.interfaces.store import Store
from irchat.interfaces.stored import StoredSignIn
from irchat.interfaces.writes import OtherSignInsEnded, SignInEnded, TokenAdded, Write
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import LABEL_LENGTH, SIGN_INS_MAX, shown
from irchat.system.clock import rfc3339

_TOKEN_BYTES = 32
_ENDED = "you ended this session from another one"


def new_token() -> str:
    """Return a random token."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_digest(token: str) -> bytes:
    """Hash a token. It has 256 random bits, so one round of SHA-256 protects it from readers of the database."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass(eq=False, repr=False)
class SignIns:
    """Lists and ends the sign-ins of a user. A sign-in is a token, and the sessions that are signed in with it."""

    directory: Directory
    queue: CommitQueue
    presence: Presence
    store: Store
    wall_ms: Callable[[], int]

    async def add_labelled(self, name: str, label: str) -> str:
        """Create a token for the user called ``name`` on behalf of the administrator, and return it.

        It does not expire. Everything else that ends tokens ends it. Raises Refusal ``no-such-user``, or
        ``bad-request`` for an invalid label.
        """
        label = label.strip()
        if not 1 <= len(label) <= LABEL_LENGTH:
            raise Refusal(Code.BAD_REQUEST, f"A label has 1 to {LABEL_LENGTH} characters. Choose another one.")
        token = new_token()
        await self.queue.submit(_AddLabelled(None, None, self, name, shown(label, LABEL_LENGTH), token_digest(token)))
        return token

    async def listed(self, user: User, token: bytes | None) -> events.Sessions:
        """Return the sign-ins of ``user``, oldest first. ``token``: that of the asking session, if it has one."""
        found = await self.store.sign_ins(user.id, SIGN_INS_MAX + 1)
        online = Counter(self.presence.sign_ins(user.id))
        found, more = found[:SIGN_INS_MAX], len(found) > SIGN_INS_MAX
        found.sort(key=lambda one: (one.created_at or 0, one.used_at, one.token))
        rows = [_row(one, online, token) for one in found]
        in_list = sum(online[row.id] for row in rows)
        return events.Sessions(rows, more, max(0, self.presence.count(user.id) - in_list))

    async def end(self, user: User, sign_in: str) -> None:
        """End a sign-in of ``user`` by its id. Raises Refusal ``bad-request`` if there is none with that id."""
        tokens = await self.store.sign_ins(user.id, SIGN_INS_MAX)
        token = next((one.token for one in tokens if sign_in_id(one.token) == sign_in), None)
        if token is None:
            raise Refusal(Code.BAD_REQUEST, "There is no such session, or it has ended. !sessions lists your sessions.")
        write = SignInEnded(user.id, token, sign_in, _ENDED)
        await self.queue.submit(_EndSignIns(user, None, write, self.directory))

    def end_others(self, user: User, keep: bytes | None, origin: int) -> Deferred[None]:
        """End all sign-ins and sessions of ``user`` except the token ``keep`` and the session ``origin``."""
        write = OtherSignInsEnded(user.id, keep, _ENDED)
        return self.queue.submit(_EndSignIns(user, origin, write, self.directory))


def _row(one: StoredSignIn, online: Counter[str], token: bytes | None) -> events.ListedSession:
    sign_in = sign_in_id(one.token)
    return events.ListedSession(
        id=sign_in,
        since=None if one.created_at is None else rfc3339(one.created_at),
        used=rfc3339(one.used_at),
        label=one.label or "",
        online=sign_in in online,
        this=one.token == token,
    )


@dataclass(eq=False, repr=False)
class _AddLabelled(Change[None, None]):
    sign_ins: SignIns
    name: str
    label: str
    token: bytes

    def check(self) -> TokenAdded:
        user = self.sign_ins.directory.user(self.name)
        return TokenAdded(self.token, user.id, self.sign_ins.wall_ms(), label=self.label)

    def reply(self, result: None, publications: list[Publication]) -> None:
        """Return None."""


@dataclass(eq=False, repr=False)
class OwnWrite(Unchecked[Result]):
    """A write about the account of ``by``, refused if the account was removed in the meantime."""

    by: User
    directory: Directory

    def check(self) -> Write[Result]:
        self.directory.refuse_removed(self.by)
        return self.write


@dataclass(eq=False, repr=False)
class _EndSignIns(OwnWrite[None]):
    """The state machine ends the sessions."""

    alone = True
