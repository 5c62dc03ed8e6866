"""Show several nodes as one chat: ``python -m docs.cluster``.

Starts PostgreSQL, Redis, haproxy (Debian's packages ``postgresql``, ``redis-server``, ``haproxy``) and three nodes
in temporary folders, opens two clients on different nodes, kills nodes, and shows that the talk goes on.
"""

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from unittest import SkipTest

try:
    import psycopg  # noqa: F401 -- this and the next one are for the nodes
    import txredisapi  # noqa: F401

    from tests.helpers.nodes import Cluster, Node
    from tests.helpers.processes import TerminalProcess, wait_for
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is not installed: pip install '.[cluster,test]'")

_ESTABLISHED = "01"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


class Demonstration:
    """Two people in two terminals. ``home`` is the folder for all files of the nodes and clients."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._cluster = Cluster(home, 3, "--no-tls", "--no-passwords")
        self._people: dict[str, TerminalProcess] = {}
        self._streams: dict[str, tuple[int, int]] = {}

    def run(self) -> None:
        """Show everything."""
        _say("Starting PostgreSQL, Redis, three nodes and haproxy ...")
        self._cluster.start()
        cluster = self._cluster
        _say(f"  PostgreSQL on port {cluster.postgres.port}, Redis on port {cluster.redis.port}")
        for node in cluster.nodes:
            _say(f"  {node.name} on port {node.port}: twistd -n irchat {' '.join(node.options[-10:])}")
        _say(f"  haproxy on port {cluster.balancer.port}: this is where the clients connect")
        for name in "alice", "bob":
            self._join(name)
        self._talk("alice", "bob", "Hello Bob, can you hear me?")
        self._talk("bob", "alice", "Yes, Alice, though you are on another node.")
        for name, other in ("bob", "alice"), ("alice", "bob"):
            node = self._place(name)
            _say(f"kill -9 of {node.name}, the node of {name.capitalize()}")
            killed = time.monotonic()
            node.kill()
            self._talk(other, name, f"Did {node.name} die?")
            self._talk(name, other, f"If {node.name} died, I hardly noticed.")
            _say(f"  {time.monotonic() - killed:.1f} s after the kill, both have written and read.")
            _say(f"  {name.capitalize()} is on {self._place(name).name} now.")
            node.start()
            _say(f"  {node.name} runs again.")
        self._timed()

    def close(self) -> None:
        """End everything."""
        for person in self._people.values():
            person.close()
        self._cluster.close()

    def _join(self, name: str) -> None:
        home = self._home / name
        home.mkdir()
        address = f"{name}@127.0.0.1:{self._cluster.balancer.port}"
        person = self._people[name] = TerminalProcess.full_screen(address, home, "--no-tls", columns=100)
        person.expect("Welcome")
        _say(f"{name.capitalize()} has joined, on {self._place(name).name}")

    def _type(self, name: str, line: str) -> None:
        """Type a line. A client sends only what its screen shows."""
        person = self._people[name]
        person.press(line.encode())
        person.expect(f"> {line}")
        person.press(b"\r")

    def _talk(self, sender: str, reader: str, text: str) -> None:
        self._type(sender, text)
        self._people[reader].expect(text)
        _say(f"  {sender.capitalize()}: {text}")

    def _timed(self) -> None:
        text = "This will be gone soon."
        self._type("alice", f"*3* {text}")
        self._people["bob"].expect(text)
        _say(f"  Alice, for 3 seconds: {text}")
        self._people["bob"].expect_gone(text)
        _say("  It is gone from Bob's screen. It was in the memory of all nodes, and in no file.")

    def _place(self, name: str) -> Node:
        """Return the node that a client is connected to, through the balancer."""
        others = {stream for person, stream in self._streams.items() if person != name}

        def look() -> tuple[int, int] | None:
            before = self._established()
            time.sleep(0.5)  # the balancer's checks of the nodes are over by then
            return next(iter(before & self._established() - others), None)

        stream = self._streams[name] = wait_for(look, f"the connection of {name}")
        return next(node for node in self._cluster.nodes if node.port == stream[0])

    def _established(self) -> set[tuple[int, int]]:
        """Return the established connections to nodes, as the ports of both sides."""
        ports = {node.port for node in self._cluster.nodes}
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        found = {(_port(row[1]), _port(row[2])) for row in rows if row[3] == _ESTABLISHED}
        return {stream for stream in found if stream[0] in ports}


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def main() -> int:
    """Run the demonstration. Return the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # clean up
    home = Path(tempfile.mkdtemp(prefix="irchat-"))
    try:
        demonstration = Demonstration(home)
        try:
            demonstration.run()
        finally:
            demonstration.close()
    except SkipTest as missing:
        _say(f"{missing}: apt install postgresql redis-server haproxy")
        return 1
    except AssertionError as failed:
        _say(f"This failed: {failed}")
        return 1
    except KeyboardInterrupt:
        _say("Stopped.")
        return 128 + signal.SIGINT
    finally:
        shutil.rmtree(home, ignore_errors=True)
    _say("All processes are ended, all folders deleted.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
