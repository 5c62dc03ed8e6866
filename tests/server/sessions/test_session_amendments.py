"""Changes of messages on the wire: requests, replies, events, and what they cost."""

from irchat.protocol.rules import FEATURES
from tests.helpers.server import JSONClient, ServerTestCase, request, texts


class WireTests(ServerTestCase):
    """Requests of programs."""

    def setUp(self) -> None:
        """Two programs of alice, one of bob, and a message."""
        self.server = self.make_server(admins=frozenset({"carol"}))
        self.alice, self.other, self.bob = (self.server.json(name) for name in ("alice", "alice", "bob"))
        self.alice.ask("send", chat="GLOBAL", text="old")
        self.clear()

    def clear(self) -> None:
        """Forget what was received."""
        for client in self.server.clients:
            client.got()

    def amended(self, client: JSONClient) -> dict[str, object]:
        """Return the only change that a client has received, without its times."""
        (line,) = client.told("amended")
        return {name: value for name, value in line.items() if name not in ("type", "at", "edited")}

    def test_welcome(self) -> None:
        """The welcome names what the server can do, also when edits are off, and the state of each unread chat."""
        self.server.chat.limits.no_amend = True
        self.alice.ask("mark", chat="GLOBAL", seq=1, mark="ok")
        self.alice.ask("send", chat="@bob", text="hi @bob")
        welcome = self.server.json("bob").welcome
        self.assertEqual(welcome["features"], list(FEATURES))
        states = [(chat["chat"], chat["rev"], chat["mentions"], chat["alert"]) for chat in welcome["unread"]]
        self.assertEqual(sorted(states), [("@alice", 0, 1, "all"), ("GLOBAL", 1, 0, "mentions")])

    def test_edit(self) -> None:
        """The reply carries the ref. The user's other session and others get the event, the asking one does not."""
        self.alice.ask("amend", chat="GLOBAL", seq=1, text="new", ref=7)
        reply = self.amended(self.alice)
        self.assertEqual(reply, {"ref": 7, "chat": "GLOBAL", "seq": 1, "rev": 1, "by": "alice", "text": "new"})
        del reply["ref"]
        self.assertEqual((self.amended(self.other), self.amended(self.bob)), (reply, reply))

    def test_deletion_and_mark(self) -> None:
        """A deletion and a mark have fields of their own, and no others."""
        self.bob.ask("mark", chat="GLOBAL", seq=1, mark="1")
        marked = {"chat": "GLOBAL", "seq": 1, "rev": 1, "by": "bob", "mark": "👍", "on": True}
        self.assertEqual(self.amended(self.alice), marked)
        self.bob.ask("mark", chat="GLOBAL", seq=1, mark="👍")
        self.assertEqual(self.amended(self.alice), {**marked, "rev": 2, "on": False})
        self.clear()
        self.alice.ask("amend", chat="GLOBAL", seq=1, delete=True)
        deleted = {"chat": "GLOBAL", "seq": 1, "rev": 3, "by": "alice", "deleted": True}
        self.assertEqual((self.amended(self.other), self.amended(self.bob)), (deleted, deleted))

    def test_take_back(self) -> None:
        """Taking back a timed message is answered with ``ok``, and ends it everywhere."""
        self.alice.ask("send", chat="@bob", text="secret", expires_in=9)
        (sent,) = self.alice.told("sent")
        self.clear()
        self.bob.ask("amend", chat="@alice", id=sent["id"], delete=True)
        self.assertEqual(self.bob.one("error")["code"], "not-yours")
        self.alice.ask("amend", chat="@bob", id=sent["id"], delete=True)
        self.assertEqual([line["type"] for line in self.alice.got()], ["erased", "ok"])
        self.assertEqual((self.other.one("erased")["chat"], self.bob.one("erased")["chat"]), ("@bob", "@alice"))

    def test_last_in_one_segment(self) -> None:
        """The last message may be a timed one of the same segment: no older, stored one is changed in its place."""
        writes = self.server.threads.write
        writes.holds = True
        lines = "one", "*9* secret", "#= secret", "#-"
        self.alice.send(b"".join(request("line", line=line) for line in lines))
        while writes.held:
            writes.release()
            self.server.turn()
        self.assertEqual([line["type"] for line in self.alice.got()], ["sent", "sent", "error", "erased", "ok"])
        self.assertEqual(self.bob.told("amended"), [])

    def test_history(self) -> None:
        """A page always has ``rev`` and ``deleted``; a changed message its rev, time of edit and marks."""
        self.bob.ask("history", chat="GLOBAL")
        page = self.bob.one("history")
        self.assertEqual((page["rev"], page["deleted"], set(page["messages"][0])),
                         (0, [], {"type", "chat", "from", "at", "text", "seq"}))  # fmt: skip
        self.alice.ask("amend", chat="GLOBAL", seq=1, text="new")
        self.bob.ask("mark", chat="GLOBAL", seq=1, mark="ok")
        self.clear()
        for place in {"around": 1}, {"since": "2026-11-22T00:00:00Z"}, {"after_rev": 1}:
            self.bob.ask("history", chat="GLOBAL", **place)
            page = self.bob.one("history")
            (message,) = page["messages"]
            self.assertEqual((page["rev"], message["rev"], message["text"]), (2, 2, "new"))
            self.assertEqual(message["marks"], [{"mark": "ok", "count": 1, "names": ["bob"], "mine": True}])
            self.assertIn("edited", message)
        self.bob.ask("history", chat="GLOBAL", around=1, after_rev=1)
        self.assertEqual(self.bob.one("error")["code"], "bad-request")

    def test_search_and_alert(self) -> None:
        """A search by mark or mention needs no words. A setting goes to the user's other sessions."""
        self.alice.ask("send", chat="GLOBAL", text="hi @bob")
        self.bob.ask("mark", chat="GLOBAL", seq=1, mark="pin")
        self.clear()
        for how, found in (({"mark": "PIN"}, ["old"]), ({"mentions": True}, ["hi @bob"])):
            self.bob.ask("search", **how)
            self.assertEqual([message["text"] for message in self.bob.one("found")["messages"]], found)
        self.alice.ask("alert", chat="GLOBAL", alert="none")
        self.assertEqual((self.alice.one("alert")["alert"], self.other.one("alert")["alert"]), ("none", "none"))
        self.alice.ask("alert", chat="GLOBAL")
        self.assertEqual(self.alice.one("alert")["alert"], "none")
        self.alice.ask("alert", chat="GLOBAL", alert="never")
        self.assertEqual(self.alice.one("error")["code"], "bad-request")

    def test_administrator(self) -> None:
        """An administrator deletes in GLOBAL, but edits nothing of others."""
        carol = self.server.json("carol")
        carol.ask("amend", chat="GLOBAL", seq=1, text="new")
        self.assertEqual(carol.one("error")["code"], "not-yours")
        carol.ask("amend", chat="GLOBAL", seq=1, delete=True)
        self.assertTrue(carol.one("amended")["deleted"])

    def test_last_after_a_timed_one(self) -> None:
        """A line about one's last message waits for those before it: it never changes an older one."""
        lines = [b'{"type":"line","line":"*9* secret"}\n', b'{"type":"line","line":"#-"}\n']
        self.alice.send(b"".join(lines))
        self.assertEqual([line["type"] for line in self.alice.got()], ["sent", "erased", "ok"])
        self.assertEqual(texts(self.bob.got()), ["secret"])
        self.alice.send(lines[0] + b'{"type":"line","line":"#= secret words"}\n')
        self.assertEqual(self.alice.told("error")[0]["code"], "no-such-message")
        self.bob.ask("history", chat="GLOBAL")
        self.assertEqual(self.bob.told("history")[0]["messages"][0]["text"], "old")

    def test_rate(self) -> None:
        """A mark counts as a message, an edit as two."""
        self.server.chat.limits.rate = 1  # bursts of 3
        for kind, fields, times in (("mark", {"mark": "ok"}, 3), ("amend", {"text": "new"}, 1)):
            self.server.advance(9)
            for answer in ["amended"] * times + ["error"]:
                self.alice.ask(kind, chat="GLOBAL", seq=1, **fields)
                self.assertEqual(self.alice.got()[-1]["type"], answer)


class BehindTests(ServerTestCase):
    """A session that falls behind."""

    def test_present_state(self) -> None:
        """It gets the messages, then what has become of them in rising rev, each once, then events again."""
        server = self.make_server()
        alice, bob = server.json("alice"), server.json("bob")
        for seq in range(1, 4):
            alice.ask("send", chat="GLOBAL", text=f"text {seq}")
        bob.got()
        bob.socket.room = 0
        for _ in range(70):
            alice.ask("send", chat="GLOBAL", text="x" * 4_000)
        self.assertTrue(bob.outbox.behind)
        alice.ask("send", chat="GLOBAL", text="hi")
        for text in "a", "b":
            alice.ask("amend", chat="GLOBAL", seq=2, text=text)
        alice.ask("amend", chat="GLOBAL", seq=74, text="late")
        alice.ask("mark", chat="GLOBAL", seq=3, mark="ok")
        alice.ask("amend", chat="GLOBAL", seq=1, delete=True)
        bob.socket.room = None
        for _ in range(5):
            server.advance(0)
        lines = bob.told("message", "amended")
        messages = [line for line in lines if line["type"] == "message"]
        self.assertEqual([line["seq"] for line in messages], list(range(4, 75)))
        self.assertEqual((messages[-1]["text"], messages[-1]["rev"]), ("late", 3))
        states = [line for line in lines if line["type"] == "amended"]
        self.assertEqual(lines, messages + states)
        self.assertEqual([(state["seq"], state["rev"]) for state in states], [(2, 2), (74, 3), (3, 4), (1, 5)])
        edited, _, marked, deleted = states
        self.assertEqual((edited["text"], edited["by"], edited["marks"], "edited" in edited), ("b", "", [], True))
        self.assertEqual(
            (marked["text"], marked["marks"][0]["names"], "edited" in marked), ("text 3", ["alice"], False)
        )
        self.assertEqual((deleted["deleted"], "text" in deleted), (True, False))
        alice.ask("amend", chat="GLOBAL", seq=2, text="c")
        self.assertEqual(bob.one("amended")["text"], "c")
