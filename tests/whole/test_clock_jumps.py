"""Jumps of the time of day and suspends: order, timed messages, nonces, tokens and timeouts stay right."""

from typing import Any

from irchat.protocol.rules import NONCE_SECONDS, SILENCE_ENDS
from tests.helpers import server
from tests.helpers.server import JSONClient, ServerTestCase, is_rising

_HOUR_MS = 3_600_000


class JumpTests(ServerTestCase):
    """A server whose time of day the test controls."""

    def setUp(self) -> None:
        """Sign in two users."""
        self.server = self.make_server()
        self.alice, self.bob = self.server.json("alice"), self.server.json("bob")
        self.server.advance(2)
        self.alice.got()
        self.bob.got()

    def jump(self, ms: int) -> None:
        """Change the time of day, but not the forward clock."""
        self.patch(server, "WALL_MS", server.WALL_MS + ms)

    def say(self, text: str, client: JSONClient | None = None, **fields: Any) -> dict[str, Any]:
        """Send a message. Return the reply."""
        client = client or self.alice
        client.ask("send", chat="GLOBAL", text=text, **fields)
        (reply,) = client.told("sent")
        return reply

    def test_order(self) -> None:
        """Messages keep the order in which they were sent, and their times rise, whatever the time of day is."""
        for ms in 0, _HOUR_MS, -2 * _HOUR_MS, _HOUR_MS:
            self.jump(ms)
            self.say(f"after {ms}")
        live = self.bob.told("message")
        self.bob.ask("history", chat="GLOBAL")
        stored = self.bob.one("history")["messages"]
        self.assertEqual(
            [line["text"] for line in live],
            ["after 0", f"after {_HOUR_MS}", f"after {-2 * _HOUR_MS}", f"after {_HOUR_MS}"],
        )
        self.assertEqual([(line["seq"], line["at"]) for line in live], [(line["seq"], line["at"]) for line in stored])
        self.assertTrue(is_rising([line["seq"] for line in live]))
        self.assertTrue(is_rising([line["at"] for line in live]))
        self.bob.ask("history", chat="GLOBAL", unread=True)
        self.assertEqual(len(self.bob.one("history")["messages"]), 4)

    def test_ends(self) -> None:
        """A timed message lives for its full time, however the time of day jumps."""
        for ms in _HOUR_MS, -_HOUR_MS:
            sent = self.say("soon gone", expires_in=30)
            self.jump(ms)
            self.server.advance(29.9)
            self.assertEqual([line["type"] for line in self.bob.told("message", "erased")], ["message"])
            self.bob.ask("history", chat="GLOBAL")
            (message,) = self.bob.one("history")["messages"]
            self.assertEqual((message["id"], message["left_ms"]), (sent["id"], 100))
            self.server.advance(0.1)
            self.assertEqual([line["id"] for line in self.bob.told("erased")], [sent["id"]])

    def test_sleep(self) -> None:
        """A timed message that ended during a suspend is shown to nobody after it."""
        sent = self.say("soon gone", expires_in=30)
        self.bob.got()
        # Both clocks count suspend. Timers that are due then fire on waking.
        self.server.clock.rightNow += 3_600
        self.bob.ask("history", chat="GLOBAL")
        self.assertEqual(self.bob.told("history")[0]["messages"], [])
        self.server.advance(0)
        self.assertNotIn(sent["id"], [line.get("id") for line in self.bob.told("message")])

    def test_nonce_after_a_jump_forth(self) -> None:
        """A nonce is still known after a jump an hour forward, and forgotten after its time."""
        first = self.say("once", nonce="n")
        self.jump(_HOUR_MS)
        self.say("another", nonce="m")
        self._stay(NONCE_SECONDS - 60)
        self.assertEqual(self.say("once", nonce="n"), first)
        self._stay(NONCE_SECONDS)
        self.assertGreater(self.say("once", nonce="n")["seq"], first["seq"])

    def test_nonce_after_a_jump_back(self) -> None:
        """Nonces from before and after a jump back are known, and forgotten after their time."""
        first = self.say("once", nonce="n")
        self.jump(-_HOUR_MS)
        self.server.advance(30)
        self.assertEqual(self.say("once", nonce="n"), first)
        second = self.say("twice", nonce="m")
        self._stay(NONCE_SECONDS - 60)
        self.assertEqual(self.say("twice", nonce="m"), second)
        self._stay(NONCE_SECONDS)
        self.assertGreater(self.say("twice", nonce="m")["seq"], second["seq"])

    def test_timed_nonce(self) -> None:
        """The nonce of a timed message is known after any jump."""
        first = self.say("once", nonce="n", expires_in=60)
        for ms in _HOUR_MS, -2 * _HOUR_MS:
            self.jump(ms)
            self.assertEqual(self.say("once", nonce="n", expires_in=60)["id"], first["id"])

    def test_token(self) -> None:
        """A token stays valid after a jump of an hour in either direction."""
        token = self.alice.welcome["token"]
        for ms in _HOUR_MS, -2 * _HOUR_MS:
            self.jump(ms)
            client = self.server.json()
            client.ask("resume", token=token)
            self.assertEqual(client.one("welcome")["name"], "alice")

    def test_silence(self) -> None:
        """A jump disconnects no active client, and a silent one is still disconnected in time."""
        self.jump(_HOUR_MS)
        self.server.advance(40)
        self.bob.ask("ping")
        self.jump(-2 * _HOUR_MS)
        self.server.advance(10, 40)
        self.assertTrue(self.bob.is_open)
        self.assertFalse(self.alice.is_open)
        self.assertEqual(self.bob.told("presence")[-1]["offline"], ["alice"])
        self.assertLessEqual(self.server.clock.seconds(), 2 + SILENCE_ENDS + 1)

    def _stay(self, seconds: float) -> None:
        """Let time pass while both clients send pings."""
        for _ in range(int(seconds // 40) + 1):
            self.server.advance(40)
            self.alice.ask("ping")
            self.bob.ask("ping")
        self.alice.got()
        self.bob.got()
