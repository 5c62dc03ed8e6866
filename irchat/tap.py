"""``twistd irchat``: the options, and the service that wires a server together."""

import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from twisted.application.service import Service
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.logger import Logger
from twisted.python import usage
from twisted.python.failure import Failure

from irchat import __version__
from irchat.chat.accounts.accounts import Accounts
from irchat.chat.accounts.administration import Administration
from irchat.chat.local_bus import LocalBus
from irchat.chat.service import ChatService
from irchat.interfaces.store import Store
from irchat.net.port_note import PortFile, default_directory
from irchat.server.admission import Admission
from irchat.server.delivery.delivery import Delivery
from irchat.server.delivery.persona_feed import PersonaFeed
from irchat.server.delivery.presence_feed import PresenceFeed
from irchat.server.gc_schedule import GCSchedule
from irchat.server.listeners import certificates, control_socket
from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.local_files import LocalFiles
from irchat.server.listeners.registry import ConnectionRegistry
from irchat.server.protocols.offers import all_protocols
from irchat.server.reactor_tuning import take_few_at_a_time
from irchat.server.sessions.rate_limiter import RateLimiters
from irchat.server.sessions.services import Services
from irchat.settings import (
    SETTINGS,
    Config,
    Names,
    Networks,
    Setting,
    WrongSetting,
    changed_for_restart,
    make_config,
    read_file,
    refuse_open_admins,
)
from irchat.startup_errors import StartingTerminal, end_start, explain, unexpected
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.migrations import check as check_database
from irchat.store.threads import StoreThreads
from irchat.system import hangup
from irchat.system.clock import install_forward_clock, wall_ms
from irchat.system.core_dumps import forbid_core_dumps
from irchat.system.files.atomic_files import replace_file
from irchat.system.files.data_folder import NODE_FILE, DataFolder
from irchat.system.streams import prepare_streams
from irchat.system.supervisor import notify
from irchat.system.workers import FairPool
from irchat.twistd_checks import check_twistd, command_name
from irchat.wiring.banner import Started
from irchat.wiring.irc import make_irc
from irchat.wiring.opening import check_node, open_figures, open_node
from irchat.wiring.ports import Ports, check_ports
from irchat.wiring.ssh import host_key

if TYPE_CHECKING:
    from irchat.wiring.node import Node

reactor: Any = _reactor

_HASHING_THREADS = 2
# At least the number of reader threads of the store.
_READING_THREADS = 5
# Seconds that a stop waits for queued changes to be committed.
_SETTLE_SECONDS = 3.0

_log = Logger()


def _default(setting: Setting) -> str:
    return "" if setting.default is None else f" [default: {setting.default}]"


def help_of(name: str) -> str:
    """Return the help of a setting."""
    return next(setting.help for setting in SETTINGS if setting.name == name)


class Options(usage.Options):
    """The options of ``twistd irchat``. An invalid option ends the process with one line on standard error.

    The settings are in ``config``. The command line takes precedence over the configuration file.
    """

    optParameters: Sequence[Sequence[Any]] = [
        ["config", None, None, "Configuration file (TOML) with settings of these names; read again on SIGHUP"],
        *(
            [setting.name, None, None, setting.help + _default(setting)]
            for setting in SETTINGS
            if not isinstance(setting.default, bool | Names | Networks)
        ),
    ]
    optFlags: Sequence[Sequence[Any]] = [
        [setting.name, None, setting.help] for setting in SETTINGS if isinstance(setting.default, bool)
    ]

    def __init__(self) -> None:
        usage.Options.__init__(self)
        self._repeated: dict[str, list[str]] = {}
        self.config: Config

    def opt_admin(self, name: str) -> None:
        self._repeated.setdefault("admin", []).append(name)

    def opt_proxy_from(self, network: str) -> None:
        self._repeated.setdefault("proxy-from", []).append(network)

    def opt_web_proxy(self, network: str) -> None:
        self._repeated.setdefault("web-proxy", []).append(network)

    opt_admin.__doc__ = help_of("admin")
    opt_proxy_from.__doc__ = help_of("proxy-from")
    opt_web_proxy.__doc__ = help_of("web-proxy")

    def opt_version(self) -> NoReturn:
        """Show the version and exit."""
        print(f"IRChat {__version__}")  # noqa: T201
        sys.exit(0)

    def getSynopsis(self) -> str:
        """Return the first line of the help."""
        return f"Usage: {command_name()} [options]"

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse the command line."""
        prepare_streams()
        try:
            check_twistd(self.parent)
            usage.Options.parseOptions(self, options)
            if self["config"] is not None:
                self["config"] = Path(self["config"]).absolute()  # a daemon changes its working directory
            self.config = self.read_config()
        except (usage.UsageError, WrongSetting) as error:
            end_start(f"{str(error).rstrip('.')}; see {command_name()} --help")
        except OSError as error:
            end_start(f"{error.filename or 'the command line'}: {error.strerror}; see {command_name()} --help")
        except Exception as error:
            end_start(f"cannot start: {unexpected(error)}")

    def read_config(self) -> Config:
        """Read the file again. Return the settings from file and command line. Raises WrongSetting."""
        given = {} if self["config"] is None else read_file(self["config"])
        for setting in SETTINGS:
            on_command_line = self.get(setting.name)
            if on_command_line is not None and on_command_line != 0:  # 0: an absent flag
                given[setting.name] = on_command_line
        return make_config(given | self._repeated)


def makeService(options: Options) -> "ChatServer":
    """Create the server described by ``options``, after all checks that write nothing.

    This runs before the process becomes a daemon, so errors still reach standard error.
    """
    try:
        install_forward_clock(reactor)
        take_few_at_a_time(reactor)
        _check(options.config)
        return ChatServer(options, StartingTerminal(), default_directory())
    except Exception as error:
        end_start(explain(error, options.config))


class ChatServer(Service):
    """The server. It opens its data and listens, and closes both when it stops."""

    def __init__(self, options: Options, terminal: StartingTerminal, runtime_folder: Path) -> None:
        self._options = options
        self._config = options.config
        self._terminal = terminal
        self._runtime_folder = runtime_folder
        self._folder = DataFolder(options.config.data)
        self._gc_schedule = GCSchedule(reactor)
        self._opened = ExitStack()
        self._node: Node | None = None
        self._figures_at = ""

    def startService(self) -> None:
        """Open the data and listen. If that fails, end the process with one line on standard error."""
        Service.startService(self)
        forbid_core_dumps()
        try:
            self._folder.acquire()
            self._opened.callback(self._folder.release)
            self._open()
            self._join()
            self._listen()
            lines = self._banner()
        except Exception as error:
            self._opened.close()
            self._terminal.fail(explain(error, self._config))
        self._gc_schedule.start()
        hangup.answer(lambda: reactor.callFromThread(self.reload))
        self._terminal.announce(lines)
        notify("READY=1")

    def reload(self) -> None:
        """Read the configuration file again and apply the live settings."""
        self._local_files.look()
        try:
            new = self._options.read_config()
            refuse_open_admins(self._config, new)
            if self._certificate is not None:
                self._factory.tls = self._tls_context()
        except Exception as error:
            _log.error("the configuration stays as it was: {why}", why=explain(error, self._config))
            return
        for name in changed_for_restart(self._config, new):
            _log.warn("{name} takes effect after a restart of the server", name=name)
        self._chat.limits.change_to(new.limits)
        self._accounts.registration_open = new.registration == "open"
        self._factory.name = new.name
        if self._irc is not None:
            self._irc.network, self._irc.motd = new.name, new.irc_motd
            self._irc.open_registration(is_open=self._accounts.registration_open)
        self._services.admins = new.admins
        _log.info("the configuration was read again")

    async def _stop(self) -> None:
        notify("STOPPING=1")
        with hangup.stopping():
            await self._ports.stop()
            await self._connections.stop()
            await self._ports.stop_ssh()
            self._gc_schedule.stop()
            settled = self._chat.settled()
            settled.addTimeout(_SETTLE_SECONDS, reactor)
            settled.addErrback(_not_settled)
            await settled
            if self._node is not None:
                await self._node.stop()
            await self._local_files.close()
            self._opened.close()  # the threads would keep the process alive
            _log.info("stopped")

    def stopService(self) -> Deferred[None]:
        """Say goodbye to all sessions, commit what is queued, and close."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    def _open(self) -> None:
        config = self._config
        threads = StoreThreads(reactor)
        store, wall_ms = self._open_store(threads)
        self._opened.callback(store.close)
        hashing = FairPool(reactor, "irchat-hashing", _HASHING_THREADS, nice=True)
        self._opened.callback(hashing.stop)
        threads.start()
        hashing.start()
        delivery = Delivery(reactor)
        bus = LocalBus()
        bus.subscribe(delivery.publish, delivery.publish_asides)
        presence = PresenceFeed(reactor, delivery)
        self._chat = ChatService(store, bus, presence.changed, reactor, wall_ms, config.limits, gathers=True)
        self._chat.resume()
        self._accounts = Accounts(
            self._chat.directory,
            self._chat.queue,
            store,
            hashing.do,
            wall_ms,
            registration_open=config.registration == "open",
            passwords=not config.no_passwords,
        )
        admission = Admission(config.limits, reactor.seconds)
        rate_limiters = RateLimiters(config.limits, reactor)
        self._services = Services(
            self._chat,
            self._accounts,
            delivery,
            presence,
            PersonaFeed(reactor, delivery, self._chat),
            admission,
            rate_limiters,
            config.admins,
        )
        if self._node is not None:
            self._node.connect(self._services)
        self._make_factory()

    def _open_store(self, threads: StoreThreads) -> tuple[Store, Callable[[], int]]:
        """Return the store, and the wall clock in ms that goes with it."""
        if self._config.has_store:
            self._node = open_node(self._config, reactor, threads)
            replace_file(self._folder.path / NODE_FILE, f"{self._node.name}\n".encode())
            return self._node.store, self._node.store.wall_ms
        (self._folder.path / NODE_FILE).unlink(missing_ok=True)
        sqlite = SQLiteStore(self._folder.database, threads, wall_ms, self._terminal.show_progress)
        sqlite.open_readers(_READING_THREADS)
        return sqlite, wall_ms

    def _make_factory(self) -> None:
        self._certificate: Path | None = None
        tls = None if self._config.no_tls else self._tls_context()
        self._connections = ConnectionRegistry(self._chat, reactor)
        self._irc = make_irc(self._config, self._services, reactor)
        offers = all_protocols(self._services, reactor)
        self._factory = ChatFactory(
            self._services,
            reactor,
            offers if self._irc is None else offers.with_irc(self._irc),
            self._connections,
            name=self._config.name,
            tls=tls,
            balancers=self._config.proxy_from,
        )
        began = reactor.seconds()
        self._administration = Administration(
            self._chat,
            self._accounts,
            lambda: float(reactor.seconds() - began),
            lambda: len(self._connections),
            None if self._node is None else self._node.store.nodes,
        )

    def _tls_context(self) -> ssl.SSLContext:
        if self._config.tls_cert is not None and self._config.tls_key is not None:
            self._certificate, key = self._config.tls_cert, self._config.tls_key
        else:
            self._certificate, key = certificates.ensure_self_signed(self._folder.path, socket.gethostname())
        context = certificates.server_context(self._certificate, key)
        context.set_alpn_protocols(["irchat"] if self._config.no_web else ["http/1.1", "irchat"])
        end = certificates.end_of(context)
        if end is not None and end < datetime.now(UTC):
            _log.warn("the certificate {path} ended on {end}: renew it", path=self._certificate, end=end.date())
        return context

    def _join(self) -> None:
        """Serve the metrics, and join the other nodes."""
        if self._config.metrics_port:
            self._figures_at = open_figures(reactor, self._config, self._services, self._connections, self._node)
        if self._node is not None:
            keys = [self._fingerprint(), *filter(None, [host_key(self._config)])]
            self._node.join(keys, lambda: len(self._services.delivery))

    def _listen(self) -> None:
        self._ports = Ports(reactor, self._config, self._factory, self._irc)
        self._opened.callback(self._ports.stop)
        self.port: int = self._ports.main
        if self._node is not None:
            self._node.watch(self._ports, self._connections)
        self._local_files = LocalFiles(
            reactor,
            self._folder.path / control_socket.SOCKET_FILE,
            control_socket.ControlFactory(self._administration),
            self._ports.quiet,
            lambda: PortFile(
                self._runtime_folder, port=self.port, tls=self._factory.tls is not None, fingerprint=self._fingerprint()
            ),
        )
        self._opened.callback(self._local_files.close)
        self._local_files.look()

    def _fingerprint(self) -> str:
        """Return the fingerprint of the certificate, empty without TLS."""
        return certificates.fingerprint(self._factory.tls) if self._factory.tls is not None else ""

    def _banner(self) -> str:
        node = "" if self._node is None else str(self._node.name)
        server = Started(self._config, self.port, self._folder.path, self._fingerprint(), node, self._figures_at)
        return "\n".join(self._ports.banner(server))


def _not_settled(failure: Failure) -> None:
    if failure.check(TookTooLong):
        _log.error("not all could be saved: the store takes longer than {s:g} s; look at it", s=_SETTLE_SECONDS)
    else:
        _log.failure("not all could be saved", failure)


def _check(config: Config) -> None:
    """Run all checks that write nothing. Raises the error that prevents the start."""
    folder = DataFolder(config.data)
    folder.check()
    if config.has_store:
        check_node(config)
    else:
        check_database(folder.database)
    if config.tls_cert is not None and config.tls_key is not None:
        certificates.server_context(config.tls_cert, config.tls_key)
    check_ports(config)
