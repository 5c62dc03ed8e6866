"""The options of ``twistd irchat``, and its checks. The service is tested in tests/whole/test_tap_service.py."""

import io
import socket
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from irchat import __version__, tap
from irchat.server.listeners import listener
from irchat.server.listeners.certificates import ensure_self_signed
from irchat.settings import make_config
from irchat.system.files.data_folder import DataFolder, default_data_folder
from irchat.tap import ChatServer, Options, makeService
from irchat.twistd_checks import command_name
from tests.helpers.service import options_of


class _TapTestCase(SynchronousTestCase):
    def _refused(self, call: Any, *arguments: Any) -> str:
        """Return the line with which the process ends."""
        line = self.assertRaises(SystemExit, call, *arguments).code
        self.assertIsInstance(line, str)
        self.assertTrue(line.startswith("irchat: "), line)
        self.assertNotIn("\n", line)
        return line


class OptionsTests(_TapTestCase):
    """`Options`."""

    def test_defaults(self) -> None:
        """Without options, the server is open to everyone, on all addresses, with TLS and passwords."""
        config = options_of().config
        self.assertEqual(config, make_config({}))
        self.assertEqual((config.host, config.port, config.data), (None, 7667, default_data_folder()))
        self.assertFalse(config.no_tls or config.no_passwords)

    def test_values(self) -> None:
        """Each option has a value of its own type."""
        config = options_of(
            "--data",
            "here",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--registration",
            "closed",
            "--rate",
            "0.5",
            "--name",
            "Ship of fools",
            "--no-tls",
            "--admin",
            "Alice",
            "--admin",
            "bob",
            "--per-address",
            "0",
            "--proxy-from",
            "10.0.0.0/8",
            "--proxy-from",
            "::1",
        ).config
        self.assertEqual((config.data, config.port, config.limits.rate), (Path("here").absolute(), 0, 0.5))
        self.assertEqual((config.host, config.registration, config.name), ("127.0.0.1", "closed", "Ship of fools"))
        self.assertTrue(config.no_tls)
        self.assertTrue(options_of("--no-passwords").config.no_passwords)
        self.assertEqual((config.admins, config.limits.per_address), (frozenset({"alice", "bob"}), 0))
        self.assertEqual({str(network) for network in config.proxy_from}, {"10.0.0.0/8", "::1/128"})

    def test_file(self) -> None:
        """Settings come from the file, and options override them. A wrong file is named."""
        path = Path(self.mktemp()).absolute()
        path.write_text('port = 1\nrate = 2\nno-tls = true\nadmin = ["alice"]\n')
        config = options_of("--config", str(path), "--port", "0").config
        self.assertEqual((config.port, config.limits.rate, config.no_tls), (0, 2, True))
        self.assertEqual(config.admins, frozenset({"alice"}))
        path.write_text("nonsense = 1")
        self.assertIn(str(path), self._refused(options_of, "--config", str(path)))

    def test_home(self) -> None:
        """A tilde in the data folder is expanded, because the shell may not have done so."""
        self.assertEqual(options_of("--data=~/chat").config.data, Path.home() / "chat")

    def test_wrong_values(self) -> None:
        """Each wrong option ends the process with one line that names it and the help."""
        for arguments in (
            ["--port", "x"], ["--port", "-1"], ["--port", "65536"], ["--port", "7.5"], ["--port", ""],
            ["--rate", "x"], ["--rate", "-1"], ["--rate", "nan"], ["--rate", "inf"], ["--rate", "1e10"],
            ["--registration", "ajar"], ["--registration", ""],
            ["--tls-cert", "a.pem"], ["--tls-key", "a.pem"],
            ["--tls-cert", "a.pem", "--tls-key", "a.pem", "--no-tls"],
            ["--name", ""], ["--name", "   "], ["--name", "a\nb"], ["--name", "\x1b[2J"], ["--name", "x" * 65],
            ["--admin", "alice", "--no-passwords"], ["--data", ""], ["--port", "9" * 400],
            ["--nonsense"], ["--port"],
        ):  # fmt: skip
            line = self._refused(options_of, *arguments)
            self.assertIn(arguments[0].removeprefix("--"), line)
            self.assertTrue(line.endswith(f"; see {command_name()} --help"), line)
        self._refused(options_of, "argument")

    def test_version(self) -> None:
        """``--version`` shows the version and exits."""
        self.patch(sys, "stdout", io.StringIO())
        self.assertEqual(self.assertRaises(SystemExit, options_of, "--version").code, 0)
        self.assertEqual(sys.stdout.getvalue(), f"IRChat {__version__}\n")

    def test_every_option_has_its_help(self) -> None:
        """The help has a line for each option."""
        manual = Options().getUsage()
        for name, *_ in [*Options.optParameters, *Options.optFlags]:
            self.assertIn(f"--{name}", manual)
        self.assertIsInstance(Options(), usage.Options)


class MakeServiceTests(_TapTestCase):
    """`makeService` checks everything and writes nothing."""

    def setUp(self) -> None:
        """Choose a data folder that does not exist, and leave the reactor's clock alone."""
        self.place = Path(self.mktemp())
        self.place.mkdir()
        self.data = self.place / "data"
        self.clocks: list[Any] = []
        self.patch(tap, "install_forward_clock", self.clocks.append)

    def _make(self, *arguments: str) -> ChatServer:
        service = makeService(options_of("--data", str(self.data), "--host", "127.0.0.1", "--port", "0", *arguments))
        self.assertIsInstance(service, ChatServer)
        return service

    def test_nothing_is_written(self) -> None:
        """It returns a service, installs the forward clock, and leaves no file and no open port."""
        for _ in range(2):
            self._make()
        self.assertEqual(list(self.place.iterdir()), [])
        self.assertEqual(self.clocks, [tap.reactor] * 2)

    def test_data_in_the_way(self) -> None:
        """A file in place of the data folder ends the process with one line that names it."""
        self.data.write_text("a file")
        self.assertIn(f"{self.data} cannot be used", self._refused(self._make))

    def test_data_in_use(self) -> None:
        """A data folder in use ends the process with one line that names it and the next step."""
        other = DataFolder(self.data)
        other.acquire()
        self.addCleanup(other.release)
        line = self._refused(self._make)
        self.assertIn(str(self.data), line)
        self.assertIn("choose another --data", line)

    def test_database(self) -> None:
        """A damaged database ends the process with one line that names the next step, and stays unchanged."""
        self.data.mkdir()
        damaged = b"no database " * 1_000
        DataFolder(self.data).database.write_bytes(damaged)
        self.assertIn("restore a backup", self._refused(self._make))
        (left,) = self.data.iterdir()
        self.assertEqual(left.read_bytes(), damaged)

    def test_port_in_use(self) -> None:
        """A port in use ends the process with one line that names it and the next step."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])
            line = self._refused(self._make, "--port", port)
        self.assertIn(f"cannot listen on 127.0.0.1, port {port}", line)
        self.assertIn("choose another --port", line)

    def test_host(self) -> None:
        """A host that is not an address of this machine ends the process with one line."""
        for host in "nonsense", "chat.example", "999.1.1.1", "192.0.2.1":
            self.assertIn(host, self._refused(self._make, "--host", host))

    def test_all_addresses(self) -> None:
        """Without a host all addresses are checked, with IPv6 if the machine has it."""
        options = options_of("--data", str(self.data), "--port", "0")
        makeService(options)

        class NoIPv6(socket.socket):
            def bind(self, address: Any) -> None:
                if address[0] == "::":
                    raise OSError
                super().bind(address)

        self.assertIn(listener.all_addresses(), ("::", "0.0.0.0"))
        self.patch(listener.socket, "socket", NoIPv6)
        self.assertEqual(listener.all_addresses(), "0.0.0.0")
        makeService(options)

    def test_certificate(self) -> None:
        """A matching certificate and key are accepted. Others, and missing ones, end the process with one line."""
        certificate, key = map(str, ensure_self_signed(self.place, "chat.example"))
        self._make("--tls-cert", certificate, "--tls-key", key)
        (self.place / "other").mkdir()
        _, other = map(str, ensure_self_signed(self.place / "other", "chat.example"))
        line = self._refused(self._make, "--tls-cert", certificate, "--tls-key", other)
        self.assertIn("does not belong to the certificate", line)
        self._refused(self._make, "--tls-cert", certificate, "--tls-key", str(self.place / "nothing"))
        Path(key).write_text("nonsense")
        self.assertIn(f"{key} is not a key", self._refused(self._make, "--tls-cert", certificate, "--tls-key", key))
        locked = serialization.load_pem_private_key(Path(other).read_bytes(), None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
        Path(key).write_bytes(locked)
        self.assertIn("protected by a password", self._refused(self._make, "--tls-cert", certificate, "--tls-key", key))
