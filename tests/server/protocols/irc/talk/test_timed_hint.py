"""Timed messages and IRC sessions: no text, no time, no name, but a hint once a minute."""

import math
from typing import Any

from tests.helpers.irc import IRCTestCase

HINT = ":*irchat!irchat@irchat NOTICE alice :A timed message waits; read it with an IRChat client."
EVERYTHING = (
    "message-tags", "server-time", "account-tag", "batch", "draft/chathistory", "draft/multiline", "echo-message",
    "draft/message-redaction", "draft/read-marker", "labeled-response",
)  # fmt: skip


class TimedHintTests(IRCTestCase):
    """An IRC session, and a program that sends timed messages."""

    def setUp(self) -> None:
        """Two users."""
        super().setUp()
        self.alice, self.json = self.irc("alice"), self.server.json("bob")
        self.server.advance(2)
        self.alice.got()

    def _send(self, seconds: int = 300, chat: str = "GLOBAL", **fields: Any) -> Any:
        self.json.got()
        self.json.ask("send", chat=chat, text="secret", expires_in=seconds, **fields)
        return self.json.one("sent")

    def _wait(self, seconds: int) -> list[str]:
        got = []
        for _ in range(seconds // 10):
            self.server.advance(10)
            self.alice.type("PONG x")
            self.json.ask("pong")
            got += [line for line in self.alice.got() if not line.startswith("PING ")]
        return got

    def test_at_once(self) -> None:
        """A timed message in any chat gives the hint, which names neither sender, chat nor time."""
        self._send()
        self.assertEqual(self.alice.got(), [HINT])

    def test_once_a_minute(self) -> None:
        """Further ones give one hint at the end of a minute, if one of them is alive then."""
        self._send()
        self.alice.got()
        self._send(chat="@alice")
        self._send(seconds=5)
        self.assertEqual(self._wait(50), [])
        self.assertEqual(self._wait(10), [HINT])
        self.assertEqual(self._wait(200), [])

    def test_not_alive(self) -> None:
        """There is no hint when all of them have ended, or were taken back."""
        self._send()
        self.alice.got()
        self._send(seconds=20)
        taken_back = self._send()
        self.json.ask("amend", chat="GLOBAL", id=taken_back["id"], delete=True)
        self.assertEqual(self._wait(100), [])

    def test_blocks_and_hidden_chats(self) -> None:
        """There is no hint of what the session would not get."""
        self.alice.ask("PART #global")
        self._send()
        self.assertEqual(self.alice.got(), [])
        self.alice.ask("JOIN #global", "SILENCE +bob")
        self._send()
        self.assertEqual(self.alice.got(), [])

    def test_own(self) -> None:
        """There is no hint of what the user itself sent with another client, at once or at the end of the minute."""
        own = self.server.json("alice")
        self.alice.got()
        own.ask("send", chat="GLOBAL", text="secret", expires_in=300)
        self.assertEqual(self.alice.got(), [])
        self._send()
        self.assertEqual(self.alice.got(), [HINT])
        self._send(seconds=20)
        own.ask("send", chat="GLOBAL", text="secret", expires_in=300)
        self.assertEqual(self._wait(100), [])

    def test_hidden_meanwhile(self) -> None:
        """There is no hint of a chat that the session leaves with PART before the minute is over."""
        self._send()
        self._send()
        self.alice.ask("PART #global")
        self.assertEqual(self._wait(100), [])

    def test_at_sign_in(self) -> None:
        """A user who signs in while one is alive gets the hint after the burst."""
        self.alice.leave()
        self._send(chat="@alice")
        for caps in (), EVERYTHING:
            self.assertEqual(self.irc("alice", *caps).burst.count(HINT), 1)
        self.server.advance(400)
        self.assertNotIn(HINT, self.irc("alice").burst)

    def test_not_read(self) -> None:
        """The hint does not count as reading, and the session is not among those that had it."""
        sent = self._send(chat="@alice")
        self.assertEqual((sent["reached"], sent["of"]), (0, 1))
        self.server.advance(20)
        self.assertEqual(self.server.json("alice").welcome["unread"][0]["unread"], 1)

    def test_each_minute(self) -> None:
        """Each minute with further messages has its hint, and the session ends as any other."""
        for _ in range(3):
            self._send()
            self._send()
            self.assertEqual(self._wait(60)[-1:], [HINT])
        self.alice.leave()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_timer_ends(self) -> None:
        """The end of the session stops its timer."""
        self._send()
        self._send()
        timer = self.alice.connection.session.protocol.talk.timed_hint._scheduled
        self.assertTrue(timer.active())
        self.alice.leave()
        self.assertFalse(timer.active())
        self.server.advance(100)


class SlowReaderTests(IRCTestCase):
    """A session that does not read while timed messages live and end."""

    def test_stays(self) -> None:
        """It is not closed at the end of a message that it never got, while it is behind or catches up."""
        alice, json = self.irc("alice"), self.server.json("bob")
        alice.socket.room = 0
        json.ask("send", chat="GLOBAL", text="secret", expires_in=20)
        for _ in range(100):
            json.ask("send", chat="GLOBAL", text="x" * 4_000)
        json.ask("send", chat="GLOBAL", text="secret", expires_in=20)
        for _ in range(150):
            alice.socket.room = 4_000
            self.server.advance(0.1)
        self.assertTrue(alice.is_open)
        alice.socket.room = None
        for _ in range(10):
            self.server.advance(2)
        self.assertTrue(alice.is_open)
        text = alice.read()
        self.assertEqual(text.count("x" * 500), 800)
        self.assertNotIn("secret", text)

    def test_nothing_to_hold(self) -> None:
        """The bytes of a hint have no end, while those of the message itself have one."""
        alice, json = self.irc("alice"), self.server.json("bob")
        json.ask("send", chat="@alice", text="secret", expires_in=20)
        self.assertEqual(alice.connection.session.say_timed_since(0, set(), 1_000)[2], math.inf)
        self.assertLess(json.connection.session.say_timed_since(0, set(), 1_000)[2], math.inf)


class NoTraceTests(IRCTestCase):
    """Every byte that IRC sessions get while timed messages live and end."""

    def test_bytes(self) -> None:
        """No text, id, sender or end of a timed message reaches any IRC session, whatever it asks, also a slow one."""
        plain, full, slow = self.irc("alice"), self.irc("alice", *EVERYTHING), self.irc("carol", *EVERYTHING)
        json = self.server.json("bob")
        plain.ask("JOIN #team", "INVITE bob #team", "INVITE carol #team")
        json.got()
        received = ""
        slow.socket.room = 0
        ids = []
        for chat in "GLOBAL", "*team", "@alice", "@carol":
            json.ask("send", chat=chat, text="topsecret @alice #1", expires_in=30)
            json.ask("send", chat=chat, text=f"{'y' * 3_900}", expires_in=3)
            ids += [line["id"] for line in json.told("sent")]
        json.ask("amend", chat="GLOBAL", id=ids[0], delete=True)
        for number in range(100):
            json.ask("send", chat="GLOBAL", text=f"stored {number} {'z' * 3_000}")
        questions = [
            "CHATHISTORY LATEST {} * 50", "CHATHISTORY BEFORE {} timestamp=2030-01-01T00:00:00.000Z 50",
            "CHATHISTORY AROUND {} timestamp=2026-11-22T14:00:00.000Z 50", "MARKREAD {}", "WHO {}", "NAMES {}",
            "MARKREAD {} timestamp=2030-01-01T00:00:00.000Z",
        ]  # fmt: skip
        others = [
            "CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2030-01-01T00:00:00.000Z 50",
            "PRIVMSG *irchat :ls", "PRIVMSG *irchat :ls GLOBAL", "PRIVMSG *irchat :ls -n team", "WHOIS bob bob",
            "PRIVMSG *irchat :ls @bob", "PRIVMSG *irchat :?secret", "PRIVMSG *irchat :?@", "LIST",
            "PRIVMSG *irchat :*30*team x",
            "REDACT #global t-1",
        ]  # fmt: skip
        asked = [one.format(target) for one in questions for target in ("#global", "#team", "bob")] + others
        for _ in range(5):
            for client in plain, full:
                client.type(*asked)
                self.server.advance(2)
                received += client.read()
        slow.socket.room = None
        for _ in range(20):
            self.server.advance(5)
            received += plain.read() + full.read() + slow.read()
            for client in plain, full, slow:
                client.type("PONG x")
        received += "".join(self.irc(name, *caps).read() for name in ("alice", "carol") for caps in ((), EVERYTHING))
        self.assertIn("stored 99", received)
        self.assertIn("A timed message waits", received)
        for trace in "topsecret", "y" * 20, *ids:
            self.assertNotIn(trace, received)
