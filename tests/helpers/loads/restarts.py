"""One data folder, the servers that die on it one after another, and clients that check what each has stored."""

import random
from pathlib import Path
from typing import Any

from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import opened
from irchat.system.files.data_folder import DATABASE_FILE
from tests.helpers.loads.many_clients import AnyPeer, Crowd, Peer, unlimited
from tests.helpers.processes import ServerProcess


def check_database(path: Path) -> None:
    """Raise AssertionError if the database is inconsistent."""
    with opened(path) as connection:
        if found := list(problems(connection)):
            raise AssertionError(f"{path}: {found}")


class DyingServer:
    """Kills a server in each `cycle` and restarts it. Raises AssertionError if something is lost."""

    def __init__(self, home: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.cycles = 0
        self.messages = 0
        self._home = home
        self._server = self._start()
        self._crowd = Crowd()

    def begin(self) -> None:
        """Prepare for all cycles."""

    def cycle(self) -> None:
        """Talk, kill, restart and check."""
        raise NotImplementedError

    def look_again(self) -> None:
        """Check everything once more at the end."""
        raise NotImplementedError

    def figures(self) -> str:
        """Return the figures."""
        return f"{self.cycles} kills, {self.messages} messages there"

    def run(self, cycles: int) -> str:
        """Run the cycles, then stop the server. Return figures."""
        try:
            self.begin()
            for _ in range(cycles):
                self.cycles += 1
                self.cycle()
            self.look_again()
            self._hang_up()
            self._server.stop()
            self._check_log(self._server.log)
            check_database(self._server.data / DATABASE_FILE)
        finally:
            self._crowd.close()
            self._server.kill()
        return self.figures()

    def _start(self) -> ServerProcess:
        for log in self._home.glob("server-*.log"):
            self._check_log(log)
            log.unlink()
        return ServerProcess(self._home, "--no-tls", "--no-passwords", *unlimited())

    def _check_log(self, log: Path) -> None:
        if "Traceback" in (said := log.read_text()):
            raise AssertionError(said)

    def _resumed(self, peer: AnyPeer, token: str) -> AnyPeer:
        welcome = self._ask(self._crowd.join(peer), type="resume", token=token)
        if welcome["type"] != "welcome":
            raise AssertionError(welcome)
        return peer

    def _ask(self, peer: Peer, **request: Any) -> dict[str, Any]:
        replies: list[dict[str, Any]] = []
        peer.post(replies.append, **request)
        self._crowd.until(lambda: replies or not peer.is_open, "a reply")
        if not replies:
            raise AssertionError("the connection ended")
        return replies[0]

    def _hang_up(self) -> None:
        for peer in self._crowd.peers:
            peer.close()
        self._crowd.peers.clear()

    def _page_through(self, reader: Peer, chat: str, after: int) -> list[str]:
        """Return the texts after a seq. Check that none is missing or doubled."""
        texts: list[str] = []
        while True:
            page = self._ask(reader, type="history", chat=chat, after=after + len(texts), limit=500)
            messages = [message for message in page["messages"] if "seq" in message]
            begin = after + len(texts) + 1
            if [message["seq"] for message in messages] != list(range(begin, begin + len(messages))):
                raise AssertionError(f"{chat}: not in one row from {begin}: {messages}")
            texts += [message["text"] for message in messages]
            if not page["more"]:
                return texts
