"""Check that a database has the schema of IRChat and nothing else. A file from elsewhere may hold anything.

A trigger would run on each write of the server, and a view could replace a table.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from irchat.store.sqlite.copying import BadCopy, version_of
from irchat.store.sqlite.migrations import APPLICATION_ID, SCRIPTS

# The first version whose files have IRChat's application id.
_IDENTIFIED_SINCE = 4
# Created by ANALYZE.
_STATISTICS = ("sqlite_stat1", "sqlite_stat4")

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+|\s+|.""", re.DOTALL
)

_Objects = dict[str, tuple[str, str, str]]


def need_ours(connection: sqlite3.Connection) -> int:
    """Return the version of a database of IRChat, of this version or an older one.

    Raises BadCopy if it is something else, or sqlite3.Error if it cannot be read at all.
    """
    version = version_of(connection)
    newest = len(SCRIPTS)
    if version > newest:
        raise BadCopy(f"it has version {version} and this IRChat knows {newest} at most; use the newer IRChat")
    difference = next(differences(connection), None)
    if difference is not None:
        raise BadCopy(f"it is no database of IRChat: {difference}; take a file that irchat-admin backup made")
    return version


def differences(connection: sqlite3.Connection) -> Iterator[str]:
    """Return the differences between a database and a new one of its version, in a few words each."""
    version = version_of(connection)
    if not 1 <= version <= len(SCRIPTS):
        yield f"it has version {version}"
        return
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != (APPLICATION_ID if version >= _IDENTIFIED_SINCE else 0):
        yield f"it says that it is of another program ({application_id:#x})"
    (encoding,) = connection.execute("PRAGMA encoding").fetchone()
    if encoding != "UTF-8":
        yield f"its texts are in {encoding}"
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript("".join(SCRIPTS[:version]))
        ours = _objects(made)
    found = _objects(connection)
    for name, (kind, table, sql) in found.items():
        if name not in ours:
            yield f"it has the {kind} {name!r:.60} besides"
        elif ours[name] != (kind, table, sql):
            yield f"its {kind} {name} is another"
    for name in ours.keys() - found.keys():
        yield f"it lacks the {ours[name][0]} {name}"


def _objects(connection: sqlite3.Connection) -> _Objects:
    """Return the tables, indexes, triggers and views by name, each with its kind, its table and its statement."""
    rows = connection.execute("SELECT name, type, tbl_name, coalesce(sql, '') FROM sqlite_master ORDER BY name")
    return {name: (kind, table.lower(), _plain(sql)) for name, kind, table, sql in rows if name not in _STATISTICS}


def _plain(sql: str) -> str:
    """Return a statement in a normal form: versions of SQLite differ in comments, case, space and quotes of names.

    Strings stay unchanged, for they can hold anything that looks like a comment.
    """
    words = []
    for word in _TOKEN.findall(sql):
        if word.startswith(("--", "/*")) or word.isspace():
            continue
        name = word[1:-1]
        words.append(name.lower() if word[0] in '"`[' and name.isidentifier() and name.isascii() else word)
        if word[0] not in "'\"`[":
            words[-1] = word.lower()
    return " ".join(words)
