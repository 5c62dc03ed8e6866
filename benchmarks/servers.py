"""The measured servers, each a process on the loopback interface with its limits raised."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import irchat
from benchmarks.measure import cpu_seconds, memory_bytes
from irchat.server.listeners.certificates import ensure_self_signed

HOST = "127.0.0.1"
_PATIENCE = 60.0
_LISTENS = re.compile(r"port (\d+), with", re.IGNORECASE)

_NO_LIMITS = ("rate", "per-address", "per-user", "pending", "tries", "registrations", "groups", "timed")

_INSPIRCD = """
<server name="irc.bench" description="benchmark" network="bench">
<admin name="nobody" nick="nobody" email="nobody@localhost">
{bind}
<connect allow="*" timeout="600" threshold="1000000000" commandrate="1000000000" fakelag="no" pingfreq="86400"
 hardsendq="104857600" softsendq="104857600" recvq="1048576" localmax="100000" globalmax="100000" limit="100000"
 maxchans="10000" resolvehostnames="no" useident="no">
<performance softlimit="100000" somaxconn="4096" netbuffersize="65534" quietbursts="yes">
<channels users="10000" opers="10000">
<security maxtargets="20">
<maxlist chan="*" limit="100">
<log method="file" type="*" level="error" target="{folder}/inspircd.log">
"""

_NGIRCD = """
[Global]
Name = irc.bench
Info = benchmark
Listen = 127.0.0.1
Ports = {port}
PidFile = {folder}/ngircd.pid
ServerGID = nogroup
ServerUID = nobody
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = 0
PingTimeout = 86400
PongTimeout = 86400
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
"""


class Server:
    """A running server. ``dialect`` is the protocol of its clients: ``irc`` or ``json``."""

    name: str
    dialect = "irc"
    at_once = 256
    """The maximum number of sign-ins in progress."""
    connection: Any = None
    """The class of its connections. None: `benchmarks.load.Connection`."""

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        self.folder = folder
        self.tls = tls
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{self.name}.log"
        self.port = 0
        begun = time.perf_counter()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd=folder,  # a folder for core files, which InspIRCd leaves when it is ended
            )
        self._wait()
        self.start_seconds = time.perf_counter() - begun

    def cpu(self) -> float:
        """Return the CPU time so far, in seconds."""
        return cpu_seconds(self.process.pid)

    def memory(self) -> int:
        """Return the memory, in bytes."""
        return memory_bytes(self.process.pid)

    def stop(self) -> None:
        """Stop the server."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        return dict(os.environ)

    def _wait(self) -> None:
        """Wait until the server listens."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self._listens():
                return
            time.sleep(0.005)
        raise RuntimeError(f"{self.name} does not start: {self.log.read_text()}")

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
            return True
        return False


class IRChat(Server):
    """``twistd -n irchat`` on the data folder ``data``. ``turns``: time the turns of its reactor.

    ``limited``: keep the default limits and passwords.
    """

    name = "IRChat"
    dialect = "json"

    def __init__(
        self, folder: Path, data: Path, *, tls: bool = False, turns: bool = False, limited: bool = False
    ) -> None:
        self._data = data
        self._limited = limited
        self._report = folder / "turns.json" if turns else None
        super().__init__(folder, tls=tls)

    def turns(self) -> dict[str, Any]:
        """Return the durations of the reactor's turns since the last call, in seconds."""
        assert self._report is not None
        self._report.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + _PATIENCE
        while not self._report.exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        report: dict[str, Any] = json.loads(self._report.read_text())
        return report

    def _command(self) -> list[str]:
        runner = [str(Path(sys.executable).with_name("twistd"))]
        if self._report is not None:
            runner = [sys.executable, "-m", "benchmarks.turns", str(self._report)]
        options = ["--data", str(self._data), "--host", HOST, "--port", "0"]
        if not self._limited:
            options += ["--no-passwords", *(word for limit in _NO_LIMITS for word in (f"--{limit}", "0"))]
        return [*runner, "-n", "--pidfile=", "irchat", *options, *([] if self.tls else ["--no-tls"])]

    def _environment(self) -> dict[str, str]:
        runtime = self.folder / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        return {
            **os.environ,
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(Path(__file__).parent.parent),
        }

    def _listens(self) -> bool:
        found = _LISTENS.search(self.log.read_text())
        self.port = int(found[1]) if found else 0
        return found is not None


class IRChatForIRC(IRChat):
    """IRChat whose clients speak IRC."""

    name = "IRChat-IRC"
    dialect = "irchat-irc"


class InspIRCd(Server):
    """InspIRCd, with its GnuTLS module for ``tls``."""

    name = "InspIRCd"

    def _command(self) -> list[str]:
        self.port = free_port()
        if self.tls:
            certificate, key = ensure_self_signed(self.folder, "localhost")
            bind = (
                f'<module name="ssl_gnutls"><sslprofile name="bench" provider="gnutls" certfile="{certificate}"'
                f' keyfile="{key}"><bind address="{HOST}" port="{self.port}" type="clients" sslprofile="bench">'
            )
        else:
            bind = f'<bind address="{HOST}" port="{self.port}" type="clients">'
        settings = self.folder / "inspircd.conf"
        settings.write_text(_INSPIRCD.format(bind=bind, folder=self.folder))
        return ["inspircd", "--config", str(settings), "--nofork", "--nopid", "--runasroot"]


class NgIRCd(Server):
    """ngIRCd."""

    name = "ngIRCd"
    at_once = 8  # its listen backlog is short

    def _command(self) -> list[str]:
        self.port = free_port()
        settings = self.folder / "ngircd.conf"
        settings.write_text(_NGIRCD.format(port=self.port, folder=self.folder))
        return ["ngircd", "-n", "-f", str(settings)]


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def installed() -> list[type[Server]]:
    """Return the installed IRC servers."""
    search = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return [kind for kind in (InspIRCd, NgIRCd) if shutil.which(kind.name.lower(), path=search)]


def versions() -> str:
    """Return the versions of all measured servers."""
    found = [f"IRChat {irchat.__version__}"]
    for kind in installed():
        line = subprocess.run(
            [kind.name.lower(), "--version"], capture_output=True, text=True, check=False
        ).stdout.splitlines()[0]
        found.append(line.strip())
    return ", ".join(found)
