"""A server that is killed among changes of messages, and timed messages that somebody tries to change."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from irchat.system.files.data_folder import DATABASE_FILE
from tests.helpers.loads.many_clients import unlimited
from tests.helpers.loads.restarts import check_database
from tests.helpers.processes import JSONClient, ServerProcess

_KILLS = 6
_REQUESTS = 300


class _RealServerTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a folder with a short path and start a server."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.start()

    def start(self) -> None:
        """Start a server on the folder."""
        self.server = ServerProcess(self.home, "--no-tls", "--no-passwords", *unlimited())
        self.addCleanup(self.server.kill)

    def client(self, name: str) -> JSONClient:
        """Return a signed-in client."""
        client = JSONClient(self.server, tls=False)
        self.addCleanup(client.close)
        self.assertEqual(client.ask(type="login", name=name)["type"], "welcome")
        return client


@pytest.mark.slow
class KillTests(_RealServerTestCase):
    """``kill -9`` between a commit and its event."""

    def test_nothing_is_half(self) -> None:
        """Acknowledged and shown changes stay, and each message is changed as a whole: text, time, marks and index."""
        seed = random.randrange(2**32)
        chance = random.Random(seed)
        try:
            seen: list[dict[str, Any]] = []
            for cycle in range(_KILLS):
                alice, bob = self.client("alice"), self.client("bob")
                alice.post(*self.requests(chance, cycle))
                for _ in range(chance.randrange(1, _REQUESTS)):
                    line = alice.next()
                    assert line is not None
                    self.assertNotIn(line.get("code"), ("internal", "unavailable"))
                    seen += [line] if line["type"] == "amended" else []
                self.server.kill()
                while (event := bob.next()) is not None:
                    seen += [event] if event["type"] == "amended" else []
                self.start()
                self.check(seen)
            self.server.stop()
            check_database(self.server.data / DATABASE_FILE)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise

    def requests(self, chance: random.Random, cycle: int) -> Iterator[dict[str, Any]]:
        """Yield requests of one user: sends, edits, deletions and marks."""
        for number in range(_REQUESTS):
            kind = chance.choice(("send", "edit", "edit", "delete", "mark"))
            seq = chance.randrange(1, 40 * (cycle + 1))
            if kind == "send" or number < 20:
                yield {"type": "send", "chat": "GLOBAL", "text": f"first c{cycle}n{number}"}
            elif kind == "mark":
                yield {"type": "mark", "chat": "GLOBAL", "seq": seq, "mark": "ok"}
            elif kind == "edit":
                yield {"type": "amend", "chat": "GLOBAL", "seq": seq, "text": f"edited c{cycle}n{number}"}
            else:
                yield {"type": "amend", "chat": "GLOBAL", "seq": seq, "delete": True}

    def check(self, seen: list[dict[str, Any]]) -> None:
        """Check what is stored against the changes that somebody saw."""
        reader = self.client("carol")
        messages = {message["seq"]: message for message in self.pages(reader, "messages", "seq", "after")}
        changes = {message["seq"]: message["rev"] for message in self.pages(reader, "messages", "rev", "after_rev")}
        last: dict[int, dict[str, Any]] = {}
        for change in sorted(seen, key=lambda change: change["rev"]):
            last[change["seq"]] = change
        for seq, change in last.items():
            if change.get("deleted"):
                self.assertNotIn(seq, messages)
            elif seq in messages:
                self.assertGreaterEqual(messages[seq]["rev"], change["rev"])
                if messages[seq]["rev"] == change["rev"]:
                    self.assertEqual(messages[seq]["text"], change.get("text", messages[seq]["text"]))
                    self.assertEqual(bool(messages[seq].get("marks")), change.get("on", "marks" in messages[seq]))
        for seq, message in messages.items():
            self.assertEqual(message["text"].startswith("edited"), "edited" in message, message)
            self.assertEqual(message.get("rev"), changes.get(seq))
        self.assertLessEqual(set(changes), set(messages))
        for message in list(messages.values())[-30:]:
            found = reader.ask(type="search", words=message["text"].split()[1])["messages"]
            self.assertEqual([one["text"] for one in found], [message["text"]])

    def pages(self, reader: JSONClient, field: str, key: str, place: str) -> Iterator[dict[str, Any]]:
        """Yield what pages of GLOBAL hold, from the first on."""
        at = 0
        while True:
            page = reader.ask(type="history", chat="GLOBAL", limit=100, **{place: at})
            yield from page[field]
            if not page["more"]:
                return
            at = page["rev"] if place == "after_rev" else page[field][-1][key]


class TimedTests(_RealServerTestCase):
    """Timed messages that somebody tries to answer, edit, mark, find and delete."""

    def test_nothing_is_written(self) -> None:
        """No byte of them is in any file or in the log, whatever is tried, alive and after they were taken back."""
        alice, bob = self.client("alice"), self.client("bob")
        alice.ask(type="send", chat="GLOBAL", text="a stored message")
        secret = "wordsthatarenowhere"
        ids = []
        for chat, text in (("GLOBAL", f"#1 {secret}"), ("GLOBAL", f"@bob {secret}"), ("@bob", f"{secret} @bob #1")):
            sent = alice.ask(type="send", chat=chat, text=text, expires_in=600)
            ids.append((chat, sent["id"]))
        self.assertEqual(bob.event("message")["text"], "a stored message")
        self.assertEqual([bob.event("message").get("to") for _ in range(3)], [None, ["bob"], ["bob"]])
        for chat, timed in ids:
            for client in alice, bob:
                for tried in ({"text": f"{secret} new"}, {"text": secret, "delete": True}, {"seq": 2, "text": secret}):
                    self.refused(client, type="amend", chat=chat, id=timed, **tried)
                self.refused(client, type="amend", chat=chat, id=secret, delete=True)
                for seq in 0, 2, 2**62:
                    self.refused(client, type="mark", chat=chat, seq=seq, mark="wordsthatare")
                    self.refused(client, type="amend", chat=chat, seq=seq, text=secret)
            self.refused(alice, type="line", line=f"#= {secret}", chat=chat)
            self.refused(bob, type="line", line=f"#2+{secret[:9]}")
        self.assertEqual(alice.ask(type="search", mentions=True)["messages"], [])
        self.assertEqual(bob.ask(type="search", words=secret)["messages"], [])
        self.assertEqual(alice.ask(type="line", line="#-", chat="GLOBAL")["type"], "ok")
        self.assertEqual(alice.ask(type="amend", chat="@bob", id=ids[2][1], delete=True)["type"], "ok")
        for timed in ids[1], ids[2]:
            self.assertEqual(bob.event("erased")["id"], timed[1])
        bob.ask(type="history", chat="@alice")
        self.scan(secret, "wordsthatare")
        self.server.kill()
        self.scan(secret, "wordsthatare")

    def refused(self, client: JSONClient, **request: Any) -> None:
        self.assertEqual(client.ask(**request)["type"], "error", request)

    def scan(self, *secrets: str) -> None:
        """Check that no file of the server has any of these."""
        files = [path for path in [self.server.log, *self.server.data.rglob("*")] if path.is_file()]
        self.assertIn(DATABASE_FILE, [path.name for path in files])
        content = b"".join(path.read_bytes() for path in files)
        self.assertIn(b"a stored message", content)
        for secret in secrets:
            self.assertNotIn(secret.encode(), content)
