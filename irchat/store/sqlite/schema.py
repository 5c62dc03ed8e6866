"""Whether a database is what IRChat makes, and nothing besides: a file from elsewhere may hold anything.

A trigger would run with each write of the server, a view in the place of a table answer in its stead.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from irchat.store.sqlite.copying import BadCopy, version_of
from irchat.store.sqlite.migrations import APPLICATION_ID, SCRIPTS

# The first version whose files say that they are IRChat's.
_IDENTIFIED_SINCE = 4
# SQLite's own, where somebody ran ANALYZE.
_STATISTICS = ("sqlite_stat1", "sqlite_stat4")

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+|\s+|.""", re.DOTALL
)

_Objects = dict[str, tuple[str, str, str]]


def need_ours(connection: sqlite3.Connection) -> int:
    """See that a database is of IRChat, and of this version or an older one; return its version.

    Raises BadCopy, or sqlite3.Error where it cannot be read at all.
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
    """What a database has or lacks beside one that IRChat made of its version, in a few words each."""
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
    """The tables, indexes, triggers and views, by name: the kind, the table, and how it is made."""
    rows = connection.execute("SELECT name, type, tbl_name, coalesce(sql, '') FROM sqlite_master ORDER BY name")
    return {name: (kind, table.lower(), _plain(sql)) for name, kind, table, sql in rows if name not in _STATISTICS}


def _plain(sql: str) -> str:
    """Return a statement without what versions of SQLite write differently: comments, case, space, quotes of names.

    What stands in other quotes stays as it is: a comment in it is none.
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
