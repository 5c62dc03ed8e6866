"""The shared log in PostgreSQL, as the core of one node uses it."""

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.interfaces.entry_codec import VERSION, UnknownEntry, version_of
from irchat.interfaces.log import Committed, LogBatch, TurnLost
from irchat.interfaces.writes import Write
from irchat.protocol.errors import Code, Refusal
from irchat.store.postgres.connecting import Connection, KeptConnection, one_line, refusal_while_away, refuse
from irchat.store.postgres.log.batches import CannotFollow, Commits, Reader
from irchat.store.postgres.log.positions import Head, Origin, Positions, head_of, is_same
from irchat.store.postgres.log.turns import Turns
from irchat.store.postgres.writes.writer import OutcomeUnknown, Writer, Written
from irchat.store.threads import FollowingThreads

# Seconds that a change waits for the turn before it is refused.
_PATIENCE_SECONDS = 2.0
# The commits that one `read` returns.
_COMMITS_MOST = 1_000
# A node that is further behind catches up before it takes a turn.
_BEHIND_MOST = 20_000
# Batches of one run count up from the start of the run, in 2**-20 ms by the clock of the database.
_FIRST_BATCH = """
SELECT greatest((extract(epoch FROM clock_timestamp()) * 1000)::bigint << 20, coalesce(max(batch), 0) + 1)
FROM log WHERE node = %s
"""
_HEAD = "SELECT pos, node, batch FROM log ORDER BY pos DESC LIMIT 1"
_FIND = "SELECT 1 FROM log WHERE pos = %s AND node = %s AND batch = %s"
# A write: its commit waits until it, and so every earlier commit, is on the disk and the standbys.
_CONFIRM = "UPDATE properties SET value = value WHERE name = 'version'"

_log = Logger()


class NodeLog(Positions):
    """A `irchat.interfaces.log.SharedLog`. ``on_stop`` is called with the reason if the node must end.

    ``went_back``: whether the database lost commits that this node had applied. ``has_turn``: whether the turn is taken
    and the core does not know it yet, so that all nodes wait for the reactor. ``on_time`` is called with the time of
    the database in ms, after each commit, in the writer's thread; ``on_commit`` with the position and the writes.
    ``known_version``: the version of the entries that all nodes know. Newer ones are refused until all are upgraded.
    """

    def __init__(self, threads: FollowingThreads, turns: Turns, follower: KeptConnection) -> None:
        super().__init__()
        self._threads = threads
        self._turns = turns
        self._follower = follower
        self._writer = Writer()
        self._head = 0
        self._reader = Reader(0, 0)
        self._batch = 0
        self._asking = False
        self._waiting_for_head: list[Deferred[Head]] = []
        self._resets = False
        self.went_back = self.has_turn = False
        self.known_version = VERSION
        self.on_news: Callable[[], None] = lambda: None
        self.on_reset: Callable[[], None] = lambda: None
        self.on_stop: Callable[[str], None] = lambda why: None
        self.on_commit: Callable[[int, Sequence[Write[object]]], None] = lambda position, writes: None
        self.on_time: Callable[[int], None] = lambda now: None

    def join(self, node: int, connection: Connection) -> None:
        """Commit as this node from now on. Raises psycopg.Error."""
        (self._batch,) = connection.execute(_FIRST_BATCH, (node,)).fetchone()  # type: ignore[misc]
        self._reader = Reader(node, self._batch)

    # As the core uses it

    def begin(self) -> Deferred[Sequence[LogBatch]]:
        """See `irchat.interfaces.log.SharedLog` for this and the following methods."""
        taking = self._threads.write(self._take, self.position, self.origin)
        return taking.addBoth(self._note_taken).addCallback(self._give).addErrback(self._not_read)

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[Committed]:
        return self._threads.write(self._commit, writes).addCallback(self._committed, writes).addErrback(refuse)

    def cancel(self) -> None:
        self._threads.write(self._turns.end).addErrback(lambda failure: _log.failure("a turn did not end", failure))

    def read(self) -> Deferred[Sequence[LogBatch]]:
        reading = self._threads.follow(self._read, self.position, self.origin)
        return reading.addCallback(self._give).addErrback(self._not_read)

    def caught_up(self) -> Deferred[None]:
        head: Deferred[Head] = Deferred()
        self._waiting_for_head.append(head)
        if not self._asking:
            self._ask_for_head()
        return head.addCallback(lambda head: self.reached(head.position))

    def commit_alone(self, writes: Sequence[Write[object]]) -> Deferred[list[object]]:
        """Commit ``writes`` without a core that follows the log, and count everything as applied."""

        def applied(done: tuple[Committed, Origin]) -> list[object]:
            committed = self._committed(done, writes)
            self.note_applied(committed.position)
            return committed.results

        return self._threads.write(self._commit_in_a_turn, writes).addCallback(applied).addErrback(refuse)

    def reset(self) -> None:
        """Let the core load everything again. Further calls do nothing until it has."""
        if not self._resets:
            self._resets = True
            try:
                self.on_reset()
            except Exception:
                _log.failure("the data cannot be loaded again")
                self._resets = False

    def begin_at(self, position: int, origin: Origin | None = None) -> None:
        self._resets = self.went_back = False
        super().begin_at(position, origin)

    # In the reactor's thread

    def _note_taken(self, taken: Commits | Failure) -> Commits | Failure:
        self.has_turn = False
        return taken

    def _give(self, found: Commits) -> Sequence[LogBatch]:
        for position, origin in found.origins.items():
            self.note_given(position, origin)
        if found.more:
            last = found.batches[-1].position
            self.reached(last).addCallbacks(lambda _: self.on_news(), lambda _: None)
        return found.batches

    def _committed(self, done: tuple[Committed, Origin], writes: Sequence[Write[object]]) -> Committed:
        committed, origin = done
        if committed.position > self.position:
            self.note_given(committed.position, origin)
            try:
                self.on_commit(committed.position, writes)
            except Exception:  # the commit is stored, so its changes must be answered
                _log.failure("a commit could not be announced")
        return committed

    def _not_read(self, failure: Failure) -> Failure:
        """Reset or stop a node that can no longer follow."""
        if isinstance(failure.value, CannotFollow):
            _log.error("{why}; the data is loaded again", why=str(failure.value))
            self.went_back = failure.value.went_back
            self.reset()
            raise refusal_while_away()
        if failure.check(UnknownEntry):
            self.on_stop(f"{failure.value}; upgrade this node")
            raise refusal_while_away()
        return refuse(failure)

    def _ask_for_head(self) -> None:
        self._asking = True
        waiting, self._waiting_for_head = self._waiting_for_head, []
        asking = self._threads.follow(self._follower.read, _head).addErrback(refuse)
        asking.addBoth(self._found_head, waiting)

    def _found_head(self, head: Head | Failure, waiting: list[Deferred[Head]]) -> None:
        self._asking = False
        if isinstance(head, Head) and head.position >= self.position and not self.is_at(head):
            self.on_news()
        for waiter in waiting:
            if isinstance(head, Head):
                waiter.callback(head)
            else:
                waiter.errback(head)
        if self._waiting_for_head and not self._asking:
            self._ask_for_head()

    # In the threads

    def _take(self, position: int, origin: Origin | None) -> Commits:
        head = self._turns.take(_PATIENCE_SECONDS)
        self._head = head.position
        found = Commits([], {}, False)
        if not is_same(head, position, origin):
            try:
                if self._head - position > _BEHIND_MOST:
                    raise refusal_while_away()
                found = self._reader.read(self._turns.connection, position, origin, self._head)
            except BaseException:
                self._turns.undo()
                raise
        self.has_turn = True
        return found

    def _read(self, position: int, origin: Origin | None) -> Commits:
        return self._follower.read(self._reader.read, position, origin, _COMMITS_MOST)

    def _commit(self, writes: Sequence[Write[object]]) -> tuple[Committed, Origin]:
        self._batch += 1
        origin = self._reader.node, self._batch
        position = self._head + len(writes)
        try:
            self._need_known(writes)
            written = self._writer.commit(self._turns.connection, self._head, origin, writes)
        except OutcomeUnknown as error:
            _log.warn("the connection broke during a commit; its outcome is looked up")
            self._turns.lose()
            if not self._is_stored(position, origin):
                raise TurnLost(str(error)) from None
            return Committed(position, error.results), origin
        except BaseException:
            self._turns.undo()
            raise
        return self._ended(written, position), origin

    def _need_known(self, writes: Sequence[Write[object]]) -> None:
        """Raise Refusal for an entry that stops an older node. During an upgrade, it must wait for the last node."""
        known = self.known_version
        if known < VERSION and any(version_of(type(write)) > known for write in writes):
            raise Refusal(
                Code.UNAVAILABLE, "The server is being upgraded, and not all of it knows this yet. Try again later."
            )

    def _ended(self, written: Written, position: int) -> Committed:
        if written.at is None:
            self._turns.end()
            return Committed(self._head, written.results)
        self._turns.note_committed()
        self.on_time(written.at)
        return Committed(position, written.results)

    def _is_stored(self, position: int, origin: Origin) -> bool:
        """Return whether a commit is in the log. Wait for the database as long as it takes.

        With the turn, the session that sent it has ended: the answer is final.
        """
        while True:
            try:
                self._turns.take(None)
            except Refusal:
                raise Refusal(
                    Code.UNAVAILABLE, "The server stopped before it knew whether this was saved. Look when it is back."
                ) from None
            try:
                found = self._turns.connection.execute(_FIND, (position, *origin)).fetchone() is not None
                if found:
                    self._turns.connection.execute(_CONFIRM)
                    self._turns.confirm()
                else:
                    self._turns.end()
                return found
            except Exception as error:
                _log.warn("a commit cannot be looked up: {error}", error=one_line(error))
                self._turns.lose()

    def _commit_in_a_turn(self, writes: Sequence[Write[object]]) -> tuple[Committed, Origin]:
        while True:
            self._head = self._turns.take(_PATIENCE_SECONDS).position
            try:
                return self._commit(writes)
            except TurnLost:
                continue


def _head(connection: Connection) -> Head:
    return head_of(connection.execute(_HEAD).fetchone())
