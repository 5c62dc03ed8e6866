"""Turns: the lock that a node holds while it checks and appends a commit. PostgreSQL keeps it.

No node can keep it for long: a waiting node ends the session of the holder if that session has been idle for half a
second. The commit of the holder then fails as a whole.
"""

import threading
import time
from collections.abc import Callable

import psycopg
from twisted.logger import Logger

from irchat.interfaces.log import TurnLost
from irchat.store.postgres.connecting import Connection, KeptConnection, is_away, one_line, refusal_while_away
from irchat.store.postgres.locks import TURN
from irchat.store.postgres.log.positions import Head, head_of
from irchat.system.seldom import SeldomLog

# Seconds for which a node waits for the lock before it looks at the holder.
_LOCK_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
# Seconds for the answer to a request for the turn, after the wait for the lock, and to a statement of a commit.
_ANSWER_SECONDS = 2.0
_COMMIT_SECONDS = 20.0

# One packet, so that the session of a node that hangs becomes idle. The last statement sees all earlier commits: each
# is visible before its lock is released.
_TAKE = (
    "BEGIN; SET LOCAL lock_timeout = '{ms}ms'; SELECT pg_advisory_xact_lock({lock});"
    " SELECT pos, node, batch FROM log ORDER BY pos DESC LIMIT 1"
)
# A session that waits for its client can also be "active", between the parts of one statement.
_END_HOLDER = f"""
SELECT pid, pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND classid = 0 AND objid = {TURN} AND objsubid = 1 AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND wait_event = 'ClientRead' AND clock_timestamp() - state_change > interval '0.5 s' AND pid != pg_backend_pid()
"""

_log = Logger()
_seldom = SeldomLog(_log)


class Turns:
    """Takes turns on the connection ``kept``, in the writer's thread. ``clock`` returns seconds."""

    def __init__(self, kept: KeptConnection, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept = kept
        self._clock = clock
        self._closing = threading.Event()
        self._held: Connection | None = None
        self._taken_at = 0.0
        # Statistics: the turns so far, and the seconds spent waiting for and holding them. Any thread may read them.
        self.count = 0
        self.wait_seconds = self.hold_seconds = 0.0

    def take(self, patience: float | None) -> Head:
        """Take the turn. Return the end of the log.

        Raises Refusal ``unavailable`` if that takes longer than ``patience`` seconds, if given.
        """
        began = self._clock()
        while True:
            left = _LOCK_SECONDS if patience is None else began + patience - self._clock()
            if self._closing.is_set():
                raise refusal_while_away()
            try:
                head = self._try_to_take(min(max(left, 0.01), _LOCK_SECONDS))
            except psycopg.errors.LockNotAvailable:
                self._end_holder()
            except Exception as error:
                self.lose()
                if not is_away(error):
                    raise
                if left <= 0:
                    _seldom.error(f"the database cannot be used: {one_line(error)}")
                else:
                    self._closing.wait(_PAUSE_SECONDS)
            else:
                self.count += 1
                self._taken_at = self._clock()
                self.wait_seconds += self._taken_at - began
                return head
            if left <= 0:
                raise refusal_while_away()

    @property
    def connection(self) -> Connection:
        """The connection that has the turn. Raises TurnLost if it is closed."""
        if self._held is None or self._held.closed:
            raise TurnLost("the connection broke")
        return self._held

    def end(self) -> None:
        """End the turn without a commit. Prepared statements stay, which a ROLLBACK would drop."""
        self._finish("COMMIT")

    def undo(self) -> None:
        """Undo all statements of the turn, and end it."""
        self._finish("ROLLBACK")

    def confirm(self) -> None:
        """Commit the statements of the turn. Raises psycopg.Error."""
        self.connection.execute("COMMIT")
        self._let_go()

    def note_committed(self) -> None:
        """Note that a commit has ended the turn."""
        self._let_go()

    def lose(self) -> None:
        """Close the connection, which ends the turn."""
        self._let_go()
        self._kept.drop()

    def close(self) -> None:
        """Stop waiting. Any thread may call it."""
        self._closing.set()

    def _try_to_take(self, seconds: float) -> Head:
        connection = self._kept.get()
        connection.limit = seconds + _ANSWER_SECONDS
        cursor = connection.execute(_TAKE.format(ms=max(1, int(seconds * 1000)), lock=TURN))
        while cursor.nextset():
            pass
        head = head_of(cursor.fetchone())
        connection.limit = _COMMIT_SECONDS
        self._held = connection
        return head

    def _end_holder(self) -> None:
        """End the session that has the turn, if it has been idle for too long."""
        try:
            connection = self._kept.get()
            connection.execute("ROLLBACK")
            for pid, _ in connection.execute(_END_HOLDER):
                _log.warn("the turn was taken away from a node that hangs (process {pid} of the database)", pid=pid)
        except psycopg.Error:
            self.lose()

    def _finish(self, how: str) -> None:
        held = self._held
        if held is None:
            return
        try:
            held.execute(how)
        except psycopg.Error:
            self._kept.drop()
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held = None
            self.hold_seconds += self._clock() - self._taken_at
