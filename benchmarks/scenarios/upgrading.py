"""The upgrade of a database with millions of messages from before messages could be changed."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.bench import Bench, Curve, Row, against
from irchat.store.sqlite.migrations import SCRIPTS
from irchat.system.files.data_folder import DATABASE_FILE

# The last version whose messages could not be changed.
_OLDER = 5
_USERS = 200
_AT = 1_760_000_000_000  # ms since the epoch, of the first message
_MEMORY_MOST = 64
_FILL = (
    "INSERT INTO users (name, key, created_at) WITH RECURSIVE k (n) AS"
    " (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < :users) SELECT 'u' || n, 'u' || n, 5 FROM k",
    "INSERT INTO members (user, chat, standing, since_seq, read_seq) SELECT id, 1, 0, 0, 0 FROM users",
    "INSERT INTO messages (chat, seq, id, sender, at, text) WITH RECURSIVE k (n) AS"
    " (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < :messages)"
    " SELECT 1, n, n, 1 + n % :users, :at + n * 10, 'a text of some words, with the number ' || n FROM k",
    "INSERT INTO message_places (id, chat, seq) SELECT id, chat, seq FROM messages",
    "UPDATE chats SET last_seq = :messages, last_at = :at + :messages * 10",
)
# Runs in a process of its own. Prints the seconds, its most memory in KiB, and how many reports of progress came.
_UPGRADE = """
import json, re, sqlite3, sys, time
from pathlib import Path
from irchat.store.sqlite.migrations import migrate
told = []
path = Path(sys.argv[1])
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
began = time.perf_counter()
migrate(connection, path, lambda text: told.append(text))
seconds = time.perf_counter() - began
most = re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]
print(json.dumps([seconds, int(most), len(told)]))
"""


def upgrade(bench: Bench) -> list[Row | Curve]:
    """Time and memory of the upgrade of all stored messages, with the copy that is kept and verified before it."""
    older = _stored(bench.cache, bench.messages, bench.say)
    with bench.place() as (folder, _, _):
        path = folder / DATABASE_FILE
        shutil.copyfile(older, path)
        bench.say("upgrading")
        done = subprocess.run([sys.executable, "-c", _UPGRADE, path], check=True, capture_output=True, text=True)
        seconds, kib, reports = json.loads(done.stdout)
        with closing(sqlite3.connect(path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (count,) = connection.execute("SELECT count(*) FROM messages").fetchone()
        assert (version, count) == (len(SCRIPTS), bench.messages), (version, count)
    what = f"upgrade of {bench.messages:,} messages from version {_OLDER} to {len(SCRIPTS)}"
    return [
        against("upgrade", what, "s", seconds),
        against("upgrade", "most memory of its process", "MiB", kib / 1024, most=_MEMORY_MOST),
        against("upgrade", "reports of its progress", "", reports, least=2),
    ]


def _stored(cache: Path, messages: int, progress: Callable[[str], None]) -> Path:
    """Return a database of the older version with that many messages, which is built once in ``cache``."""
    path = cache / f"older-{messages}-{_OLDER}.sqlite"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    unnamed = path.with_suffix(".new")
    unnamed.unlink(missing_ok=True)
    progress(f"building the database of {messages:,} messages")
    with closing(sqlite3.connect(unnamed, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript("".join(SCRIPTS[:_OLDER]) + f"PRAGMA user_version = {_OLDER}")
        for statement in _FILL:
            connection.execute(statement, {"users": _USERS, "messages": messages, "at": _AT})
    return unnamed.rename(path)
