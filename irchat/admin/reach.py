"""Server or offline access: run a command through the server that uses the folder, or on the folder itself."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from irchat.admin.failures import Failed
from irchat.chat.accounts.accounts import Accounts
from irchat.chat.accounts.administration import AddUser, Administration, Answer, AnyAdminRequest, Progress, Tell
from irchat.chat.local_bus import LocalBus
from irchat.chat.service import ChatService
from irchat.net.socket_paths import short_path
from irchat.server.listeners.control_socket import SOCKET_FILE
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from irchat.system.clock import wall_ms
from irchat.system.files.data_folder import NODE_FILE, DataFolder, FolderInUse, nearest_folder
from irchat.system.files.named_files import need_file

# The timeout for each line of the server, in seconds.
_ANSWER_SECONDS = 300.0

_CLOSED = "the server closed the connection before it answered; is it stopping? try again"

_NO_ANSWER = (
    f", and does not answer on {SOCKET_FILE}; a server creates it again within a minute, or at once on SIGHUP "
    "(systemctl reload irchat): try again, or stop it first"
)

Result = TypeVar("Result")


def ask(data: Path, command: AnyAdminRequest, tell: Tell) -> object:
    """Run ``command`` on the data folder, through its server if one is running, and return the result.

    Raises Failed, Refusal, OSError, sqlite3.Error or NewerDatabase.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        if not _connected(connection, data / SOCKET_FILE):
            return _do_offline(data, command, tell)
        try:
            answer = _ask_server(connection, command, tell)
        except TimeoutError:
            raise Failed(f"the server did not answer for {_ANSWER_SECONDS:.0f} s; look at its log") from None
        except ConnectionError:
            raise Failed(_CLOSED) from None
    if answer.error:
        raise Failed(answer.error)
    return answer.result


@contextmanager
def locked_folder(data: Path, hint: str, *, make: bool = False) -> Iterator[DataFolder]:
    """Lock the data folder. Raises OSError, or Failed with ``hint`` at its end if another process uses the folder.

    If there is no data, create it if ``make``. Otherwise raise Failed.
    """
    folder = DataFolder(data)
    need_database(data, make=make)
    try:
        folder.acquire()
    except FolderInUse:
        raise Failed(f"a server, or another irchat-admin, uses {data}{hint}") from None
    try:
        yield folder
    finally:
        folder.release()


def need_database(data: Path, *, make: bool = False) -> Path:
    """Return the path of the database. Raises Failed if there is none and it may not be created, or OSError."""
    path = DataFolder(data).database
    node = data / NODE_FILE
    if node.exists():
        raise Failed(
            f"the data of {data} is in PostgreSQL: back it up and check it with PostgreSQL's own pg_basebackup and"
            f" pg_amcheck; start its node for other commands. If it is no longer the folder of a node, delete {node}"
        )
    try:
        need_file(path)
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise
        nearest_folder(data)
        if not make:
            raise Failed(f"there is no IRChat data in {data}; is --data right?") from None
    return path


def _connected(connection: socket.socket, path: Path) -> bool:
    """Connect to the socket ``path``. Return False if no server listens. Raises OSError without permission."""
    connection.settimeout(_ANSWER_SECONDS)
    try:
        with short_path(path) as short:
            connection.connect(short)
    except PermissionError as error:
        raise PermissionError(error.errno, error.strerror, str(path)) from None
    except OSError:
        return False
    return True


def _ask_server(connection: socket.socket, command: AnyAdminRequest, tell: Tell) -> Answer:
    """Return the answer of the running server. Raises Failed, or OSError if the connection is lost."""
    connection.sendall(msgspec.json.encode(command) + b"\n")
    with connection.makefile("rb") as lines:
        for line in lines:
            try:
                said: Answer | Progress = msgspec.json.decode(line, type=Answer | Progress)
            except msgspec.MsgspecError:
                raise Failed("the server's answer cannot be read; it may run another version: restart it") from None
            if isinstance(said, Answer):
                return said
            tell(said.text)
    raise Failed(_CLOSED)


def _do_offline(data: Path, command: AnyAdminRequest, tell: Tell) -> object:
    with (
        locked_folder(data, _NO_ANSWER, make=isinstance(command, AddUser)) as folder,
        closing(SQLiteStore(folder.database, NoThreads(), wall_ms, tell)) as store,
    ):
        clock = Clock()  # it stands still: no administrator's command needs timed messages
        chat = ChatService(store, LocalBus(), lambda name, is_online: None, clock, wall_ms)
        accounts = Accounts(chat.directory, chat.queue, store, NoThreads().read, wall_ms)
        return _result_of(Deferred.fromCoroutine(Administration(chat, accounts).run(command, tell)))


def _result_of(done: Deferred[Result]) -> Result:
    """Return the result of ``done``, which has fired already, or raise its error."""
    results: list[Result] = []
    failures: list[Failure] = []
    done.addCallbacks(results.append, failures.append)
    for failure in failures:
        failure.raiseException()
    return results[0]
