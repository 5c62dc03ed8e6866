"""The figures of a server."""

import re

from irchat.protocol.errors import unavailable
from irchat.server.metrics.figures import Figures
from tests.helpers.server import ServerTestCase


class FiguresTests(ServerTestCase):
    """`Figures`."""

    def setUp(self) -> None:
        """Create a server with figures."""
        self.server = self.make_server()
        self.figures = Figures(self.server.services, self.server.connections, self.server.clock.seconds)

    def _read(self) -> dict[str, float]:
        lines = self.figures.text().decode().splitlines()
        return {
            name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line.startswith("irchat_"))
        }

    def test_sessions(self) -> None:
        """Sessions, users, connections and sign-ins are counted."""
        self.server.json("alice")
        self.server.json("alice")
        self.server.json().ask("login", name="alice", password="wrong password")
        found = self._read()
        self.assertEqual((found["irchat_sessions"], found["irchat_users_online"]), (2, 1))
        self.assertEqual((found["irchat_connections"], found["irchat_pending_connections"]), (3, 1))
        self.assertEqual((found["irchat_sign_ins_total"], found["irchat_sign_ins_failed_total"]), (2, 1))
        self.assertEqual(found['irchat_refusals_total{code="bad-credentials"}'], 1)

    def test_messages(self) -> None:
        """Messages, commits and deliveries are counted, and messages that are stored apart from other changes."""
        alice, bob = self.server.json("alice"), self.server.json("bob")
        before = self._read()
        self.assertEqual(before["irchat_messages_total"], 0)
        alice.ask("send", chat="GLOBAL", text="hello")
        alice.ask("send", chat="@bob", text="hello")
        alice.ask("send", chat="@bob", text="timed", expires_in=60)
        alice.ask("create_group", name="team", members=["bob"])
        bob.ask("send", chat="@nobody", text="hello")
        found = {name: value - before.get(name, 0) for name, value in self._read().items()}
        self.assertEqual((found["irchat_messages_total"], found["irchat_timed_messages"]), (2, 1))
        self.assertEqual((found["irchat_commit_changes_count"], found["irchat_commit_changes_sum"]), (3, 3))
        self.assertEqual(found["irchat_commit_seconds_count"], 3)
        self.assertGreaterEqual(found["irchat_deliveries_total"], 4)
        self.assertEqual(found['irchat_refusals_total{code="no-such-user"}'], 1)

    def test_time_of_commits(self) -> None:
        """The seconds that commits take are added up."""
        alice = self.server.json("alice")
        before = self._read()["irchat_commit_seconds_sum"]
        self.server.advance(40)
        self.server.threads.write.holds = True
        alice.ask("send", chat="GLOBAL", text="x")
        self.server.advance(0.5)
        self.server.threads.write.release()
        self.server.turn()
        self.assertAlmostEqual(self._read()["irchat_commit_seconds_sum"] - before, 0.5)

    def test_waiting(self) -> None:
        """Changes that wait for the disk, sessions that are behind, and failed commits are counted."""
        alice, slow = self.server.json("alice"), self.server.json("bob", room=0)
        self.server.threads.write.holds = True
        for _ in range(3):
            alice.ask("send", chat="GLOBAL", text="x")
        self.assertEqual(self._read()["irchat_queue_changes"], 2)
        self.server.threads.write.fail(unavailable())
        self.server.turn()
        self.server.threads.write.holds = False
        self.server.threads.write.release()
        self.assertEqual(self._read()["irchat_commits_failed_total"], 1)
        for _ in range(100):
            alice.ask("send", chat="GLOBAL", text="x" * 4_000)
        self.assertTrue(slow.outbox.behind)
        self.assertEqual(self._read()["irchat_slow_readers"], 1)

    def test_nothing_personal(self) -> None:
        """The figures contain no name, no address and no text. Their names and labels are fixed."""
        alice = self.server.json("verysecretname")
        alice.ask("send", chat="GLOBAL", text="verysecrettext")
        alice.ask("send", chat="@verysecretuser", text="verysecrettext")
        text = self.figures.text().decode()
        self.assertNotIn("verysecret", text)
        self.assertEqual(set(re.findall(r"[{,](\w+)=", text)), {"code", "le"})
        for line in text.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) |)(irchat|process)_[a-z_]+")

    def test_more(self) -> None:
        """Other parts add figures of their own."""
        self.figures.gauge("log_lag", "Lag", lambda: 7)
        self.figures.counter("turns", "Turns", lambda: 3)
        found = self._read()
        self.assertEqual((found["irchat_log_lag"], found["irchat_turns_total"]), (7, 3))
