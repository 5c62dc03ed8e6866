"""``twistd irchat``: the options, and the service that puts the parts together."""

import os
import socket
import sqlite3
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from twisted.application.service import Service
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python import usage
from twisted.python.threadpool import ThreadPool

from irchat.accounts import Accounts
from irchat.chat.service import ChatService
from irchat.clock import install_forward_clock, wall_ms
from irchat.data_folder import DataFolder, FolderInUse, default_data_folder
from irchat.portfile import PortFile, default_directory
from irchat.rules import DEFAULT_PORT, DEFAULT_RATE
from irchat.server import certificates, control
from irchat.server.delivery import Delivery
from irchat.server.factory import ChatFactory
from irchat.server.garbage import GarbagePlan
from irchat.server.presence import PresenceFeed
from irchat.server.session import Services
from irchat.starting import StartingTerminal
from irchat.store.migrations import NewerDatabase
from irchat.store.migrations import check as check_database
from irchat.store.sqlite import SQLiteStore
from irchat.store.threads import StoreThreads

reactor: Any = _reactor

_BACKLOG = 1_024
_HASHING_THREADS = 2
_SERVER_NAME_LENGTH = 64
# Longest that stopping waits for what is queued to be committed.
_SETTLE_SECONDS = 3.0

_log = Logger()


class Options(usage.Options):
    """The options of ``twistd irchat``. Wrong ones end the process with one line on standard error."""

    optParameters: Sequence[Sequence[Any]] = [
        ["data", None, None, "Folder for all data [default: the user's data folder]"],
        ["host", None, None, "Address to listen on [default: all, IPv6 and IPv4]"],
        ["port", None, DEFAULT_PORT, "Port to listen on; 0 for a random free one"],
        ["tls-cert", None, None, "PEM file with a certificate, and its chain [default: a self-signed one is made]"],
        ["tls-key", None, None, "PEM file with the key of --tls-cert"],
        ["registration", None, "open", "Who may make an account: open (everyone) or closed (the administrator)"],
        ["rate", None, DEFAULT_RATE, "Messages a second that a session may send, with bursts of 3 s; 0: no limit"],
        ["name", None, "IRChat", "The server's name in its greeting"],
    ]
    optFlags: Sequence[Sequence[Any]] = [
        ["no-tls", None, "Speak plain TCP, without encryption"],
        ["no-passwords", None, "A name is enough to sign in: for a room where all trust each other"],
    ]

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the command line."""
        try:
            usage.Options.parseOptions(self, options)
        except usage.UsageError as error:
            _fail(f"{error}; see twistd irchat --help")

    def postOptions(self) -> None:
        """Check and convert the values. Raises usage.UsageError."""
        self["data"] = Path(self["data"]).expanduser().absolute() if self["data"] else default_data_folder()
        self["port"] = _number(self["port"], "--port", int, 65_535)
        self["rate"] = _number(self["rate"], "--rate", float, 1e9)
        if self["registration"] not in ("open", "closed"):
            raise usage.UsageError("--registration is open or closed")
        if (self["tls-cert"] is None) != (self["tls-key"] is None):
            raise usage.UsageError("--tls-cert and --tls-key go together")
        if self["tls-cert"] is not None and self["no-tls"]:
            raise usage.UsageError("--no-tls and --tls-cert exclude each other")
        if not (self["name"].isprintable() and 1 <= len(self["name"].strip()) <= _SERVER_NAME_LENGTH):
            raise usage.UsageError(f"--name is 1 to {_SERVER_NAME_LENGTH} visible characters")


def _number(text: Any, option: str, kind: Callable[[Any], Any], most: float) -> Any:
    try:
        number = kind(text)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise usage.UsageError(f"{option} is a number from 0 to {most:,.0f}, not {text!r}")
    return number


def makeService(options: Options) -> "ChatServer":
    """The server that ``options`` describe, checked as far as can be without writing anything.

    It runs before the process becomes a daemon, so that what is wrong is still told on standard error.
    """
    install_forward_clock(reactor)
    _check(options)
    return ChatServer(options, StartingTerminal(), default_directory())


class ChatServer(Service):
    """The server: opens its data, listens, and closes both when it is stopped."""

    def __init__(self, options: Options, terminal: StartingTerminal, runtime_folder: Path) -> None:
        self._options = options
        self._terminal = terminal
        self._runtime_folder = runtime_folder
        self._folder = DataFolder(options["data"])
        self._port_file: PortFile | None = None
        self._ports: list[Any] = []
        self._garbage = GarbagePlan(reactor)

    def startService(self) -> None:
        """Open the data and listen. Ends the process with one line on standard error where that cannot be."""
        Service.startService(self)
        try:
            self._folder.acquire()
            self._open()
            self._listen()
        except (OSError, ssl.SSLError, FolderInUse, CannotListenError, sqlite3.Error, NewerDatabase) as error:
            self._terminal.fail(_explain(error, self._options))
        self._garbage.start()
        self._write_port_file()
        self._terminal.announce(self._banner())

    async def _stop(self) -> None:
        await DeferredList([Deferred.fromCoroutine(_stopped(port)) for port in self._ports])
        await self._factory.stop()
        self._garbage.stop()
        settled = self._chat.settled()
        settled.addTimeout(_SETTLE_SECONDS, reactor)
        settled.addErrback(lambda failure: _log.failure("not all could be saved", failure))
        await settled
        if self._port_file is not None:
            self._port_file.remove()
        self._hashing.stop()
        self._store.close()
        self._folder.release()
        _log.info("stopped")

    def stopService(self) -> Deferred[None]:
        """Say goodbye to all, commit what is queued, and close."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    def _open(self) -> None:
        options = self._options
        self._store = SQLiteStore(self._folder.database, StoreThreads(reactor), wall_ms)
        self._hashing = ThreadPool(0, _HASHING_THREADS, "irchat-hashing")
        self._hashing.start()
        delivery = Delivery(reactor)
        presence = PresenceFeed(reactor, delivery)
        self._chat = ChatService(
            self._store, delivery.publish, presence.changed, reactor, wall_ms, lambda call: reactor.callLater(0, call)
        )
        self._accounts = Accounts(
            self._chat.directory,
            self._chat.queue,
            self._store,
            lambda call, *args: deferToThreadPool(reactor, self._hashing, call, *args),
            wall_ms,
            registration_open=options["registration"] == "open",
            passwords=not options["no-passwords"],
        )
        self._certificate: Path | None = None
        context = None
        if not options["no-tls"]:
            self._certificate, key = self._certificate_files()
            context = certificates.server_context(self._certificate, key)
        services = Services(self._chat, self._accounts, delivery, presence)
        self._factory = ChatFactory(services, reactor, name=options["name"], rate=options["rate"], tls=context)

    def _certificate_files(self) -> tuple[Path, Path]:
        if self._options["tls-cert"] is not None:
            return Path(self._options["tls-cert"]), Path(self._options["tls-key"])
        return certificates.ensure_self_signed(self._folder.path, socket.gethostname())

    def _listen(self) -> None:
        port = reactor.listenTCP(
            self._options["port"], self._factory, backlog=_BACKLOG, interface=_interface(self._options["host"])
        )
        self._ports.append(port)
        self.port: int = port.getHost().port
        path = self._folder.path / control.SOCKET_FILE
        path.unlink(missing_ok=True)  # of a server that died: the folder is ours
        try:
            self._ports.append(
                reactor.listenUNIX(str(path), control.ControlFactory(self._accounts), mode=0o600, wantPID=False)
            )
        except (OSError, CannotListenError) as error:
            _log.error("irchat.admin cannot reach this server while it runs: {error}", error=error)

    def _write_port_file(self) -> None:
        try:
            self._port_file = PortFile.write(self._runtime_folder, port=self.port, tls=self._certificate is not None)
        except OSError as error:
            _log.error("clients of this machine must be told the port: {error}", error=error)

    def _banner(self) -> str:
        listening = self._options["host"] or "all addresses"
        address = self._options["host"] or _own_address()
        host = f"[{address}]" if ":" in address else address
        at_port = "" if self.port == DEFAULT_PORT else f":{self.port}"
        lines = [
            f"IRChat listens on {listening}, port {self.port}, " + ("with TLS" if self._certificate else "WITHOUT TLS"),
            f"Data: {self._folder.path}",
        ]
        flag = ""
        if self._certificate is None:
            flag = "--no-tls "
        else:
            lines.append(f"Certificate: {certificates.fingerprint(self._certificate)}")
        lines.append(f"To join: python -m irchat.client {flag}{host}{at_port}")
        return "\n".join(lines)


async def _stopped(port: Any) -> None:
    await port.stopListening()


def _check(options: Options) -> None:
    """See what can be seen without writing; ends the process with one line on standard error."""
    try:
        folder = DataFolder(options["data"])
        folder.check()
        check_database(folder.database)
        if options["tls-cert"] is not None:
            certificates.server_context(Path(options["tls-cert"]), Path(options["tls-key"]))
        interface = _interface(options["host"])
        family, kind, _, _, address = socket.getaddrinfo(
            interface, options["port"], type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror:
        _fail(f"--host {options['host']} is no IP address of this machine")
    except (OSError, ssl.SSLError, FolderInUse, sqlite3.Error, NewerDatabase) as error:
        _fail(_explain(error, options))


def _explain(error: Exception, options: Options) -> str:
    """One line for the person who starts the server."""
    where = f"{options['host'] or 'all addresses'}, port {options['port']}"
    if isinstance(error, FolderInUse):
        return f"the data folder {options['data']} is in use: {error}; stop that one or choose another --data"
    if isinstance(error, NewerDatabase):
        return f"the data in {options['data']} cannot be used: {error}"
    if isinstance(error, sqlite3.Error):
        return f"the database in {options['data']} cannot be used: {error}; restore a backup or choose another --data"
    if isinstance(error, ssl.SSLError):
        return f"the certificate and key cannot be used: {getattr(error, 'reason', None) or error}"
    if isinstance(error, CannotListenError):
        return f"cannot listen on {where}: {error.socketError}"
    assert isinstance(error, OSError)
    if error.errno is None:
        return f"the data folder {options['data']} cannot be used: {error}"
    if error.filename is not None:
        return f"{error.filename}: {os.strerror(error.errno)}"
    return f"cannot listen on {where}: {os.strerror(error.errno)}; is a server running there? choose another --port"


def _fail(line: str) -> NoReturn:
    raise SystemExit(f"irchat: {line}")


def _interface(host: str | None) -> str:
    """The address to listen on: for all, that of IPv6, which takes IPv4 too, or of IPv4 where there is no IPv6."""
    if host is not None:
        return host
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return "0.0.0.0"  # noqa: S104 -- the default is to be reached by others
    return "::"


def _own_address() -> str:
    """The address of this machine by which others are likely to reach it. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737)
            address: str = probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
    return address
