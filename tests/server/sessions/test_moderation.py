"""Moderation, as seen by connected clients."""

from typing import Any

from twisted.internet.defer import ensureDeferred

from irchat.commands import REGISTRY
from irchat.protocol.errors import Refusal
from tests.helpers.server import PASSWORD, Client, JSONClient, ServerTestCase, TextClient

BAN = "You are banned until 2026-11-22 14:01 UTC: spam"


class ModerationTests(ServerTestCase):
    """A server with alice, who is an administrator, and bob."""

    def setUp(self) -> None:
        """Sign both in."""
        self.server = self.make_server(admins=frozenset({"alice"}))
        self.alice, self.bob = self.server.json("alice"), self.server.json("bob")
        self.alice.got()
        self.moderation = self.server.chat.moderation

    def do(self, asked: Any) -> Any:
        """Run an administrator's request."""
        result = self.successResultOf(asked if hasattr(asked, "addCallback") else ensureDeferred(asked))
        self.server.turn()
        return result

    def ban(self, whom: str, seconds: int = 60) -> Any:
        """Ban for some seconds, for spam."""
        return self.do(self.moderation.ban(whom, self.server.wall_ms() + seconds * 1000, "spam", None))

    def typed(self, client: JSONClient, line: str) -> dict[str, Any]:
        """Return the reply to a typed line."""
        client.ask("line", line=line)
        return client.told("ok", "error")[0]

    # Sessions end.

    def test_kick(self) -> None:
        """All sessions of a user end with the reason, in both protocols. Others see the user leave, and stay."""
        text = self.server.text("bob")
        self.do(self.moderation.kick("bob", None))
        self.assertEqual(self.bob.told("bye"), [{"type": "bye", "reason": "the administrator ended your sessions"}])
        self.assertIn("goodbye: the administrator ended your sessions", text.shown())
        self.assertEqual([client.is_open for client in (self.bob, text, self.alice)], [False, False, True])
        self.server.advance(1.1, 0.1)
        self.assertIn("bob", [name for line in self.alice.told("presence") for name in line["offline"]])
        self.assertEqual(self.server.json("bob").welcome["name"], "bob")

    def test_kicked_in_the_middle_of_the_sign_in(self) -> None:
        """A session without a welcome ends too."""
        client = JSONClient(self.server)
        self.server.threads.read.holds = True
        client.ask("login", name="bob", password=PASSWORD)
        self.server.threads.read.release(1)
        self.server.turn()
        self.do(self.moderation.kick("bob", None))
        self.server.threads.read.holds = False
        self.server.threads.read.release()
        self.server.turn()
        self.assertEqual([line["type"] for line in client.got()], ["bye"])
        self.assertFalse(client.is_open)

    def test_what_was_said_before_is_sent(self) -> None:
        """A message in the same turn as the bye is still delivered."""
        self.alice.ask("send", chat="@bob", text="last")
        self.server.clock.advance(0)
        self.do(self.moderation.kick("bob", None))
        self.assertEqual([line["type"] for line in self.bob.told("message", "bye")], ["message", "bye"])

    # Bans of users.

    def test_banned(self) -> None:
        """A banned user is disconnected, and refused in every way with the reason, until the end by the wall clock."""
        token = self.bob.welcome["token"]
        self.ban("bob")
        self.assertEqual(self.bob.told("bye")[0]["reason"], BAN)
        client = JSONClient(self.server)
        for _ in range(2):
            client.ask("login", name="bob", password=PASSWORD)
            error = client.one("error")
            until = "2026-11-22T14:01:00.000Z"
            self.assertEqual((error["code"], error["text"], error["until"]), ("banned", f"{BAN}.", until))
            client.ask("resume", token=token)
            self.assertEqual(client.one("error"), error)
        client.ask("login", name="bob", password="wrong password")
        error = client.one("error")
        self.assertEqual(error["code"], "bad-credentials")
        self.assertNotIn("banned", error["text"])
        self.server.advance(59.999)
        client.ask("resume", token=token)
        self.assertEqual(client.one("error")["code"], "banned")
        self.server.advance(0.001)
        client = JSONClient(self.server)
        client.ask("resume", token=token)
        self.assertEqual(client.told("welcome")[0]["name"], "bob")

    def test_banned_for_good(self) -> None:
        """A ban without an end has no ``until``, and repeated attempts do not count as guessing."""
        self.do(self.moderation.ban("bob", None, "", None))
        client = JSONClient(self.server)
        for _ in range(12):
            client.ask("login", name="bob", password=PASSWORD)
            error = client.one("error")
            self.assertEqual((error["code"], "until" in error), ("banned", False))

    def test_banned_text(self) -> None:
        """In the text protocol a banned user learns of the ban and is not asked again."""
        self.ban("bob")
        person = TextClient(self.server)
        person.type("bob", PASSWORD)
        self.server.turn()
        shown = person.shown()
        self.assertIn(f"! {BAN}.\n", shown)
        self.assertNotIn("wrong", shown)
        self.assertFalse(person.is_open)

    def test_banned_without_passwords(self) -> None:
        """Without passwords a banned user is refused too."""
        server = self.server = self.make_server(passwords=False)
        client = JSONClient(server)
        client.ask("login", name="bob")
        client.one("welcome")
        self.moderation = server.chat.moderation
        self.ban("bob")
        client = JSONClient(server)
        client.ask("login", name="bob")
        self.assertEqual(client.one("error")["text"], f"{BAN}.")
        person = TextClient(server)
        person.type("bob", "carol")
        self.assertIn(f"! {BAN}.\n", person.shown())
        server.turn()
        self.assertFalse(person.is_open)

    def test_banned_while_signing_in(self) -> None:
        """A ban made while the password is verified, or while the token is written, is effective."""
        for held in (self.server.hashing, self.server.threads.write):
            client = JSONClient(self.server)
            held.holds = True
            client.ask("login", name="bob", password=PASSWORD)
            banning = self.moderation.ban("bob", None, "", None)
            held.holds = False
            held.release()
            self.server.turn()
            self.successResultOf(banning)
            lines = client.got()
            self.assertIn(lines[-1]["type"], ("error", "bye"))
            self.assertNotIn(self.server.chat.directory.user("bob").id, self.server.chat.presence.sessions)
            self.do(self.moderation.unban("bob", None))

    def test_token_is_asked_for_during_the_ban(self) -> None:
        """A sign-in queued behind a ban is checked after the ban."""
        self.server.threads.write.holds = True
        banning = self.moderation.ban("bob", None, "", None)
        clients = [JSONClient(self.server), JSONClient(self.server)]
        for client in clients:
            client.ask("login", name="bob", password=PASSWORD)
        self.server.threads.write.holds = False
        self.server.threads.write.release()
        self.server.turn()
        self.successResultOf(banning)
        self.assertEqual([client.one("error")["text"] for client in clients], ["You are banned."] * 2)

    # Bans of addresses.

    def test_banned_address(self) -> None:
        """Connections from the address end at once, new ones after the choice of their protocol. Others stay."""
        here, there = JSONClient(self.server, host="::ffff:192.0.2.7"), JSONClient(self.server, host="192.0.2.8")
        here.ask("ping")
        self.ban("192.0.2.7")
        self.assertEqual([line["type"] for line in here.got()], ["pong", "bye"])
        self.assertEqual((here.is_open, there.is_open, self.alice.is_open), (False, True, True))
        program, person = (kind(self.server, host="192.0.2.7") for kind in (JSONClient, TextClient))
        program.ask("login", name="bob", password=PASSWORD)
        self.assertEqual(program.told("bye", "error", "welcome"), [{"type": "bye", "reason": BAN}])
        person.type("bob")  # type: ignore[attr-defined]
        self.assertIn(f"goodbye: {BAN}", person.shown())  # type: ignore[attr-defined]
        self.assertEqual((program.is_open, person.is_open), (False, False))
        self.server.advance(60)
        again = JSONClient(self.server, host="192.0.2.7")
        again.ask("login", name="bob", password=PASSWORD)
        self.assertEqual(again.told("welcome")[0]["name"], "bob")

    def test_no_address(self) -> None:
        """A connection without an Internet address is never banned. A blank line selects no protocol."""
        self.ban("::/0")
        self.ban("0.0.0.0/0")
        client = Client(self.server)
        client.send(b"\n")
        self.assertTrue(client.is_open)

    # Removal and reset.

    def test_removed(self) -> None:
        """A removed user is disconnected, refused in every way, and the name is free."""
        token = self.bob.welcome["token"]
        self.bob.ask("send", chat="@alice", text="hi")
        self.alice.got()
        self.server.threads.write.holds = True
        waiting = JSONClient(self.server)
        removing = ensureDeferred(self.moderation.remove("bob", False, lambda _: None))
        waiting.ask("login", name="bob", password=PASSWORD)
        self.server.threads.write.holds = False
        self.server.threads.write.release()
        self.server.turn()
        self.assertEqual(self.successResultOf(removing), "bob#2")
        self.assertEqual(waiting.one("error")["text"], "Your account was removed.")
        self.assertEqual(self.bob.told("bye")[0]["reason"], "your account was removed")
        self.server.advance(1.1, 0.1)
        self.assertEqual([line["offline"] for line in self.alice.told("presence")], [["bob"]])
        client = JSONClient(self.server)
        client.ask("resume", token=token)
        self.assertEqual(client.one("error")["code"], "bad-token")
        self.alice.ask("line", line="ls")
        self.assertEqual([chat["chat"] for chat in self.alice.one("chats")["chats"]], ["@bob#2", "GLOBAL"])
        self.alice.ask("line", line="ls @bob#2")
        self.assertEqual(self.alice.one("history")["messages"][0]["from"], "bob#2")
        self.assertTrue(self.server.json("bob").welcome["new"])

    def test_reset_password(self) -> None:
        """A new password ends the user's sessions and tokens, and the old password is invalid."""
        token = self.bob.welcome["token"]
        self.do(self.server.accounts.reset_password("bob", "another password"))
        self.assertEqual(self.bob.told("bye")[0]["reason"], "the administrator gave you a new password")
        client = JSONClient(self.server)
        client.ask("resume", token=token)
        client.ask("login", name="bob", password=PASSWORD)
        self.assertEqual([line["code"] for line in client.got()], ["bad-token", "bad-credentials"])
        client.ask("login", name="bob", password="another password")
        client.one("welcome")

    def test_own_password(self) -> None:
        """Users who change their own password stay, but a pending sign-in by the old one is refused."""
        client = JSONClient(self.server)
        self.server.hashing.holds = True
        client.ask("login", name="bob", password=PASSWORD)
        login = self.server.hashing.held.pop()
        self.server.hashing.holds = False
        self.bob.ask("password", old=PASSWORD, new="another password")
        self.bob.one("ok")
        self.server.hashing.held.append(login)
        self.server.hashing.release()
        self.server.turn()
        self.assertEqual(client.one("error")["code"], "bad-credentials")
        self.assertTrue(self.bob.is_open)

    def test_reset_refused(self) -> None:
        """A weak password is refused, and so is any for an unknown or removed user."""
        for name, password in (("bob", "short"), ("bob", ""), ("nobody", "another password")):
            self.failureResultOf(ensureDeferred(self.server.accounts.reset_password(name, password)), Refusal)
        self.server.hashing.holds = True
        resetting = ensureDeferred(self.server.accounts.reset_password("bob", "another password"))
        self.do(self.moderation.remove("bob", False, lambda _: None))
        self.server.hashing.release()
        self.failureResultOf(resetting, Refusal)

    def test_reset_while_signing_in(self) -> None:
        """A pending sign-in by the old password is refused, whenever the reset happens."""
        client, late = JSONClient(self.server), JSONClient(self.server)
        self.server.hashing.holds = True
        client.ask("login", name="bob", password=PASSWORD)
        resetting = ensureDeferred(self.server.accounts.reset_password("bob", "another password"))
        ((done, call, args),) = [self.server.hashing.held.pop()]
        call_result = call(*args)
        self.server.threads.write.holds = True
        done.callback(call_result)
        late.ask("login", name="bob", password=PASSWORD)
        self.server.hashing.release(1)
        self.server.threads.write.holds = False
        self.server.threads.write.release()
        self.server.hashing.holds = False
        self.server.hashing.release()
        self.server.turn()
        self.successResultOf(resetting)
        self.assertEqual([one.one("error")["code"] for one in (client, late)], ["bad-credentials"] * 2)

    # What administrators type.

    def test_not_for_others(self) -> None:
        """To other users the administrators' commands look unknown, signed in or not."""
        for client in (self.bob, JSONClient(self.server)):
            client.ask("line", line="!nonsense alice")
            expected = client.one("error")
            usages = [command.usage for command in REGISTRY.entries("!")]
            self.assertEqual(expected["usage"].split("\n"), usages)
            self.assertFalse({"!kick <user>", "!unban <user>"} & {*usages})
            for line in ("!kick alice", "!ban alice", "!ban alice 2h", "!unban alice", "!kick"):
                client.ask("line", line=line)
                self.assertEqual(client.one("error"), expected, line)
            client.ask("line", line="!help !")
            self.assertNotIn("kick", client.one("help")["text"])
            client.ask("help")
            self.assertNotIn("ban ", client.one("help")["text"])
            client.ask("kick", name="alice")
            self.assertEqual(client.one("error")["code"], "bad-request")
        self.assertTrue(self.alice.is_open)

    def test_help(self) -> None:
        """Administrators find the commands in the manual and in the usage."""
        self.alice.ask("line", line="!help")
        manual = self.alice.one("help")["text"]
        for usage in ("!kick <user>", "!ban <user> [<time>]", "!unban <user>"):
            self.assertIn(usage, manual)
        self.alice.ask("line", line="!ban")
        self.assertIn("!ban <user> [<time>]", self.alice.one("error")["usage"])

    def test_commands(self) -> None:
        """An administrator kicks, bans for a time or permanently, and lifts a ban."""
        self.assertEqual(self.typed(self.alice, "!kick bob")["type"], "ok")
        self.assertEqual(self.bob.told("bye")[0]["reason"], "alice ended your sessions")
        self.bob = self.server.json("bob")
        self.assertEqual(self.typed(self.alice, "!ban bob 1m")["type"], "ok")
        self.assertEqual(self.bob.told("bye")[0]["reason"], "You are banned until 2026-11-22 14:01 UTC")
        self.assertEqual(self.typed(self.alice, "!unban bob")["type"], "ok")
        self.server.json("bob")
        self.assertEqual(self.typed(self.alice, "!ban bob")["type"], "ok")
        for line, code in (
            ("!ban bob soon", "bad-time"), ("!ban alice", "yourself"), ("!kick alice", "yourself"),
            ("!kick nobody", "no-such-user"), ("!unban alice", "yourself"), ("!ban 192.0.2.1", "no-such-user"),
        ):  # fmt: skip
            self.assertEqual(self.typed(self.alice, line)["code"], code, line)

    def test_text_protocol(self) -> None:
        """The commands work in the text protocol too."""
        person = self.server.text("alice")
        person.type("!kick bob")
        self.assertIn("-- done", person.shown())
        self.assertFalse(self.bob.is_open)

    def test_admins_can_change(self) -> None:
        """A user who becomes an administrator is one from the next line on."""
        self.server.services.admins = frozenset({"bob"})
        self.assertEqual(self.typed(self.bob, "!kick alice")["type"], "ok")
        self.assertFalse(self.alice.is_open)
