"""A log that several nodes of one process share, over one database. The test decides about delays and faults."""

import random
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from irchat.interfaces import stored
from irchat.interfaces.entry_codec import decode, encode, is_logged
from irchat.interfaces.log import Committed, LogBatch, TurnLost
from irchat.interfaces.store import PageQuery, SearchQuery, Store
from irchat.interfaces.stored import ChatKey, Page, Snapshot, Stored
from irchat.interfaces.writes import Entry, MessageAdded, NonceSought, Write
from irchat.protocol.errors import Refusal, unavailable

Given = TypeVar("Given")


class SharedDatabase:
    """The database of some nodes: what ``store`` holds, the log, and who has the turn.

    ``delay`` returns the seconds that a message to or from the database takes.
    """

    def __init__(self, store: Store, clock: IReactorTime, delay: Callable[[], float] = lambda: 0.0) -> None:
        self.store = store
        self.delay = delay
        self.commits: list[tuple[NodeLog, LogBatch]] = []
        self.nodes: list[NodeLog] = []
        self._clock = clock
        self._holder: NodeLog | None = None
        self._asking: deque[tuple[NodeLog, Callable[[], None]]] = deque()

    @property
    def head(self) -> int:
        """The position of the last commit."""
        return self.commits[-1][1].position if self.commits else 0

    def later(self, call: Callable[..., object], *args: object) -> None:
        """Carry a message."""
        seconds = self.delay()
        if seconds:
            self._clock.callLater(seconds, call, *args)
        else:
            call(*args)

    def ask_turn(self, node: "NodeLog", granted: Callable[[], None]) -> None:
        """Call ``granted`` when a node has the turn."""
        self._asking.append((node, granted))
        self._grant()

    def end_turn(self, node: "NodeLog | None" = None) -> None:
        """End the turn, if it is that of ``node``. Without one, take it away from whoever has it."""
        if node in (None, self._holder):
            self._holder = None
            self._grant()

    def append(self, node: "NodeLog", writes: Sequence[Write[object]]) -> Committed:
        """Commit writes."""
        (results,) = _now(self.store.commit(writes))
        entries = [Entry(write, result) for write, result in zip(writes, results, strict=True)]
        if all(isinstance(write, NonceSought) for write in writes):
            return Committed(self.head, results)
        position = self.head + len(writes)
        told = tuple(entry for entry in map(_as_read, entries) if entry is not None)
        self.commits.append((node, LogBatch(position, told)))
        for other in self.nodes:
            if other is not node:
                self.later(lambda other=other: other.on_news())
        return Committed(position, results)

    def after(self, position: int, node: "NodeLog", *, until_own: bool) -> list[LogBatch]:
        """Return the commits of other nodes after ``position``."""
        batches = []
        for author, batch in self.commits:
            if batch.position > position:
                if author is not node:
                    batches.append(batch)
                elif until_own:
                    break
        return batches

    def _grant(self) -> None:
        if self._holder is None and self._asking:
            self._holder, granted = self._asking.popleft()
            granted()


class NodeLog:
    """The shared log of one node.

    The next of its calls that are named in ``refusing`` are refused, and all of them while it ``is_cut`` off.
    """

    def __init__(self, database: SharedDatabase) -> None:
        self.on_news: Callable[[], None] = lambda: None
        self.on_reset: Callable[[], None] = lambda: None
        self.position = 0
        self.refusing: list[str] = []
        self.is_cut = False
        self._database = database
        self._expected = 0
        self._reached: list[tuple[int, Deferred[None]]] = []
        database.nodes.append(self)

    def begin(self) -> Deferred[Sequence[LogBatch]]:
        turn: Deferred[Sequence[LogBatch]] = Deferred()

        def granted() -> None:
            self._expected = self._database.head
            if self._is_refused("begin"):
                self._database.end_turn(self)
                self._database.later(turn.errback, unavailable())
                return
            self._database.later(turn.callback, self._database.after(self.position, self, until_own=False))

        self._database.later(self._database.ask_turn, self, granted)
        return turn

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[Committed]:
        done: Deferred[Committed] = Deferred()

        def arrived() -> None:
            answer: Any = None
            if self._expected != self._database.head:
                answer = TurnLost()
            elif self._is_refused("commit"):
                answer = unavailable()
            else:
                answer = self._database.append(self, writes)
            self._database.end_turn(self)
            self._database.later(done.callback if isinstance(answer, Committed) else done.errback, answer)

        self._database.later(arrived)
        return done

    def cancel(self) -> None:
        self._database.later(self._database.end_turn, self)

    def read(self) -> Deferred[Sequence[LogBatch]]:
        batches: Deferred[Sequence[LogBatch]] = Deferred()

        def arrived() -> None:
            if self._is_refused("read"):
                self._database.later(batches.errback, unavailable())
            else:
                found = self._database.after(self.position, self, until_own=True)
                self._database.later(batches.callback, found)

        self._database.later(arrived)
        return batches

    def note_applied(self, position: int) -> None:
        assert position in (self.position, *(batch.position for _, batch in self._database.commits))
        assert position >= self.position, "positions are applied in order"
        self.position = position
        reached = [done for wanted, done in self._reached if wanted <= position]
        self._reached = [(wanted, done) for wanted, done in self._reached if wanted > position]
        for done in reached:
            done.callback(None)

    def caught_up(self) -> Deferred[None]:
        return self.answered(lambda: None)

    def answered(self, ask: Callable[[], Given]) -> Deferred[Given]:
        """Return the result of a read, when this node has applied everything in its snapshot."""
        done: Deferred[Given] = Deferred()

        def arrived() -> None:
            given, position = ask(), self._database.head
            self._database.later(lambda: self._when_reached(position).addCallback(lambda _: done.callback(given)))

        self._database.later(arrived)
        return done

    def _when_reached(self, position: int) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        if position <= self.position:
            done.callback(None)
        else:
            self._reached.append((position, done))
            self._database.later(self.on_news)
        return done

    def _is_refused(self, call: str) -> bool:
        if self.is_cut:
            return True
        if call in self.refusing:
            self.refusing.remove(call)
            return True
        return False


class NodeStore:
    """The store of one node of a shared database."""

    def __init__(self, database: SharedDatabase) -> None:
        self.epoch = database.store.epoch
        self.log = NodeLog(database)
        self._database = database
        self._store = database.store

    def snapshot(self) -> Snapshot:
        self.log.position = self._database.head
        return self._store.snapshot()

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[list[object]]:
        raise AssertionError("commits go through the log")

    def page(self, query: PageQuery) -> Deferred[Page]:
        return self._ask(lambda: self._store.page(query))

    def place(self, user: int, chat: ChatKey, at: int) -> Deferred[int]:
        return self._ask(lambda: self._store.place(user, chat, at))

    def chats(self, user: int, hidden: Collection[int]) -> Deferred[list[stored.StoredChat]]:
        return self._ask(lambda: self._store.chats(user, hidden))

    def search(self, query: SearchQuery) -> Deferred[Any]:
        return self._ask(lambda: self._store.search(query))

    def alert(self, user: int, chat: ChatKey) -> Deferred[str | None]:
        return self._ask(lambda: self._store.alert(user, chat))

    def password(self, user: int) -> Deferred[str | None]:
        return self._ask(lambda: self._store.password(user))

    def token(self, token: bytes) -> Deferred[stored.StoredToken | None]:
        return self._ask(lambda: self._store.token(token))

    def keys(self, user: int) -> Deferred[list[stored.StoredKey]]:
        return self._ask(lambda: self._store.keys(user))

    def sign_ins(self, user: int, limit: int) -> Deferred[list[stored.StoredSignIn]]:
        return self._ask(lambda: self._store.sign_ins(user, limit))

    def accounts(self, after: str, limit: int) -> Deferred[list[stored.StoredAccount]]:
        return self._ask(lambda: self._store.accounts(after, limit))

    def messages_of(self, user: int, after: tuple[int, int] | None, limit: int) -> Deferred[stored.Places]:
        return self._ask(lambda: self._store.messages_of(user, after, limit))

    def marks_of(self, users: Collection[int], limit: int) -> Deferred[list[stored.PlacedMark]]:
        return self._ask(lambda: self._store.marks_of(users, limit))

    def figures(self) -> Deferred[stored.Figures]:
        return self._ask(self._store.figures)

    def close(self) -> None:
        pass

    def _ask(self, ask: Callable[[], Deferred[Given]]) -> Deferred[Given]:
        def answer() -> Given:
            (given,) = _now(ask())
            return given

        return self.log.answered(answer)


def random_delay(seed: int, most: float = 0.05) -> Callable[[], float]:
    """Return delays that are often none, and up to ``most`` seconds."""
    draw = random.Random(seed)
    return lambda: draw.choice([0.0, 0.0, draw.uniform(0, most / 10), draw.uniform(0, most)])


def _as_read(entry: Entry) -> Entry | None:
    """Return an entry as other nodes read it: a message from its table, the rest from bytes."""
    write, result = entry.write, entry.result
    if isinstance(write, MessageAdded):
        assert isinstance(result, Stored)
        message = MessageAdded(result.chat, write.sender, write.text, result.at, None, 0, notice=write.notice)
        return None if result.repeated else Entry(message, result)
    return decode(encode(entry)) if is_logged(entry) else None


def _now(asked: Deferred[Given]) -> list[Given]:
    """Return the result of a call of a store that answers at once."""
    given: list[Given] = []
    asked.addCallback(given.append)
    asked.addErrback(lambda failure: failure.trap(Refusal))
    return given
