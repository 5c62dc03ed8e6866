"""``twistd irchat``: the options, and the service that puts the parts together."""

import signal
import socket
import ssl
from collections.abc import Sequence
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
from irchat.administration import Administration
from irchat.chat.service import ChatService
from irchat.clock import install_forward_clock, wall_ms
from irchat.config import (
    SETTINGS,
    Config,
    Setting,
    WrongSetting,
    changed_for_restart,
    make_config,
    read_file,
    refuse_open_admins,
)
from irchat.core_dumps import forbid_core_dumps
from irchat.data_folder import DataFolder
from irchat.portfile import PortFile, default_directory
from irchat.rules import DEFAULT_PORT
from irchat.server import certificates, control
from irchat.server.admission import Admission
from irchat.server.certificates import WrongCertificate
from irchat.server.delivery import Delivery
from irchat.server.factory import ChatFactory
from irchat.server.garbage import GarbagePlan
from irchat.server.presence import PresenceFeed
from irchat.server.session import Services
from irchat.server.turns import take_few_at_a_time
from irchat.starting import TOLD, StartingTerminal, explain
from irchat.store.migrations import check as check_database
from irchat.store.sqlite import SQLiteStore
from irchat.store.threads import StoreThreads

reactor: Any = _reactor

_BACKLOG = 1_024
# Bytes that the system may hold for one connection on top of ours; Linux doubles what it is told, for its own needs.
# Left to itself it takes up to 4 MB for each that does not read.
_SEND_BUFFER = 131_072
_HASHING_THREADS = 2
# Longest that stopping waits for what is queued to be committed.
_SETTLE_SECONDS = 3.0

_log = Logger()


def _default(setting: Setting) -> str:
    return "" if setting.default is None else f" [default: {setting.default}]"


class Options(usage.Options):
    """The options of ``twistd irchat``. Wrong ones end the process with one line on standard error.

    ``config`` are the settings that come of them: what is on the command line goes before what is in the file.
    """

    optParameters: Sequence[Sequence[Any]] = [
        ["config", None, None, "Configuration file (TOML) with settings of these names; read again on SIGHUP"],
        *(
            [setting.name, None, None, setting.help + _default(setting)]
            for setting in SETTINGS
            if not isinstance(setting.default, bool | list)
        ),
    ]
    optFlags: Sequence[Sequence[Any]] = [
        [setting.name, None, setting.help] for setting in SETTINGS if isinstance(setting.default, bool)
    ]

    def __init__(self) -> None:
        usage.Options.__init__(self)
        self._admins: list[str] = []
        self.config: Config

    def opt_admin(self, name: str) -> None:
        """A user who may !kick, !ban and !unban in the chat; may be repeated"""
        self._admins.append(name)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the command line."""
        try:
            usage.Options.parseOptions(self, options)
            if self["config"] is not None:
                self["config"] = Path(self["config"]).absolute()  # a daemon changes its working directory
            self.config = self.read_config()
        except (usage.UsageError, WrongSetting) as error:
            _fail(f"{error}; see twistd irchat --help")

    def read_config(self) -> Config:
        """The settings of command line and file, the file read anew. Raises WrongSetting."""
        given = {} if self["config"] is None else read_file(self["config"])
        for setting in SETTINGS:
            on_command_line = self.get(setting.name)
            if on_command_line is not None and on_command_line != 0:  # 0: a flag that is not there
                given[setting.name] = on_command_line
        if self._admins:
            given["admin"] = self._admins
        return make_config(given)


def makeService(options: Options) -> "ChatServer":
    """The server that ``options`` describe, checked as far as can be without writing anything.

    It runs before the process becomes a daemon, so that what is wrong is still told on standard error.
    """
    install_forward_clock(reactor)
    take_few_at_a_time(reactor)
    _check(options.config)
    return ChatServer(options, StartingTerminal(), default_directory())


class ChatServer(Service):
    """The server: opens its data, listens, and closes both when it is stopped."""

    def __init__(self, options: Options, terminal: StartingTerminal, runtime_folder: Path) -> None:
        self._options = options
        self._config = options.config
        self._terminal = terminal
        self._runtime_folder = runtime_folder
        self._folder = DataFolder(options.config.data)
        self._port_file: PortFile | None = None
        self._ports: list[Any] = []
        self._garbage = GarbagePlan(reactor)
        self._store: SQLiteStore | None = None
        self._hashing: ThreadPool | None = None

    def startService(self) -> None:
        """Open the data and listen. Ends the process with one line on standard error where that cannot be."""
        Service.startService(self)
        forbid_core_dumps()
        try:
            self._folder.acquire()
            self._open()
            self._listen()
        except TOLD as error:
            self._let_go()
            self._terminal.fail(explain(error, self._config))
        self._garbage.start()
        self._write_port_file()
        signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(self.reload))
        self._terminal.announce(self._banner())

    def _let_go(self) -> None:
        """End the threads, which would keep the process, and close the data."""
        for port in self._ports:
            port.stopListening()
        if self._hashing is not None:
            self._hashing.stop()
        if self._store is not None:
            self._store.close()
        self._folder.release()

    def reload(self) -> None:
        """Read the configuration file again, and take over what can be while sessions go on."""
        try:
            new = self._options.read_config()
            refuse_open_admins(self._config, new)
            if self._certificate is not None:
                self._factory.tls = self._tls_context()
        except (WrongSetting, WrongCertificate, OSError) as error:
            _log.error("the configuration stays as it was: {error}", error=error)
            return
        for name in changed_for_restart(self._config, new):
            _log.warn("{name} is changed by a new start of the server only", name=name)
        self._chat.limits.change_to(new.limits)
        self._accounts.registration_open = new.registration_open
        self._factory.name = new.name
        self._services.admins = new.admins
        _log.info("the configuration was read again")

    async def _stop(self) -> None:
        await DeferredList([Deferred.fromCoroutine(_stopped(port)) for port in self._ports])
        self._ports.clear()
        await self._factory.stop()
        self._garbage.stop()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        settled = self._chat.settled()
        settled.addTimeout(_SETTLE_SECONDS, reactor)
        settled.addErrback(lambda failure: _log.failure("not all could be saved", failure))
        await settled
        if self._port_file is not None:
            self._port_file.remove()
        self._let_go()
        _log.info("stopped")

    def stopService(self) -> Deferred[None]:
        """Say goodbye to all, commit what is queued, and close."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    def _open(self) -> None:
        config = self._config
        store = self._store = SQLiteStore(
            self._folder.database, StoreThreads(reactor), wall_ms, self._terminal.show_progress
        )
        hashing = self._hashing = ThreadPool(0, _HASHING_THREADS, "irchat-hashing")
        hashing.start()
        delivery = Delivery(reactor)
        presence = PresenceFeed(reactor, delivery)
        self._chat = ChatService(
            store,
            delivery.publish,
            presence.changed,
            reactor,
            wall_ms,
            config.limits,
            gathers=True,
        )
        self._accounts = Accounts(
            self._chat.directory,
            self._chat.queue,
            store,
            lambda call, *args: deferToThreadPool(reactor, hashing, call, *args),
            wall_ms,
            registration_open=config.registration_open,
            passwords=not config.no_passwords,
        )
        admission = Admission(config.limits, reactor.seconds)
        self._services = Services(self._chat, self._accounts, delivery, presence, admission, config.admins)
        self._certificate: Path | None = None
        tls = None if config.no_tls else self._tls_context()
        self._factory = ChatFactory(self._services, reactor, name=config.name, tls=tls)
        began = reactor.seconds()
        self._administration = Administration(
            self._chat,
            self._accounts,
            lambda: float(reactor.seconds() - began),
            lambda: len(self._factory.connections),
        )

    def _tls_context(self) -> ssl.SSLContext:
        if self._config.tls_cert is not None and self._config.tls_key is not None:
            self._certificate, key = self._config.tls_cert, self._config.tls_key
        else:
            self._certificate, key = certificates.ensure_self_signed(self._folder.path, socket.gethostname())
        return certificates.server_context(self._certificate, key)

    def _listen(self) -> None:
        port = reactor.listenTCP(
            self._config.port, self._factory, backlog=_BACKLOG, interface=_interface(self._config.host)
        )
        self._ports.append(port)
        # All that it accepts have these too. What we write at once is a whole already and is to wait for nothing more.
        port.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self.port: int = port.getHost().port
        path = self._folder.path / control.SOCKET_FILE
        path.unlink(missing_ok=True)  # of a server that died: the folder is ours
        try:
            self._ports.append(
                reactor.listenUNIX(str(path), control.ControlFactory(self._administration), mode=0o600, wantPID=False)
            )
        except (OSError, CannotListenError) as error:
            _log.error("irchat.admin cannot reach this server while it runs: {error}", error=error)

    def _write_port_file(self) -> None:
        try:
            self._port_file = PortFile.write(self._runtime_folder, port=self.port, tls=self._certificate is not None)
        except OSError as error:
            _log.error("clients of this machine must be told the port: {error}", error=error)

    def _banner(self) -> str:
        listening = self._config.host or "all addresses"
        address = self._config.host or _own_address()
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


def _check(config: Config) -> None:
    """See what can be seen without writing; ends the process with one line on standard error."""
    try:
        folder = DataFolder(config.data)
        folder.check()
        check_database(folder.database)
        if config.tls_cert is not None and config.tls_key is not None:
            certificates.server_context(config.tls_cert, config.tls_key)
        interface = _interface(config.host)
        family, kind, _, _, address = socket.getaddrinfo(
            interface, config.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror:
        _fail(f"--host {config.host} is no IP address of this machine")
    except TOLD as error:
        _fail(explain(error, config))


class _CannotStart(SystemExit, Exception):
    """Ends the process with one line. It is an Exception too, for of nothing else does twistd's daemon tell the process
    that was started, which would wait for it for ever."""


def _fail(line: str) -> NoReturn:
    raise _CannotStart(f"irchat: {line}")


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
