"""Move the database to PostgreSQL, while no server runs. The data folder stays as it is."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from irchat.admin.failures import Failed
from irchat.admin.reach import locked_folder
from irchat.settings import StoreURL, WrongSetting, read_url
from irchat.store.postgres.connecting import Connection, Database, StoreUnusable, one_line
from irchat.store.postgres.moving import NotMovable, Tell, move
from irchat.store.postgres.search.refolding import make_ready
from irchat.store.postgres.server_checks import check_server
from irchat.store.sqlite.copying import BadCopy, opened
from irchat.store.sqlite.migrations import SCRIPTS
from irchat.store.sqlite.schema import need_ours
from irchat.system.remedies import mend_of_database
from irchat.wiring.urls import url_from_file

_NEWEST = len(SCRIPTS)


def move_to(data: Path, url: str | None, file: Path | None, tell: Tell) -> None:
    """Copy the database in ``data`` to the empty database of PostgreSQL at ``url``, or at the URL in ``file``.

    Raises Failed. Then PostgreSQL contains nothing of it, unless the text says otherwise.
    """
    url = _url_of(url, file)
    with locked_folder(data, "; stop it first") as folder, opened(folder.database) as source:
        try:
            _check(source, folder.database)
            with closing(Database(url).connect()) as connection:
                check_server(connection)
                move(source, connection, tell)
                _make_index(connection, tell)
        except (BadCopy, NotMovable, StoreUnusable) as error:
            raise Failed(str(error)) from None
        except psycopg.Error as error:
            raise Failed(f"PostgreSQL: {one_line(error)}; nothing was copied. Try again") from None
        except sqlite3.Error as error:
            advice = mend_of_database(error, data, "restore a backup, and check the disk")
            raise Failed(f"{folder.database} cannot be read: {error}; {advice}") from None


def _make_index(connection: Connection, tell: Tell) -> None:
    try:
        make_ready(connection, tell)
        connection.execute("ANALYZE")
    except psycopg.Error as error:
        text = "everything is copied, but the search index is not complete. Start a node, which completes it"
        raise Failed(f"PostgreSQL: {one_line(error)}; {text}") from None


def _url_of(url: str | None, file: Path | None) -> str:
    if (url is None) == (file is None):
        raise Failed("name the database: its URL, or --store-file with a file that contains the URL")
    try:
        if file is not None:
            return url_from_file("--store-file", file, StoreURL)
        return read_url(StoreURL, url or "")
    except WrongSetting as error:
        raise Failed(str(error)) from None
    except ValueError as error:
        raise Failed(f"the URL {error}") from None


def _check(source: sqlite3.Connection, path: Path) -> None:
    version = need_ours(source)
    if version < _NEWEST:
        raise Failed(f"{path} has version {version}, this IRChat moves version {_NEWEST}; start the server once")
