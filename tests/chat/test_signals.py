"""Signals: to those online who may see their sender, and nowhere else."""

from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase

_TYPING = {"+typing": "active"}


class SignalsTests(WorldTestCase):
    """`Signals` of three online users."""

    def signal(self, name: str, chat: str, tags: dict[str, str] | None = None) -> None:
        """Send one from session 1."""
        reply = self.world.chat.signals.send(self.world[name], chat, _TYPING if tags is None else tags, 1)
        self.assertEqual(reply, events.Ok())

    def seen(self, name: str, session: int = 2) -> list[tuple[str, str, dict[str, str]]]:
        """Return the signals that a session of a user gets: chat, sender, and tags."""
        user = self.world[name].id
        return [
            (aside.event.chat, aside.event.sender, aside.event.tags)
            for aside in self.world.asides
            if aside.audience is None or user in aside.audience
            if user not in aside.hidden and aside.origin != session and isinstance(aside.event, events.Signal)
        ]

    def test_chats(self) -> None:
        """It goes to all sessions of the chat but that of its sender, by the name of the chat there."""
        self.done(self.world.chat.groups.create(self.world["alice"], "team", ["bob"], None))
        self.world.published.clear()
        for chat in "GLOBAL", "*team", "@bob":
            self.signal("alice", chat)
        self.assertEqual(self.seen("bob"), [(chat, "alice", _TYPING) for chat in ("GLOBAL", "*team", "@alice")])
        self.assertEqual(self.seen("carol"), [("GLOBAL", "alice", _TYPING)])
        self.assertEqual(self.seen("alice"), [(chat, "alice", _TYPING) for chat in ("GLOBAL", "*team", "@bob")])
        self.assertEqual(self.seen("alice", session=1), [])
        self.assertEqual(self.world.published, [])
        self.assertEqual({aside.place for aside in self.world.asides}, {None})

    def test_blocks(self) -> None:
        """A block hides it, in both directions, and refuses it in a private chat."""
        self.done(self.world.chat.blocks.block(self.world["bob"], "alice", True, None))
        self.signal("alice", "GLOBAL")
        self.assertEqual((self.seen("bob"), len(self.seen("carol"))), ([], 1))
        self.signal("bob", "GLOBAL")
        self.assertEqual(self.seen("alice", session=9)[1:], [])
        for name, chat in ("alice", "@bob"), ("bob", "@alice"):
            self.refused(Code.BLOCKED, self.signal, name, chat)

    def test_refused(self) -> None:
        """It is refused where its sender may not write, under a chat's former name, and if it is too long."""
        self.refused(Code.NO_SUCH_GROUP, self.signal, "alice", "*team")
        self.refused(Code.NO_SUCH_USER, self.signal, "alice", "@nobody")
        self.refused(Code.YOURSELF, self.signal, "alice", "@alice")
        signals, alice = self.world.chat.signals, self.world["alice"]
        self.refused(Code.NO_SUCH_USER, signals.send, alice, "@bob", _TYPING, 1, "@77")
        self.signal("alice", "GLOBAL", {"+x": "\u00e9" * ((4_158 - 2) // 2)})
        self.refused(Code.BAD_REQUEST, self.signal, "alice", "GLOBAL", {"+x": "\u00e9" * (4_158 // 2)})
        self.assertEqual(len(self.world.asides), 1)

    def test_only_two_users(self) -> None:
        """A signal of another node reaches the other one of the only two users."""
        self.world = self.new_world(("alice", "bob"))
        self.world.enter("bob")
        self.world.chat.signals.receive(1, (1, 2), _TYPING)
        self.assertEqual(self.seen("bob"), [("@alice", "alice", _TYPING)])

    def test_controls(self) -> None:
        """Tags with control characters are left out. Without others nothing is sent."""
        bad = {"+a": "\x1b[2J", "+b\n": "1", "+c": "a\tb", "+d": "\u202e", "+e": "\ud800"}
        self.signal("alice", "GLOBAL", {**bad, "+ok": "yes"})
        self.signal("alice", "GLOBAL", bad)
        self.assertEqual(self.seen("bob"), [("GLOBAL", "alice", {"+ok": "yes"})])

    def test_of_other_nodes(self) -> None:
        """One of another node reaches those who may see it here. What is unknown or has ended here is ignored."""
        self.done(self.world.chat.groups.create(self.world["alice"], "team", ["bob"], None))
        alice, bob, carol = (self.world[name].id for name in self.names)
        (team,) = self.world["alice"].groups
        receive = self.world.chat.signals.receive
        for chat in GLOBAL, team, (alice, bob):
            receive(alice, chat, _TYPING)
        self.assertEqual([chat for chat, _, _ in self.seen("bob", session=1)], ["GLOBAL", "*team", "@alice"])
        self.assertEqual([chat for chat, _, _ in self.seen("carol", session=1)], ["GLOBAL"])
        self.world.asides.clear()
        for sender, chat in (
            (99, GLOBAL), (carol, team), (alice, 77), (alice, (alice, 99)), (carol, (alice, bob)),
        ):  # fmt: skip
            receive(sender, chat, _TYPING)
        self.done(self.world.chat.moderation.remove("carol", False, lambda count: None))
        receive(carol, GLOBAL, _TYPING)
        self.assertEqual(self.world.asides, [])
