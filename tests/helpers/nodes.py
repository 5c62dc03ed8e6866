"""A cluster of real processes: PostgreSQL, Redis, a balancer, and nodes that are killed, stopped and restarted."""

import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from irchat.protocol.ssh_door import HOST_KEY_FILE
from irchat.server.listeners.ssh.host_keys import ensure_host_key
from tests.helpers.loads.many_clients import unlimited
from tests.helpers.processes import PATIENCE, environment, twistd, wait_for
from tests.helpers.services import Haproxy, PostgresServer, RedisServer, free_port, program

# Connections of the balancer come from this address and begin with a PROXY header, those of the tests do not.
_BALANCER = "127.0.0.2"
_SERVER_LINE = f"check inter 200ms fall 1 rise 1 source {_BALANCER} send-proxy-v2"


class Node:
    """A node: ``twistd -n irchat``, always on the same port. All its files are in ``home``."""

    def __init__(self, name: str, home: Path, options: Sequence[str]) -> None:
        self.name = name
        self.home = home
        self.options = options
        self.port = free_port()
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        home.mkdir()

    @property
    def is_running(self) -> bool:
        """Whether the process exists. It may be stopped."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> Path:
        """The output of the last start."""
        return self.home / f"node-{self.starts}.log"

    def begin(self) -> None:
        """Start the process."""
        self.starts += 1
        place = ["--data", str(self.home / "data"), "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *twistd("-n", "--pidfile=", "irchat", *place, *self.options)],
                cwd=self.home,
                env=environment(self.home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Wait until it listens."""
        wait_for(self.listens, f"{self.name} to listen", self.log.read_text)

    def start(self) -> None:
        """Start the process, and wait until it listens."""
        self.begin()
        self.wait()

    def wait_for_end(self, patience: float = PATIENCE) -> int:
        """Return the exit status of a process that ends by itself."""
        assert self._process is not None
        return self._process.wait(patience)

    def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        assert self._process is not None
        self._process.terminate()

    def pause(self) -> None:
        """Stop its execution until `resume`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue after `pause`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def tracebacks(self) -> list[str]:
        """Return the logs with an unhandled error."""
        logs = (path.read_text("utf-8", "replace") for path in sorted(self.home.glob("node-*.log")))
        return [log for log in logs if "Traceback" in log]

    def listens(self) -> bool:
        """Return whether the last start succeeded. Raises AssertionError if the process ended."""
        log = self.log.read_text("utf-8", "replace")
        if not self.is_running:
            raise AssertionError(f"{self.name} ended: {log}")
        return f"port {self.port}, with" in log.lower()


class Cluster:
    """Nodes on one store, behind a balancer. All files are in ``home`` and in the folders of the services.

    ``options``: those of each node, besides those that lift its limits.
    """

    def __init__(self, home: Path, nodes: int = 3, *options: str) -> None:
        program("haproxy")  # it is started last: do not find out then
        self.home = home
        self.options = [*unlimited(), *options]
        self.postgres = PostgresServer()
        self.redis = RedisServer()
        self.database = ""
        self.key = home / "bus.key"
        self.nodes: list[Node] = []
        self._count = nodes
        self.balancer: Haproxy

    def start(self) -> None:
        """Start everything."""
        self.postgres.start()
        self.redis.start()
        self.database = self.make_database()
        self.key.touch(0o600)
        self.key.write_bytes(secrets.token_bytes(32))
        self.nodes = [self.new_node(f"node{number}") for number in range(1, self._count + 1)]
        for node in self.nodes:
            node.begin()
        for node in self.nodes:
            node.wait()
        self.balancer = Haproxy([node.port for node in self.nodes], _SERVER_LINE)
        self.balancer.start()

    def store_url(self, name: str) -> str:
        """Return the URL by which a node connects to PostgreSQL."""
        return self.database

    def bus_url(self, name: str) -> str:
        """Return the URL by which a node connects to Redis."""
        return self.redis.url

    def make_database(self) -> str:
        """Create the database. Return its URL."""
        return self.postgres.new_database()

    def new_node(self, name: str, *options: str, folder: str = "", bus: bool = True) -> Node:
        """Return a node that is not started yet."""
        store = ["--store", self.store_url(name), "--node", name, "--proxy-from", _BALANCER]
        bus_options = ["--bus", self.bus_url(name), "--bus-key", str(self.key)] if bus else []
        node = Node(name, self.home / (folder or name), [*self.options, *store, *bus_options, *options])
        (node.home / "data").mkdir(0o700)
        ensure_host_key(self.home)
        shutil.copy(self.home / HOST_KEY_FILE, node.home / "data")
        return node

    def close(self) -> None:
        """End everything, and delete the folders of the services."""
        for node in self.nodes:
            node.kill()
        if hasattr(self, "balancer"):
            self.balancer.remove()
        self.redis.remove()
        self.postgres.remove()

    def end_backends(self, where: str = "true") -> int:
        """End PostgreSQL's processes for the nodes that match a condition of SQL. Return their number."""
        ended = self.sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND ({where})"
        )
        return int(ended)

    def sql(self, statement: str) -> str:
        """Run a statement in the database of the nodes."""
        return self.postgres.run(statement, self.database.rpartition("/")[2]).strip()

    def kill_postgres(self) -> None:
        """``kill -9`` of the postmaster. Its other processes notice that and end too."""
        self.postgres.stop(signal.SIGKILL)

    def restart_postgres(self, pause: Callable[[], object] = lambda: time.sleep(0.1)) -> None:
        """Start PostgreSQL again. It refuses while processes of the last start are alive."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.postgres.start(pause)
                return
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                pause()

    def cut_bus(self) -> None:
        """End all connections of the nodes to Redis."""
        with socket.create_connection(("127.0.0.1", self.redis.port)) as connection:
            connection.sendall(b"CLIENT KILL TYPE normal SKIPME yes\r\nCLIENT KILL TYPE pubsub\r\nQUIT\r\n")
            while connection.recv(4096):
                pass

    def folders(self) -> list[Path]:
        """Return the folders with all files of nodes and services."""
        return [self.home, self.postgres.folder, self.redis.folder, self.balancer.folder]


@contextmanager
def running_cluster(home: Path, nodes: int = 3, *options: str, kind: type[Cluster] = Cluster) -> Iterator[Cluster]:
    """Run a cluster for a block."""
    cluster = kind(home, nodes, *options)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


def find_bytes(folders: Sequence[Path], wanted: bytes) -> list[Path]:
    """Return the files under ``folders`` that contain ``wanted``."""
    found = []
    for path in (path for folder in folders for path in folder.rglob("*")):
        with suppress(FileNotFoundError, NotADirectoryError):  # PostgreSQL deletes files at any time
            if path.is_file() and wanted in path.read_bytes():
                found.append(path)
    return found
