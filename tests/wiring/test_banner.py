"""The lines that a started server prints."""

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.settings import make_config
from irchat.wiring import banner
from irchat.wiring.banner import Started, is_loopback


class BannerTests(SynchronousTestCase):
    """`banner`."""

    def setUp(self) -> None:
        """Fix the address of this machine, and the folder of the commands."""
        self.patch(banner, "own_address", lambda: "192.0.2.7")
        self.patch(banner, "installed", lambda script, module: f"/venv/bin/{script}")

    def lines(self, *, port: int = 7667, fingerprint: str = "", **given: Any) -> list[str]:
        """Return the lines of a server with these settings."""
        config = make_config({name.replace("_", "-"): value for name, value in given.items()})
        return list(banner.banner(Started(config, port, Path("/data"), fingerprint, "", "")))

    def test_how_to_join(self) -> None:
        """The lines name the address and the commands to join, from this machine and from others."""
        self.assertEqual(self.lines(), [
            "IRChat listens on all addresses, port 7667, WITHOUT TLS",
            "Data: /data",
            "To join: /venv/bin/irchat --no-tls localhost",
            "To join from another machine, once IRChat is installed there: irchat --no-tls 192.0.2.7",
        ])  # fmt: skip
        for host, named in ("::1", "[::1]"), ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"):
            self.assertTrue(self.lines(host=host, port=99)[-1].endswith(f"/venv/bin/irchat --no-tls {named}:99"))
        self.assertTrue(self.lines(host="192.0.2.9", port=99)[-1].endswith(": irchat --no-tls 192.0.2.9:99"))

    def test_fingerprint(self) -> None:
        """The line for other machines has the fingerprint of a certificate of our own, so that nothing is compared by
        eye; not that of a signed one, which is renewed."""
        own = self.lines(fingerprint="AB:CD")
        self.assertIn("Certificate: AB:CD", own)
        self.assertTrue(own[-1].endswith("irchat 192.0.2.7 --fingerprint AB:CD"))
        self.assertTrue(self.lines(fingerprint="AB:CD", tls_cert="c", tls_key="k")[-1].endswith("irchat 192.0.2.7"))

    def test_node(self) -> None:
        """A node is named, and where its figures are."""
        server = Started(make_config({}), 7667, Path("/data"), "", "chat1", "http://127.0.0.1:9000/metrics")
        self.assertEqual(list(banner.banner(server))[2:4], [
            "Store: PostgreSQL, as the node chat1",
            "Figures for Prometheus: http://127.0.0.1:9000/metrics",
        ])  # fmt: skip

    def test_loopback(self) -> None:
        """Addresses and names of this machine alone are distinguished from others."""
        for host, alone in ("::1", True), ("127.0.0.9", True), ("localhost", True), ("192.0.2.7", False), ("a", False):
            self.assertEqual(is_loopback(host), alone, host)
