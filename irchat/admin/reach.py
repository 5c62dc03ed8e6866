"""How a command reaches the data: through the server that has the folder, or in the folder itself where none has."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred

from irchat.accounts import Accounts
from irchat.administration import ANY, AddUser, Administration, Answer, Progress, Tell
from irchat.chat.service import ChatService
from irchat.clock import wall_ms
from irchat.data_folder import DataFolder, FolderInUse
from irchat.errors import Refusal
from irchat.server.control import SOCKET_FILE
from irchat.store.migrations import NewerDatabase
from irchat.store.sqlite import SQLiteStore
from irchat.store.threads import NoThreads

# Longest that the server is waited for, from one line to the next.
_ANSWER_SECONDS = 300.0

_no_clock: Any = None  # nothing timed is sent here


class Failed(Exception):
    """A command could not be done; the text is for the administrator."""


def ask(data: Path, command: ANY, tell: Tell) -> Any:
    """What comes of ``command`` on the data folder, through the server where one runs on it. Raises Failed."""
    try:
        answer = _ask_server(data / SOCKET_FILE, command, tell)
    except OSError:
        return _do_offline(data, command, tell)
    if answer.error:
        raise Failed(answer.error)
    return answer.result


@contextmanager
def folder_of(data: Path, *, make: bool = False) -> Iterator[DataFolder]:
    """The data folder, ours alone. Raises Failed where a server has it, or where it is none and not to be made."""
    folder = DataFolder(data)
    need_database(data, make=make)
    try:
        folder.acquire()
    except FolderInUse:
        raise Failed(f"a server uses {data} and must not, or does not answer; stop it first") from None
    except OSError as error:
        raise Failed(f"the data in {data} cannot be used: {error}") from error
    try:
        yield folder
    finally:
        folder.release()


def need_database(data: Path, *, make: bool = False) -> Path:
    """The file of the database. Raises Failed where there is none and it is not to be made."""
    path = DataFolder(data).database
    if not make and not path.exists():
        raise Failed(f"there is no data of IRChat in {data}; is --data right?")
    return path


def _ask_server(path: Path, command: ANY, tell: Tell) -> Answer:
    """What the running server answers. Raises OSError where none runs there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_SECONDS)
        connection.connect(str(path))
        connection.sendall(msgspec.json.encode(command) + b"\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                said: Answer | Progress = msgspec.json.decode(line, type=Answer | Progress)
                if isinstance(said, Answer):
                    return said
                tell(said.text)
    raise Failed("the server closed the connection before it answered; is it stopping?")


def _do_offline(data: Path, command: ANY, tell: Tell) -> Any:
    with folder_of(data, make=isinstance(command, AddUser)) as folder:
        try:
            store = SQLiteStore(folder.database, NoThreads(), wall_ms, tell)
        except (OSError, sqlite3.Error, NewerDatabase) as error:
            raise Failed(f"the data in {data} cannot be used: {error}") from error
        try:
            chat = ChatService(store, lambda _: None, lambda _: None, _no_clock, wall_ms)
            accounts = Accounts(chat.directory, chat.queue, store, maybeDeferred, wall_ms)
            return _result_of(Deferred.fromCoroutine(Administration(chat, accounts).run(command, tell)))
        except Refusal as refusal:
            raise Failed(refusal.text) from None
        finally:
            store.close()


def _result_of(done: Deferred[Any]) -> Any:
    """What ``done`` fired with, or raise what met it: without threads nothing waits."""
    results: list[Any] = []
    failures: list[Any] = []
    done.addCallbacks(results.append, failures.append)
    for failure in failures:
        failure.raiseException()
    return results[0]
