"""Many full screens over SSH that come and go, and one whose client is stopped while much is drawn."""

import os
import shutil
import signal
from pathlib import Path
from typing import NamedTuple

from tests.helpers.processes import JSONClient, ServerProcess, TerminalProcess, wait_for
from tests.helpers.ssh_clients import make_key, ssh_command

PASSWORD = "correct horse"
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1_024
_GAPS_KIB = 4_096
_UNLIMITED = ("--rate", "0", "--per-address", "0", "--per-user", "0", "--pending", "0")


class Use(NamedTuple):
    """The memory of a process in KiB, and its open files."""

    memory: int
    files: int

    def __str__(self) -> str:
        return f"{self.memory / 1024:.1f} MiB and {self.files} open files"


class Screens:
    """A real server, and the user alice with a key, whose screens the system's ssh opens."""

    def __init__(self, home: Path) -> None:
        if shutil.which("ssh") is None:
            raise SystemExit("ssh is needed: apt-get install openssh-client")
        self._home = home
        self.server = ServerProcess(home, *_UNLIMITED)
        self.alice, self.bob = JSONClient(self.server), JSONClient(self.server)
        for client, name in (self.alice, "alice"), (self.bob, "bob"):
            assert client.ask(type="register", name=name, password=PASSWORD)["type"] == "welcome"
        assert self.alice.ask(type="add_key", key=make_key(home, "alice"))["type"] == "keys"
        self.open: list[TerminalProcess] = []

    def join(self, count: int) -> None:
        """Open screens, some at a time."""
        for first in range(0, count, 10):
            new = [self._screen() for _ in range(first, min(first + 10, count))]
            for screen in new:
                screen.expect("alice@")
            self.open += new

    def leave(self) -> None:
        """Leave all screens as a user does, and wait until nothing of them is left."""
        for screen in self.open:
            screen.press(b"\x04")
        for screen in self.open:
            assert screen.wait() == 0
            screen.close()
        self.open.clear()
        wait_for(lambda: "unlisted" not in self.alice.ask(type="sessions"), "the sessions to end")

    def use(self) -> tuple[Use, Use]:
        """Return what the server and the process of the door have."""
        pid = self.server.process.pid
        (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return _use(pid), _use(int(child))

    def close(self) -> None:
        """End everything."""
        for screen in self.open:
            screen.close()
        self.server.stop()

    def _screen(self) -> TerminalProcess:
        return TerminalProcess(ssh_command(self._home, self.server.port, "alice", key="alice"), self._home, 80, 24)


def soak(home: Path, screens: int, rounds: int, messages: int) -> str:
    """Run both tests. Return their figures."""
    folders = home / "coming", home / "stopped"
    for folder in folders:
        folder.mkdir()
    return f"{come_and_go(folders[0], screens, rounds)}\n{stop_client(folders[1], messages)}"


def come_and_go(home: Path, screens: int, rounds: int) -> str:
    """Let screens join and leave several times. The first time makes caches, and the others must add nothing."""
    company = Screens(home)
    try:
        uses = []
        for _ in range(rounds):
            company.join(screens)
            company.bob.ask(type="send", chat="GLOBAL", text="something to draw")
            company.leave()
            uses.append(company.use())
        for before, after in zip(uses[0], uses[-1], strict=True):
            assert after.files <= before.files, f"files are left open: {uses}"
            # What is left of a screen would be a megabyte. A tenth is for the gaps between what is in use.
            assert after.memory - before.memory < _GAPS_KIB + 100 * screens * (rounds - 1), f"memory is left: {uses}"
    finally:
        company.close()
    lines = [f"after {screens} screens: server {one}, door {two}" for one, two in uses]
    return "\n".join(lines)


def stop_client(home: Path, messages: int) -> str:
    """Stop the client of a screen while much is drawn for it. Its share of the memory must be bounded."""
    company = Screens(home)
    try:
        company.join(2)
        stalled, other = company.open
        company.bob.ask(type="send", chat="GLOBAL", text="before")
        other.expect("before")
        before = company.use()
        os.kill(stalled.process.pid, signal.SIGSTOP)
        most = before
        for number in range(messages):
            company.bob.ask(type="send", chat="GLOBAL", text=f"{number} " + "x " * 500)
            if number % 100 == 0:
                most = max(most, company.use(), key=lambda uses: uses[0].memory + uses[1].memory)
        other.expect(f"{messages - 1} x x")
        now = company.use()
        os.kill(stalled.process.pid, signal.SIGCONT)
        stalled.expect(f"{messages - 1} x x")
        for one, two in zip(before, most, strict=True):
            assert two.memory - one.memory < 32 * 1_024, f"memory grew from {one} to {two}"
        company.leave()
    finally:
        company.close()
    return f"before: {before[0]}, {before[1]}; with a stopped client: {now[0]}, {now[1]}"


def _use(pid: int) -> Use:
    resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
    return Use((int(resident) - int(shared)) * _PAGE_KIB, len(os.listdir(f"/proc/{pid}/fd")))
