"""The page in Chromium, on three nodes behind a balancer."""

import pytest

from irchat.server.listeners.certificates import ensure_self_signed
from tests.helpers.browser import BrowserCase as _BrowserCase
from tests.helpers.browser import open_chat, row, say
from tests.helpers.nodes import Cluster


@pytest.mark.slow
class NodesTests(_BrowserCase):
    """Pages of two users, who do not know that there are nodes."""

    @classmethod
    def start_server(cls) -> None:
        """Start the nodes in place of a server."""
        certificate, key = ensure_self_signed(cls.home, "localhost")
        cls.cluster = Cluster(cls.home, 3, "--tls-cert", str(certificate), "--tls-key", str(key))
        cls.cluster.start()
        cls.address = f"https://localhost:{cls.cluster.balancer.port}/"

    @classmethod
    def stop_server(cls) -> None:
        """End the nodes."""
        cls.cluster.close()

    def test_killed(self) -> None:
        """Sign-in, messages and timed ones work across nodes. When a node is killed, its pages go on at another."""
        alice, bob = (self.sign_up(name, ignore_https_errors=True) for name in ("alice", "bob"))
        say(alice, "@bob hello from a node")
        open_chat(bob, "@alice")
        self.see(row(bob, "hello from a node"))
        open_chat(alice, "@bob")
        # All but the last: a page that was there stays, and the others come to it.
        for number, node in enumerate(self.cluster.nodes[:2]):
            say(bob, f"*600@alice the secret {number}")
            self.see(row(alice, f"the secret {number}").locator(".left"))
            node.kill()
            say(alice, f"typed after the end of {number}")
            self.see(row(bob, f"typed after the end of {number}"))
            self.see_no(alice.locator(".message.waits"))
            for page in alice, bob:
                self.see_no(page.locator("#state:visible"))
                self.assertEqual(row(page, f"typed after the end of {number}").count(), 1)
        for page, other in (alice, "@bob"), (bob, "@alice"):
            page.reload()
            open_chat(page, other)
            self.see(row(page, "typed after the end of 1"))
