"""``python -m irchat.admin``: what the person who runs the server can do, whether it runs at the moment or not."""

import argparse
import getpass
import socket
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred

from irchat.accounts import Accounts
from irchat.chat.service import ChatService
from irchat.clock import wall_ms
from irchat.data_folder import DataFolder, FolderInUse, default_data_folder
from irchat.errors import Refusal
from irchat.rules import PASSWORD_MIN_BYTES, fold_name
from irchat.server.control import SOCKET_FILE, AddUser, Answer
from irchat.store.migrations import NewerDatabase
from irchat.store.sqlite import SQLiteStore
from irchat.store.threads import NoThreads

_ANSWER_SECONDS = 30.0


class Failed(Exception):
    """A command could not be done; the text is for the administrator."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m irchat.admin", description="Administer an IRChat server on this machine, running or not."
    )
    parser.add_argument(
        "--data", type=Path, default=default_data_folder(), help="the server's data folder [default: %(default)s]"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_user = commands.add_parser("add-user", help="make an account; asks for its password")
    add_user.add_argument("name", metavar="NAME")
    options = parser.parse_args(arguments)
    try:
        add(options.data, options.name, _ask_password(options.name))
    except Failed as failed:
        print(f"irchat: {failed}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{options.name} can sign in now.")  # noqa: T201
    return 0


def add(data: Path, name: str, password: str) -> None:
    """Make an account in the data folder, through the server where one runs on it. Raises Failed."""
    try:
        fold_name(name)
        answer = _ask_server(data / SOCKET_FILE, AddUser(name=name, password=password))
    except Refusal as refusal:
        raise Failed(refusal.text) from None
    except OSError:
        _add_offline(data, name, password)
        return
    if answer.error:
        raise Failed(answer.error)


def _ask_password(name: str) -> str:
    """The password for ``name``: typed twice on a terminal, one line of standard input elsewhere. Raises Failed."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass(f"Password for {name} ({PASSWORD_MIN_BYTES} characters or more): ")
    if getpass.getpass("The same password again: ") != password:
        raise Failed("the two are not the same; nothing was changed")
    return password


def _ask_server(path: Path, command: AddUser) -> Answer:
    """What the running server answers. Raises OSError where none runs there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_SECONDS)
        connection.connect(str(path))
        connection.sendall(msgspec.json.encode(command) + b"\n")
        with connection.makefile("rb") as lines:
            line = lines.readline()
    if not line:
        raise Failed("the server closed the connection before it answered; is it stopping?")
    try:
        return msgspec.json.decode(line, type=Answer)
    except msgspec.MsgspecError:
        raise Failed("the server's answer cannot be read; is it of another version?") from None


def _add_offline(data: Path, name: str, password: str) -> None:
    folder = DataFolder(data)
    try:
        folder.acquire()
        _add_to_database(folder.database, name, password)
    except FolderInUse:
        raise Failed(f"a server uses {data} but does not answer; stop it first, or look at its log") from None
    except (OSError, sqlite3.Error, NewerDatabase) as error:
        raise Failed(f"the data in {data} cannot be used: {error}") from error
    finally:
        folder.release()


def _add_to_database(database: Path, name: str, password: str) -> None:
    store = SQLiteStore(database, NoThreads(), wall_ms)
    try:
        chat = ChatService(store, lambda _: None, lambda _: None, _no_clock, wall_ms)
        accounts = Accounts(chat.directory, chat.queue, store, maybeDeferred, wall_ms)
        _wait(Deferred.fromCoroutine(accounts.add(name, password)))
    except Refusal as refusal:
        raise Failed(refusal.text) from None
    finally:
        store.close()


_no_clock: Any = None  # nothing timed is sent here


def _wait(done: Deferred[None]) -> None:
    """Raise what met ``done``, which has fired: without threads nothing waits."""
    failures: list[Any] = []
    done.addErrback(failures.append)
    for failure in failures:
        failure.raiseException()


if __name__ == "__main__":
    sys.exit(main())
