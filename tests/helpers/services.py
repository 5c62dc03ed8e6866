"""PostgreSQL, Redis and haproxy for tests: real servers on ports and folders of their own.

A test that needs one is skipped where it is not installed, unless IRCHAT_TEST_SERVICES is set: there that is an error.
"""

import atexit
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import NoReturn

from twisted.trial.unittest import SkipTest

# A whole file system in memory makes a durable commit cheap, and leaves nothing behind after a crash of the machine.
_MEMORY = Path("/dev/shm")
_PREFIX = "irchat-test-"
_START_SECONDS = 60.0
_PORTS = range(10_000, 32_000)
_INITDB = "usr/lib/postgresql/*/bin/initdb"
# Debian has haproxy in a folder that is not in the PATH of users.
_MORE_PATHS = "/usr/local/sbin:/usr/sbin:/sbin"
_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
shared_buffers = 64MB
max_connections = 200
logging_collector = off
log_min_messages = warning
"""


class Service:
    """A process in a folder of its own. It ends with the process of the tests, however that ends."""

    def __init__(self, name: str, user: str | None = None) -> None:
        _remove_abandoned()
        place = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{name}-", dir=place))
        self.port = free_port()
        self._as = _as_user(user) if user is not None and os.getuid() == 0 else []
        if self._as and user is not None:
            os.chown(self.folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.remove)

    @property
    def command(self) -> Sequence[str]:
        """The command that runs it in the foreground."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    def start(self, pause: Callable[[], object] = lambda: time.sleep(0.02)) -> None:
        """Start it, and wait until it answers, with a ``pause`` between two looks."""
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._as, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{self.command[0]} does not answer: {self.output()}")
            pause()

    def answers(self) -> bool:
        """Return whether it accepts connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def output(self) -> str:
        """Return its output."""
        return (self.folder / "output.log").read_text("utf-8", "replace")

    def send_signal(self, number: int) -> None:
        """Send a signal to its process alone."""
        os.kill(self.pid, number)

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it with a signal, and wait."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def remove(self) -> None:
        """End it, and delete its folder."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresServer(Service):
    """A PostgreSQL server that is durable as on a real machine. Its only user is ``irchat``, without a password."""

    def __init__(self, settings: str = "") -> None:
        programs = postgres_programs()
        super().__init__("postgres", "postgres")
        self._programs = programs
        self._numbers = count(1)
        self._make_data(settings)

    def _make_data(self, settings: str) -> None:
        """Create the folder of its data."""
        data = self.folder / "data"
        made = [*self._as, f"{self._programs}/initdb", "-D", str(data), "-U", "irchat", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*made, "--locale=C.UTF-8", "-N"], check=True, capture_output=True, cwd=self.folder)
        with (data / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS + settings)

    @property
    def command(self) -> Sequence[str]:
        return [f"{self._programs}/postgres", "-D", str(self.folder / "data"), "-p", str(self.port)]

    def answers(self) -> bool:
        ready = [f"{self._programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def new_database(self) -> str:
        """Create an empty database. Return its URL."""
        name = f"chat{os.getpid()}_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, with all connections to it."""
        self.run(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://irchat@127.0.0.1:{self.port}/{database}"

    def run(self, sql: str, database: str = "postgres") -> str:
        """Run a statement with psql. Return its rows."""
        psql = [f"{self._programs}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)]
        done = subprocess.run([*psql, "-c", sql], check=True, capture_output=True, text=True)
        return done.stdout


class PostgresStandby(PostgresServer):
    """A standby of a running ``primary``, which follows it from its start on."""

    def __init__(self, primary: PostgresServer) -> None:
        self._primary = primary
        super().__init__()

    def _make_data(self, settings: str) -> None:
        program, data = f"{self._programs}/pg_basebackup", str(self.folder / "data")
        source = ["-d", self._primary.url(), "-R", "--checkpoint=fast", "--no-sync"]
        subprocess.run([*self._as, program, "-D", data, *source], check=True, capture_output=True, cwd=self.folder)

    def promote(self) -> None:
        """Make it a primary."""
        self.run("SELECT pg_promote(true, 60)")


class RedisServer(Service):
    """A Redis server that stores nothing."""

    def __init__(self, *options: str, settings: Path | None = None) -> None:
        self._program = program("redis-server")
        super().__init__("redis")
        self._options = options
        self._settings = [] if settings is None else [str(settings)]

    @property
    def command(self) -> Sequence[str]:
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        return [self._program, *self._settings, *where, *self._options]

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"redis://127.0.0.1:{self.port}"

    def run(self, *words: str) -> str:
        """Run a command with redis-cli. Return its answer."""
        command = [program("redis-cli"), "-p", str(self.port), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def monitor(self, output: Path) -> "subprocess.Popen[bytes]":
        """Write all commands that the server receives from now on to a file."""
        with output.open("wb") as file:
            command = [program("redis-cli"), "-p", str(self.port), "MONITOR"]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file)
        while b"OK" not in output.read_bytes():
            time.sleep(0.02)
        return process


class Haproxy(Service):
    """A TCP balancer over ``ports`` of the loopback interface. ``server`` is added to the line of each of them."""

    def __init__(self, ports: Sequence[int], server: str = "check inter 200ms fall 1 rise 1") -> None:
        self._program = program("haproxy")
        super().__init__("haproxy")
        nodes = "\n".join(f"  server node{port} 127.0.0.1:{port} {server}" for port in ports)
        (self.folder / "haproxy.cfg").write_text(
            "defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1h\n  timeout server 1h\n  retries 3\n"
            f"  option redispatch\nlisten chat\n  bind 127.0.0.1:{self.port}\n  balance roundrobin\n"
            f"  default-server on-marked-down shutdown-sessions\n{nodes}\n"
        )

    @property
    def command(self) -> Sequence[str]:
        return [self._program, "-db", "-f", str(self.folder / "haproxy.cfg")]


@cache
def shared_postgres() -> PostgresServer:
    """Return the server that all tests of this process share. Each test has a database of its own."""
    server = PostgresServer()
    server.start()
    return server


@contextmanager
def running(service: Service) -> Iterator[Service]:
    """Start a service for a block."""
    try:
        service.start()
        yield service
    finally:
        service.remove()


def postgres_programs() -> Path:
    """Return the folder of PostgreSQL's programs, of the newest version. Raises SkipTest."""
    folders = sorted((path.parent for path in Path("/").glob(_INITDB)), key=lambda path: int(path.parent.name))
    if not folders:
        missing("PostgreSQL")
    return folders[-1]


def free_port() -> int:
    """Return a port of the loopback interface that is free now.

    It is below the ports of outgoing connections: any connection of another process could take one of those meanwhile.
    """
    for port in random.sample(_PORTS, 1_000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("no port is free")


def program(name: str) -> str:
    """Return the path of a program. Raises SkipTest."""
    path = shutil.which(name) or shutil.which(name, path=_MORE_PATHS)
    if path is None:
        missing(name)
    return path


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where the environment asks for all services."""
    text = f"{what} is not installed"
    if os.environ.get("IRCHAT_TEST_SERVICES"):
        raise AssertionError(f"{text}, and IRCHAT_TEST_SERVICES asks for all services")
    raise SkipTest(text)


def _as_user(user: str) -> list[str]:
    """Return the command prefix that runs a command as another user: PostgreSQL refuses to run as root."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--pdeathsig", "KILL"]


def _remove_abandoned(exists: Callable[[str], bool] = lambda pid: Path(f"/proc/{pid}").exists()) -> None:
    """Delete the folders of test processes that were killed."""
    for folder in _MEMORY.glob(f"{_PREFIX}*"):
        if not exists(folder.name.removeprefix(_PREFIX).partition("-")[0]):
            shutil.rmtree(folder, ignore_errors=True)
