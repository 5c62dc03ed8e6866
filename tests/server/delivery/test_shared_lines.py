"""Lines shown to many text sessions are rendered once."""

import re

from irchat.protocol import events
from irchat.rendering.lines import Renderer, TextLine
from tests.helpers.server import ServerTestCase, request


class SharedRendererTests(ServerTestCase):
    """`SharedRenderer`."""

    def setUp(self) -> None:
        """Create three text sessions, and count rendered messages."""
        self.server = self.make_server()
        self.people = [self.server.text(name) for name in ("bob", "carol", "dave")]
        self.alice = self.server.json("alice")
        self.server.advance(2)
        for person in self.people:
            person.shown()
        self.rendered: list[str] = []
        render = Renderer.lines

        def count(renderer: Renderer, event: events.Event, typed: str = "") -> list[TextLine]:
            if isinstance(event, events.Message):
                self.rendered.append(event.text)
            return render(renderer, event, typed)

        self.patch(Renderer, "lines", count)

    def test_once(self) -> None:
        """A message is rendered once for all of them, and nothing of it is kept."""
        self.alice.ask("send", chat="GLOBAL", text="hello")
        for person in self.people:
            self.assertIn("hello", person.shown())
        self.server.turn()
        self.assertEqual(self.rendered, ["hello"])
        self.assertEqual(self.people[0].connection.session.protocol._renderer._kept, {})

    def test_many_together(self) -> None:
        """The messages of one commit are shown completely, in order, to their audiences, and count as read."""
        self.people[2].type("~alice")
        self.people[2].shown()
        self.alice.send(*(request("send", chat="GLOBAL", text=f"hello {number}") for number in range(5)))
        for person in self.people[:2]:
            shown = person.shown()
            self.assertEqual(re.findall(r"hello \d", shown), [f"hello {number}" for number in range(5)])
        self.assertNotIn("hello", self.people[2].shown())
        self.assertEqual(self.rendered, [f"hello {number}" for number in range(5)])
        self.server.advance(60)
        again = self.server.json("bob")
        self.assertEqual(again.welcome["unread"], [])

    def test_several_audiences(self) -> None:
        """The runs of one commit that go to different people are not confused."""
        self.alice.ask("create_group", name="team", members=["bob", "carol"])
        self.server.turn()
        for person in self.people:
            person.shown()
        chats = ("*team", "GLOBAL")
        self.alice.send(*(request("send", chat=chat, text=f"{chat} {n}") for n in range(2) for chat in chats))
        for person, to in zip(self.people, (chats, chats, ("GLOBAL",)), strict=True):
            shown = person.shown()
            self.assertEqual([f"{chat} {n}" in shown for chat in chats for n in range(2)],
                             [chat in to for chat in chats for _ in range(2)])  # fmt: skip

    def test_each_event(self) -> None:
        """Messages with the same words are rendered separately, in order."""
        for _ in range(3):
            self.alice.ask("send", chat="GLOBAL", text="hello")
        self.server.turn()
        for person in self.people:
            self.assertEqual(person.shown().count("hello"), 3)
