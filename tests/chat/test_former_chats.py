"""Messages for a chat whose name has become that of another one."""

from typing import Any

from twisted.internet.defer import ensureDeferred

from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase
from tests.helpers.server import ServerTestCase


class FormerChatTests(WorldTestCase):
    """``chat_id`` of `Messages.to_send`."""

    def ids(self) -> dict[str, str]:
        """Return the ids of the chats of alice."""
        return {chat.chat: chat.id for chat in self.done(self.world.chats("alice")).chats}

    def test_new_account(self) -> None:
        """A message written to a removed account does not reach a new one of that name, nor does a timed one."""
        self.done(self.world.send("alice", "@bob", "hi", nonce="n"))
        chat_id = self.ids()["@bob"]
        self.done(ensureDeferred(self.world.chat.moderation.remove("bob", False, lambda count: None)))
        self.world.add_user("bob")
        for expires_in in None, 9:
            refusal = self.refused(
                Code.NO_SUCH_USER, self.world.send, "alice", "@bob", "secret", chat_id=chat_id, expires_in=expires_in
            )
            self.assertIn("another account", refusal.text)
        self.assertEqual(self.said("bob", "@alice"), [])
        self.assertEqual(self.done(self.world.send("alice", "@bob", nonce="n", chat_id=chat_id)).seq, 1)
        self.done(self.world.send("alice", "@bob", "to the new one"))
        self.done(self.world.send("alice", "@bob", "again", chat_id=self.ids()["@bob"]))
        self.assertEqual(self.said("bob", "@alice"), ["to the new one", "again"])

    def test_new_group(self) -> None:
        """A message written to a group does not reach a new group of that name."""
        self.group("team", "alice", "bob")
        chat_id = self.ids()["*team"]
        for name in "alice", "bob":
            self.done(self.world.chat.groups.remove(self.world[name], "team", name, None))
        self.group("team", "alice", "carol")
        refusal = self.refused(Code.NO_SUCH_GROUP, self.world.send, "alice", "*team", "secret", chat_id=chat_id)
        self.assertIn("another group", refusal.text)
        self.done(self.world.send("alice", "*team", "hi", chat_id=self.ids()["*team"]))
        self.done(self.world.send("alice", "GLOBAL", "hi", chat_id="GLOBAL"))
        self.assertEqual(self.said("carol", "*team"), ["hi"])


class WireTests(ServerTestCase):
    """``id`` in ``send``."""

    def test_id(self) -> None:
        """A ``send`` with an ``id`` is checked, and one without it works as ever."""
        server = self.make_server()
        alice, bob = server.json("alice"), server.json("bob")

        def reply(**fields: Any) -> str:
            alice.ask("send", chat="@bob", text="#1 hi", **fields)
            (line,) = alice.got()
            return str(line.get("code", line["type"]))

        chat_id = f"@{server.chat.directory.user('bob').id}"
        alice.got()
        wanted = ["sent", "sent", "no-such-user", "no-such-user", "sent"]
        asks: list[dict[str, Any]] = [{}, {"id": chat_id}, {"id": "@99"}, {"id": "@99", "expires_in": 9},
                                      {"id": chat_id, "expires_in": 9}]  # fmt: skip
        self.assertEqual([reply(**fields) for fields in asks], wanted)
        self.assertEqual(len(bob.told("message")), 3)
