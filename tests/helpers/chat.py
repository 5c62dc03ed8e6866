"""A chat with a real store and a manual clock that records all publications, for tests of the core."""

from collections.abc import Callable, Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.local_bus import LocalBus
from irchat.chat.read_state import TimedPage
from irchat.chat.service import ChatService
from irchat.chat.state.entities import User
from irchat.chat.timed.timed_replies import TimedSent
from irchat.interfaces.bus import Publication
from irchat.interfaces.store import PageQuery, SearchQuery, Store
from irchat.interfaces.stored import ChatKey, Page, Snapshot, StoredChat, StoredToken
from irchat.interfaces.writes import Entry, UserCreated, Write
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal, unavailable
from irchat.protocol.rules import fold_name
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads

Given = TypeVar("Given")

BEGIN_MS = 1_795_356_000_000


class HeldStore:
    """A store in front of another one. While ``holding``, commits and pages wait for `let_through`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.epoch = store.epoch
        self.log = store.log
        self.holding = False
        self.commits: list[list[Write[object]]] = []
        self._waiting: list[tuple[Callable[[], Deferred[Any]], Deferred[Any]]] = []

    def let_through(self) -> None:
        """Run the waiting calls. Calls that follow from them wait again."""
        waiting, self._waiting = self._waiting, []
        for call, done in waiting:
            call().chainDeferred(done)

    def fail(self, error: Exception | None = None) -> None:
        """Fail the waiting calls."""
        waiting, self._waiting = self._waiting, []
        for _, done in waiting:
            done.errback(error or unavailable())

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[list[object]]:
        self.commits.append(list(writes))
        return self._hold(lambda: self.store.commit(writes))

    def page(self, query: PageQuery) -> Deferred[Page]:
        return self._hold(lambda: self.store.page(query))

    def place(self, user: int, chat: ChatKey, at: int) -> Deferred[int]:
        return self._hold(lambda: self.store.place(user, chat, at))

    def chats(self, user: int, hidden: Collection[int]) -> Deferred[list[StoredChat]]:
        return self._hold(lambda: self.store.chats(user, hidden))

    def search(self, query: SearchQuery) -> Deferred[Any]:
        return self._hold(lambda: self.store.search(query))

    def alert(self, user: int, chat: ChatKey) -> Deferred[str | None]:
        return self._hold(lambda: self.store.alert(user, chat))

    def password(self, user: int) -> Deferred[str | None]:
        return self._hold(lambda: self.store.password(user))

    def token(self, token: bytes) -> Deferred[StoredToken | None]:
        return self._hold(lambda: self.store.token(token))

    def keys(self, user: int) -> Deferred[Any]:
        return self._hold(lambda: self.store.keys(user))

    def sign_ins(self, user: int, limit: int) -> Deferred[Any]:
        return self._hold(lambda: self.store.sign_ins(user, limit))

    def accounts(self, after: str, limit: int) -> Deferred[Any]:
        return self._hold(lambda: self.store.accounts(after, limit))

    def messages_of(self, user: int, after: tuple[int, int] | None, limit: int) -> Deferred[Any]:
        return self._hold(lambda: self.store.messages_of(user, after, limit))

    def marks_of(self, users: Collection[int], limit: int) -> Deferred[Any]:
        return self._hold(lambda: self.store.marks_of(users, limit))

    def figures(self) -> Deferred[Any]:
        return self._hold(self.store.figures)

    def snapshot(self) -> Snapshot:
        return self.store.snapshot()

    def close(self) -> None:
        self.store.close()

    def _hold(self, call: Callable[[], Deferred[Given]]) -> Deferred[Given]:
        if not self.holding:
            return call()
        done: Deferred[Given] = Deferred()
        self._waiting.append((call, done))
        return done


class World:
    """A chat service of users with accounts, in the database ``folder`` / ``irchat.db``."""

    def __init__(self, folder: Path, names: Sequence[str] = ()) -> None:
        self.folder = folder
        self.clock = Clock()
        self.ms = BEGIN_MS
        self.published: list[Publication] = []
        self.asides: list[Publication] = []
        self.presence: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._open()
        for name in names:
            self.add_user(name)

    def _open(self) -> None:
        self.store = self._new_store()
        bus = LocalBus()
        bus.subscribe(self.published.extend, self.asides.extend)
        self.chat = ChatService(
            self.store,
            bus,
            lambda name, is_online: self.presence.append(("+" if is_online else "-") + name),
            self.clock,
            self.wall_ms,
        )
        self.directory = self.chat.directory

    def _new_store(self) -> Any:
        return HeldStore(SQLiteStore(self.folder / "irchat.db", NoThreads(), self.wall_ms))

    def restart(self) -> None:
        """Close the store and restart from the disk. Nobody is online."""
        self.store.close()
        self._open()

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def wall_ms(self) -> int:
        """Return the wall clock time."""
        return self.ms

    def pass_time(self, seconds: float) -> None:
        """Advance both clocks."""
        self.ms += int(seconds * 1000)
        self.clock.advance(seconds)

    def add_user(self, name: str) -> User:
        """Create an account."""
        made: list[list[Any]] = []
        write = UserCreated(name, fold_name(name), None, self.ms, None)
        self.store.store.commit([write]).addCallback(made.append)
        self.directory.apply(Entry(write, made[0][0]))
        return self[name]

    def enter(self, name: str, session: int = 1) -> None:
        """Begin a session of the user."""
        self.chat.presence.enter(self[name].id, session)

    def leave(self, name: str, session: int = 1) -> None:
        """End a session of the user."""
        self.chat.presence.leave(self[name].id, session)

    def __getitem__(self, name: str) -> User:
        return self.directory.user(name)

    def told(self, name: str, session: int | None = None) -> list[events.Event]:
        """Return the publications that reach a session of the user, in order."""
        return self.told_to(self[name].id, session)

    def told_to(self, user: int, session: int | None = None) -> list[events.Event]:
        """Return the publications that reach a session of the user with this id, in order."""
        told = []
        for publication in self.published:
            if publication.audience is not None and user not in publication.audience:
                continue
            if session is not None and publication.origin == session:
                continue
            if user not in publication.hidden:
                told.append(publication.event)
            elif publication.instead is not None and user in publication.instead:
                told.append(publication.instead[user])
        return told

    def texts(self, name: str) -> list[str]:
        """Return the texts of the messages published to the user."""
        return [event.text for event in self.told(name) if isinstance(event, events.Message)]

    def send(
        self,
        name: str,
        chat: str,
        text: str = "hi",
        *,
        expires_in: int | None = None,
        nonce: str | None = None,
        origin: int | None = None,
        chat_id: str | None = None,
        is_notice: bool = False,
    ) -> Deferred[events.Sent]:
        """Send a message."""
        change = self.chat.messages.to_send(
            self[name], chat, text, expires_in=expires_in, nonce=nonce, origin=origin, chat_id=chat_id,
            is_notice=is_notice,
        )  # fmt: skip
        return self.chat.queue.submit(change).addCallback(self.said)

    def amend(self, name: str, chat: str, seq: int | None = None, text: str | None = None, **how: Any) -> Deferred[Any]:
        """Edit a message or, without ``text``, delete it."""
        how.setdefault("delete", text is None)
        change = self.chat.amendments.to_amend(self[name], chat, seq=seq, text=text, **how)
        return self.chat.queue.submit(change)

    def amend_last(self, name: str, chat: str, text: str | None = None, **how: Any) -> Deferred[Any]:
        """Edit the user's last message or, without ``text``, take it back."""
        return self.chat.queue.submit(self.chat.amendments.to_amend_last(self[name], chat, text, **how))

    def mark(
        self, name: str, chat: str, seq: int, mark: str = "ok", on: bool | None = True, **how: Any
    ) -> Deferred[Any]:
        """Put a mark on a message, or take it off."""
        return self.chat.queue.submit(self.chat.amendments.to_mark(self[name], chat, seq, mark, on, **how))

    def history(self, name: str, chat: str, **how: Any) -> Deferred[events.History]:
        """Read a page."""
        asked = ensureDeferred(self.chat.reading.history(self[name], chat, **{"limit": 50, **how}))
        return asked.addCallback(self.said)

    def said(self, reply: Any) -> Any:
        """Return a reply as encoded now."""
        return reply.event(self.clock.seconds()) if isinstance(reply, TimedPage | TimedSent) else reply

    def search(
        self, name: str, words: str, chat: str | None = None, limit: int = 50, **how: Any
    ) -> Deferred[events.Found]:
        """Search."""
        return ensureDeferred(self.chat.reading.search(self[name], words, chat, limit, **how))

    def chats(self, name: str) -> Deferred[events.Chats]:
        """List chats."""
        return ensureDeferred(self.chat.reading.chats(self[name]))


class WorldTestCase(SynchronousTestCase):
    """A test in a world with the users ``names``. All are online except those in ``away``."""

    names: Sequence[str] = ("alice", "bob", "carol")
    away: Sequence[str] = ()

    def setUp(self) -> None:
        """Create the world."""
        self.world = self.new_world(self.names)
        for name in self.names:
            if name not in self.away:
                self.world.enter(name)

    def new_world(self, names: Sequence[str] = ()) -> World:
        """Create another world."""
        world = World(Path(self.mktemp()), names)
        self.addCleanup(world.close)
        return world

    def done(self, asked: "Deferred[Given] | Coroutine[Any, Any, Given]") -> Given:
        """Check that a request succeeded."""
        return self.successResultOf(asked)

    def refused(self, code: Code, ask: "Callable[..., Any]", *args: Any, **kwargs: Any) -> Refusal:
        """Check that a request is refused with ``code``, immediately or by its Deferred."""
        try:
            asked = ask(*args, **kwargs)
        except Refusal as raised:
            refusal = raised
        else:
            refusal = self.failureResultOf(asked, Refusal).value
        self.assertEqual(refusal.code, code)
        return refusal

    def said(self, name: str, chat: str, **how: Any) -> list[str]:
        """Return the texts of a page."""
        return [message.text for message in self.done(self.world.history(name, chat, **how)).messages]

    def found(self, name: str, words: str, chat: str | None = None) -> list[str]:
        """Return the texts that a search finds."""
        return [message.text for message in self.done(self.world.search(name, words, chat)).messages]

    def unread(self, name: str) -> dict[str, int]:
        """Return the unread counts of all chats of the user that have or had visible messages."""
        listed = self.done(self.world.chats(name)).chats
        return {chat.chat: chat.unread for chat in listed if chat.last_at is not None}

    def group(self, name: str, *members: str) -> events.Group:
        """Create a group owned by the first of ``members``."""
        owner, *others = members
        return self.done(self.world.chat.groups.create(self.world[owner], name, others, None))

    def block(self, blocker: str, blocked: str, on: bool | None = True) -> events.Blocks:
        """Let one user block another."""
        return self.done(self.world.chat.blocks.block(self.world[blocker], blocked, on, None))
