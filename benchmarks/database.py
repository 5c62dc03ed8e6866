"""Databases to start a server on: users with tokens, groups, and millions of messages, through the store's writer."""

import hashlib
import itertools
import random
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from irchat.interfaces.stored import GLOBAL, ChatKey
from irchat.interfaces.writes import BlockSet, GroupCreated, MessageAdded, TokenAdded, UserCreated, Write
from irchat.store.sqlite.journal import Gate, Journal
from irchat.store.sqlite.migrations import SCRIPTS, migrate
from irchat.store.sqlite.search.indexing import SearchIndex
from irchat.store.sqlite.search.rebuilding import make_ready
from irchat.store.sqlite.writing import Writer
from irchat.system.clock import wall_ms
from irchat.system.files.data_folder import DATABASE_FILE

Progress = Callable[[str], None]

_SHAPE = 1  # increase it when the content changes
_BATCH = 50_000
_VOCABULARY = 50_000
_WORDS_OF_MESSAGE = 8
_AT = 1_760_000_000_000  # ms since the epoch, of the first message

COMMON, ALSO_COMMON, RARE = "zwieback", "quokka", "xylotomous"
COMMON_SHARE = 100
"""`COMMON` and `ALSO_COMMON` are each in one message of this many; `RARE` is in `RARE_COUNT` messages."""
RARE_COUNT = 20

READER_CHATS = 1_000
"""The number of chats of user 0 in a database of `stored`, including GLOBAL."""
_STORED_USERS = 1_000
_OUTSIDE_GLOBAL = 50  # one message in this many is in a group
BLOCKER_UNREAD = 10_000
"""The number of unread messages of user 1, who blocks another user, in GLOBAL."""


def user_name(number: int) -> str:
    """Return the name of a user."""
    return f"u{number}"


def token(number: int) -> str:
    """Return the sign-in token of user ``number``."""
    return f"token-of-user-{number}"


def group_name(number: int) -> str:
    """Return the name of a group."""
    return f"g{number}"


def make(folder: Path, users: int, groups: Sequence[Sequence[int]] = ()) -> None:
    """Make a data folder with users, and groups given by the numbers of their members."""
    connection, writer = _open(folder)
    _people(writer, users, groups)
    connection.close()


def talk(folder: Path, users: int, messages: int) -> None:
    """Make a data folder with users, and messages of all but the first two to everyone."""
    connection, writer = _open(folder)
    ids, _ = _people(writer, users, ())
    writer.commit(list(_messages(messages, ids, ())))
    connection.close()


def fill(folder: Path, fill_with: Callable[[Writer, sqlite3.Connection], None]) -> None:
    """Add users and messages to the database of a data folder."""
    connection, writer = _open(folder)
    fill_with(writer, connection)
    connection.close()


def stored(cache: Path, messages: int, progress: Progress) -> Path:
    """Return the data folder with that many messages, which is built once in ``cache``.

    User 0 is in `READER_CHATS` chats. User 1 blocks user 2 and has `BLOCKER_UNREAD` messages to read.
    """
    scripts = re.sub(r"--.*|\s+", "", "".join(SCRIPTS))
    version = hashlib.sha256(f"{_SHAPE}{scripts}".encode()).hexdigest()[:12]
    folder = cache / f"stored-{messages}-{version}"
    if folder.exists():
        return folder
    unnamed = folder.with_suffix(".new")
    (unnamed / DATABASE_FILE).unlink(missing_ok=True)
    connection, writer = _open(unnamed)
    groups = [[0, *range(1 + number % 900, 6 + number % 900)] for number in range(READER_CHATS - 1)]
    users, group_ids = _people(writer, _STORED_USERS, groups)
    connection.execute("PRAGMA cache_size = -500000")
    done = 0
    writes = _messages(messages, users, [(group_ids[n], [users[m] for m in groups[n]]) for n in range(len(groups))])
    while batch := list(itertools.islice(writes, _BATCH)):
        writer.commit(batch)
        done += len(batch)
        progress(f"building the database: {done:,} of {messages:,} messages")
    # Sending moves the sender's read marker. The two measured users have read little.
    connection.execute("UPDATE members SET read_seq = 0 WHERE user = ?", (users[0],))
    connection.execute(
        "UPDATE members SET read_seq = (SELECT last_seq FROM chats WHERE id = ?) - ? WHERE user = ? AND chat = ?",
        (GLOBAL, min(BLOCKER_UNREAD, messages // 2), users[1], GLOBAL),
    )
    writer.commit([BlockSet(users[1], users[2], True)])
    connection.close()
    return unnamed.rename(folder)


def _open(folder: Path) -> tuple[sqlite3.Connection, Writer]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / DATABASE_FILE
    connection = sqlite3.connect(path, isolation_level=None)
    journal = Journal(connection, path, Gate())
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")
    migrate(connection, path, lambda text: None)
    index = SearchIndex(connection)
    make_ready(connection, index, lambda text: None)
    return connection, Writer(connection, index, journal)


def _people(writer: Writer, users: int, groups: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Create users and groups. Return their ids. The tokens are recent, so no sign-in renews them."""
    at = wall_ms()
    ids: list[int] = writer.commit([UserCreated(user_name(n), user_name(n), None, at, None) for n in range(users)])
    tokens: list[Write] = [
        TokenAdded(hashlib.sha256(token(number).encode()).digest(), user, at) for number, user in enumerate(ids)
    ]
    writer.commit(tokens)
    group_ids: list[int] = writer.commit(
        [
            GroupCreated(group_name(n), group_name(n), tuple(ids[member] for member in members), at)
            for n, members in enumerate(groups)
        ]
    )
    return ids, group_ids


def _messages(count: int, users: Sequence[int], groups: Sequence[tuple[int, Sequence[int]]]) -> Iterator[Write]:
    """Yield messages of words with frequencies like those of a language."""
    chance = random.Random(4)  # noqa: S311 -- the same database each time
    vocabulary = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=chance.randint(2, 9))) for _ in range(_VOCABULARY)]
    weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(_VOCABULARY)))
    rare = set(chance.sample(range(count), min(RARE_COUNT, count)))
    words: list[str] = []
    chat: ChatKey
    for number in range(count):
        if len(words) < _WORDS_OF_MESSAGE:
            words = chance.choices(vocabulary, cum_weights=weights, k=_WORDS_OF_MESSAGE * 1_000)
        said = words[-_WORDS_OF_MESSAGE:]
        del words[-_WORDS_OF_MESSAGE:]
        if chance.randrange(COMMON_SHARE) == 0:
            said[2] = COMMON
        if chance.randrange(COMMON_SHARE) == 0:
            said[4] = ALSO_COMMON
        if number in rare:
            said[6] = RARE
        if groups and number % _OUTSIDE_GLOBAL == 1:
            chat, members = groups[number // _OUTSIDE_GLOBAL % len(groups)]
            sender = members[1 + number % (len(members) - 1)]
        else:
            chat, sender = GLOBAL, users[2 + number % (len(users) - 2)]
        yield MessageAdded(chat, sender, " ".join(said), _AT + number * 10, None, 0)
