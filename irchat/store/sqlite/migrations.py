"""The versions of the database: a script for each makes it from the one before. ``user_version`` is the number."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from irchat.interfaces.stored import GLOBAL
from irchat.store.sqlite.copying import copy_database

APPLICATION_ID = 0x49524368
"""The type of the file in its header, "IRCh", from version 4 on."""
EPOCH_SINCE = 4
"""The first version that has an epoch."""
CHANGE_EPOCH = "UPDATE properties SET value = lower(hex(randomblob(16))) WHERE name = 'epoch'"
"""Sets a new epoch."""

_VERSION_1 = f"""
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    password TEXT,
    created_at INTEGER NOT NULL
);
CREATE TABLE tokens (
    hash BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    used_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tokens_of_user ON tokens (user);

-- GLOBAL has none of the optional columns, a group has name, key and owner, a private chat low and high.
CREATE TABLE chats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT,
    key TEXT UNIQUE,
    owner INTEGER REFERENCES users,
    low INTEGER REFERENCES users,
    high INTEGER REFERENCES users,
    last_seq INTEGER NOT NULL DEFAULT 0,
    last_at INTEGER,
    UNIQUE (low, high),
    CHECK (low < high)
);
INSERT INTO chats (id) VALUES ({GLOBAL});

-- Who is in a chat, of all three kinds, with the read marker. A member sees what comes after since_seq.
CREATE TABLE members (
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    chat INTEGER NOT NULL REFERENCES chats ON DELETE CASCADE,
    standing INTEGER NOT NULL,
    since_seq INTEGER NOT NULL,
    read_seq INTEGER NOT NULL,
    PRIMARY KEY (user, chat)
) WITHOUT ROWID;
CREATE INDEX members_of_chat ON members (chat, standing);

-- Clustered by (chat, seq): a page costs the same in a chat of any length. id is the order of storing over all chats.
CREATE TABLE messages (
    chat INTEGER NOT NULL REFERENCES chats,
    seq INTEGER NOT NULL,
    id INTEGER NOT NULL,
    sender INTEGER NOT NULL REFERENCES users,
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (chat, seq)
) WITHOUT ROWID;
CREATE TABLE message_places (
    id INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL,
    seq INTEGER NOT NULL
);

-- The index alone, of the texts as irchat.text.folding makes them, without a second copy of them. Its rowid is
-- messages.id, so newest first needs no sorting.
-- The column chat holds 'c' and the chat's number as one more word to look for.
CREATE VIRTUAL TABLE message_words USING fts5 (
    chat, text, content='', tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co So'"
);

CREATE TABLE nonces (
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    nonce TEXT NOT NULL,
    chat INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, nonce)
) WITHOUT ROWID;
CREATE INDEX nonces_by_age ON nonces (at);

CREATE TABLE blocks (
    blocker INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    blocked INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (blocker, blocked)
) WITHOUT ROWID;
"""

_VERSION_2 = """
-- An account that was removed stays for the sake of what it wrote.
ALTER TABLE users ADD COLUMN removed_at INTEGER;

-- Up to this seq messages are missing, for they were deleted; after it there is one for each number.
ALTER TABLE chats ADD COLUMN gaps_up_to INTEGER NOT NULL DEFAULT 0;

-- Of a user or of a network of addresses; without an end it is for good.
CREATE TABLE bans (
    user INTEGER UNIQUE REFERENCES users ON DELETE CASCADE,
    network TEXT UNIQUE,
    until INTEGER,
    reason TEXT NOT NULL,
    CHECK ((user IS NULL) != (network IS NULL))
);
"""

_VERSION_3 = """
-- From now on message_words may lack the newest messages: those whose places come after the last row of
-- message_words_docsize. An older version would never find them, and would do harm in deleting them.
-- What comes into it comes many at a time, in fewer and larger segments, which need to be merged less often.
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 8);
"""

_VERSION_4 = f"""
PRAGMA application_id = {APPLICATION_ID};

-- What is known of the database itself: its epoch, and how the texts of the index were folded.
CREATE TABLE properties (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO properties (name, value) VALUES ('epoch', '');
{CHANGE_EPOCH};

-- Where the deleted messages of each sender in a chat ended, for the ends of chats do not move by a deletion.
CREATE TABLE deleted_ends (
    chat INTEGER NOT NULL REFERENCES chats ON DELETE CASCADE,
    sender INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (chat, sender)
) WITHOUT ROWID;

-- The index is made again, empty here: all that is not ASCII is of a word, for texts come to it with their words apart.
DROP TABLE message_words;
CREATE VIRTUAL TABLE message_words USING fts5 (chat, text, content='', tokenize='ascii');
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 8);
"""

_VERSION_5 = """
-- A token for which no password was asked opens nothing where the server asks for passwords. Of older tokens those of
-- accounts without a password are such.
ALTER TABLE tokens ADD COLUMN by_password INTEGER NOT NULL DEFAULT 1;
UPDATE tokens SET by_password = 0 WHERE user IN (SELECT id FROM users WHERE password IS NULL);
"""

_VERSION_6 = """
-- The number of the last change of a message in the chat.
ALTER TABLE chats ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;

-- When the chat alerts the user: all, mentions or none. NULL is the default.
ALTER TABLE members ADD COLUMN alert TEXT;

-- The last change of each changed message. The row of a deleted message stays.
CREATE TABLE amended (
    chat INTEGER NOT NULL REFERENCES chats ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    edited_at INTEGER,
    deleted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (chat, seq),
    UNIQUE (chat, rev)
) WITHOUT ROWID;

-- Marks with one key are the same, and mark is the form that was typed.
CREATE TABLE marks (
    chat INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    user INTEGER NOT NULL REFERENCES users,
    mark TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (chat, seq, key, user)
) WITHOUT ROWID;
CREATE INDEX marks_by_key ON marks (chat, key, seq);
CREATE INDEX marks_of_user ON marks (user, chat, seq);

CREATE TABLE mentions (
    user INTEGER NOT NULL REFERENCES users,
    chat INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (user, chat, seq)
) WITHOUT ROWID;
CREATE INDEX mentions_of_message ON mentions (chat, seq);
"""

_VERSION_7 = """
-- IRC clients show notices apart from other messages.
ALTER TABLE messages ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;

-- When the token was made, NULL in older rows; and the label of a token for a program, which never expires by disuse.
ALTER TABLE tokens ADD COLUMN created_at INTEGER;
ALTER TABLE tokens ADD COLUMN label TEXT;
DROP INDEX tokens_of_user;
CREATE INDEX tokens_of_user ON tokens (user, used_at);

-- The public keys that sign in a user over SSH.
CREATE TABLE keys (
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    kind TEXT NOT NULL,
    blob BLOB NOT NULL,
    fingerprint TEXT NOT NULL,
    comment TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (user, blob)
) WITHOUT ROWID;
"""

SCRIPTS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6, _VERSION_7)
"""``SCRIPTS[n]`` makes version n + 1 from version n."""


Tell = Callable[[str], None]
"""Hears how far what takes long is, in a few words."""


class NewerDatabase(Exception):
    """The database was made by a newer version of IRChat."""


def check(path: Path) -> None:
    """Check, without changing anything, that this version can open the database ``path``, if there is one.

    After a server was killed this is left to the opening: the file is consistent only with its journal, and reading
    that would change files. Raises sqlite3.Error or NewerDatabase.
    """
    journal = path.with_name(f"{path.name}-wal")
    if not path.exists() or (journal.exists() and journal.stat().st_size):
        return
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        _version(connection)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def migrate(connection: sqlite3.Connection, path: Path, tell: Tell) -> None:
    """Upgrade the database in the file ``path`` to this version, each step in its own transaction.

    A database that is not empty is copied first, to a name such as ``path.before-version-2``. ``tell`` receives the
    progress. Raises NewerDatabase, or sqlite3.Error, OSError or `irchat.store.sqlite.copying.BadCopy` if the copy
    cannot be made.
    """
    version = _version(connection)
    if 0 < version < len(SCRIPTS):
        copy_database(
            connection,
            path.with_name(f"{path.name}.before-version-{len(SCRIPTS)}"),
            lambda done, of: tell(
                f"keeping the database as it was: {100 * done // of} %"
                if done < of
                else "verifying the copy of the database as it was"
            ),
            like_folder=True,
        )
    if version == len(SCRIPTS):
        return
    # A dropped table may be large: its pages are freed, not overwritten one by one.
    (overwrites,) = connection.execute("PRAGMA secure_delete").fetchone()
    connection.execute("PRAGMA secure_delete = OFF")
    for number in range(version, len(SCRIPTS)):
        connection.executescript(f"BEGIN IMMEDIATE;{SCRIPTS[number]}PRAGMA user_version = {number + 1};COMMIT;")
    connection.execute(f"PRAGMA secure_delete = {overwrites}")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(SCRIPTS):
        raise NewerDatabase(
            f"the database has version {version}, this IRChat knows {len(SCRIPTS)} at most; use the newer IRChat"
        )
    return version
