"""Public keys of users, which sign them in over SSH. Signatures are verified by the process that speaks SSH."""

from collections.abc import Callable, Iterable, Sequence

from irchat.chat.accounts.sign_ins import OwnWrite, token_digest
from irchat.chat.changes import Unchecked
from irchat.chat.commits import CommitQueue
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.interfaces.bus import sign_in_id
from irchat.interfaces.store import Store
from irchat.interfaces.stored import StoredKey
from irchat.interfaces.writes import KeyAdded, KeyRemoved
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.public_keys import KEYS_OF_USER, PublicKey
from irchat.system.clock import rfc3339

_GOODBYE = "the key that signed you in was removed"


class Vouched:
    """The tokens of sign-ins by key: valid on this server alone, and never stored."""

    def __init__(self) -> None:
        self._by_digest: dict[bytes, tuple[User, str]] = {}

    def keep(self, digest: bytes, user: User, fingerprint: str) -> None:
        """Keep a token, by its hash, with its user and key."""
        self._by_digest[digest] = user, fingerprint

    def find(self, digest: bytes) -> tuple[User, str] | None:
        """Return the user and the key of a token, or None."""
        return self._by_digest.get(digest)

    def forget(self, tokens: Iterable[str]) -> None:
        """Forget tokens."""
        for token in tokens:
            self._by_digest.pop(token_digest(token), None)


class UserKeys:
    """The keys of all users."""

    def __init__(self, directory: Directory, queue: CommitQueue, store: Store, wall_ms: Callable[[], int]) -> None:
        self._directory = directory
        self._queue = queue
        self._store = store
        self._wall_ms = wall_ms

    async def listed(self, user: User, offered: Sequence[PublicKey] = ()) -> events.Keys:
        """Return the keys of a user, and those of ``offered`` that can be added."""
        keys = await self._store.keys(user.id)
        known = {key.blob for key in keys}
        return events.Keys(
            keys=[
                events.Key(
                    number=number,
                    kind=key.kind,
                    fingerprint=key.fingerprint,
                    comment=key.comment,
                    added=rfc3339(key.added_at),
                    used=None if key.used_at is None else rfc3339(key.used_at),
                )
                for number, key in enumerate(keys, 1)
            ],
            offered=[
                events.OfferedKey(number=number, kind=key.kind, fingerprint=key.fingerprint)
                for number, key in enumerate(offered, 1)
                if key.blob not in known
            ],
        )

    async def is_of(self, name: str, blob: bytes) -> bool:
        """Return whether a key signs in the user called ``name``."""
        if self._store.log is not None:
            await self._store.log.caught_up()
        user = self._directory.find_user(name)
        return user is not None and any(key.blob == blob for key in await self._store.keys(user.id))

    async def add(self, user: User, key: PublicKey) -> None:
        """Add a key. Raises Refusal ``too-many``."""
        write = KeyAdded(user.id, key.kind, key.blob, key.fingerprint, key.comment, self._wall_ms(), KEYS_OF_USER)
        if not await self._queue.submit(OwnWrite(user, None, write, self._directory)):
            raise Refusal(Code.TOO_MANY, f"The limit of {KEYS_OF_USER} keys is reached. !keys remove ends one.")

    async def remove(self, user: User, number: int | None, fingerprint: str | None) -> None:
        """Remove a key, by its number in the list or its fingerprint. Raises Refusal ``bad-request``."""
        if fingerprint is None:
            key = self._numbered(await self._store.keys(user.id), number)
            fingerprint = key.fingerprint
        sign_in = sign_in_id(token_digest(fingerprint))
        if not await self._queue.submit(_RemoveKey(user, None, KeyRemoved(user.id, fingerprint, sign_in, _GOODBYE))):
            raise _no_such_key()

    def _numbered(self, keys: Sequence[StoredKey], number: int | None) -> StoredKey:
        if number is None or not 1 <= number <= len(keys):
            raise _no_such_key()
        return keys[number - 1]


class _RemoveKey(Unchecked[bool]):
    """Remove a key. The state machine ends its sessions."""

    alone = True


def _no_such_key() -> Refusal:
    return Refusal(Code.BAD_REQUEST, "You have no such key. !keys lists them with their numbers.")
