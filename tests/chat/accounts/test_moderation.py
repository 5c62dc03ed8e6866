"""Removal of accounts: what remains, under which name, and who is notified."""

from typing import Any

from twisted.internet.defer import ensureDeferred, succeed

from irchat.interfaces.stored import Places
from irchat.interfaces.writes import UserCreated
from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase


class RemoveTests(WorldTestCase):
    """The removal of bob."""

    names = ("alice", "bob", "carol")

    def remove(self, name: str = "bob", messages: bool = False) -> str:
        """Remove an account. Return its new name."""
        self.counts: list[int] = []
        return self.done(self.world.chat.moderation.remove(name, messages, self.counts.append))

    def assert_saved(self) -> None:
        """Check that memory equals what a restart finds."""
        before = self.state()
        self.world.restart()
        self.assertEqual(self.state(), before)

    def state(self) -> Any:
        """Return users, groups and blocks in memory."""
        directory = self.world.directory
        return (
            [(user.name, user.key, user.removed, user.hidden) for user in directory.users.values()],
            [(group.name, group.owner.name, list(group.members)) for group in directory.groups.values()],
            directory.count,
        )

    def test_what_stays(self) -> None:
        """Messages are read, found and counted under the new name, which no user has or can have."""
        for chat in ("GLOBAL", "@alice"):
            self.done(self.world.send("bob", chat, "word"))
        self.assertEqual(self.remove("BOB"), "bob#2")
        for _ in range(2):
            page = self.done(self.world.history("alice", "@bob#2"))
            self.assertEqual([(one.chat, one.sender, one.text) for one in page.messages], [("@bob#2", "bob#2", "word")])
            self.assertEqual(self.said("alice", "BOB#2"), ["word"])
            self.assertEqual(self.done(self.world.search("alice", "word")).messages[0].sender, "bob#2")
            self.assertEqual(self.unread("alice"), {"GLOBAL": 1, "@bob#2": 1})
            self.assertEqual(self.done(self.world.search("alice", "word", "@bob#2")).messages[0].chat, "@bob#2")
            self.assert_saved()
        self.refused(Code.NO_SUCH_USER, self.world.history, "alice", "@bob")
        for wrong in ("@bob#3", "@carol#2", "@#2", "@bob#"):
            self.refused(Code.NO_SUCH_USER, self.world.history, "alice", wrong)
        self.refused(Code.NO_SUCH_CHAT, self.world.history, "alice", "bob#3")

    def test_nobody_to_talk_to(self) -> None:
        """Nobody can write to a removed user, or add, kick or list one, not even by a timed message."""
        self.done(self.world.send("bob", "@alice", "word"))
        self.group("alice", "alice", "carol")
        self.remove()
        self.refused(Code.NO_SUCH_USER, self.world.send, "alice", "@bob#2")
        self.refused(Code.NO_SUCH_USER, self.world.send, "alice", "@bob#2", expires_in=5)
        self.refused(Code.NO_SUCH_USER, self.world.chat.groups.add, self.world["alice"], "alice", "bob#2", None)
        self.refused(Code.NO_SUCH_USER, self.world.chat.moderation.kick, "bob#2", None)
        users = self.world.chat.users("", 10)
        self.assertEqual((users.online, users.offline), (["alice", "carol"], []))
        self.assertEqual(self.world.chat.users("bob", 10), events.Users([], [], False))
        sent = self.done(self.world.send("alice", "GLOBAL", "timed", expires_in=5))
        self.assertEqual((sent.reached, sent.of), (1, 1))

    def test_name_is_free(self) -> None:
        """A new account can take the name. It owns nothing of the old one and is not taken for it."""
        self.done(self.world.send("bob", "@alice", "old"))
        self.done(self.world.send("bob", "GLOBAL", "timed", expires_in=900))
        self.remove()
        self.world.add_user("bob")
        self.done(self.world.send("bob", "@alice", "new"))
        self.assertEqual((self.said("alice", "@bob"), self.said("alice", "@bob#2")), (["new"], ["old"]))
        senders = {message.sender for message in self.done(self.world.history("alice", "GLOBAL")).messages}
        self.assertEqual(senders, {"bob#2"})
        self.assertEqual(self.remove(), "bob#4")

    def test_groups(self) -> None:
        """All groups are left: ownership passes on, empty groups end, and members are notified once for each group."""
        own = self.done(self.world.chat.groups.create(self.world["bob"], "own", ["carol", "alice"], None))
        team = self.done(self.world.chat.groups.create(self.world["alice"], "team", ["bob"], None))
        self.done(self.world.chat.groups.create(self.world["bob"], "alone", [], None))
        self.done(self.world.send("bob", "*alone", "timed", expires_in=900))
        self.world.published.clear()
        self.remove()
        self.assertEqual(self.world.told("alice"), [
            events.Removed(group="*own", id=own.id, name="bob", by="bob", owner="carol"),
            events.Removed(group="*team", id=team.id, name="bob", by="bob", owner="alice"),
        ])  # fmt: skip
        self.assertEqual([event.group for event in self.world.told("carol")], ["*own"])
        self.assertEqual(self.state()[1], [("own", "carol", [3, 1]), ("team", "alice", [1])])
        self.done(self.world.chat.groups.create(self.world["alice"], "alone", [], None))
        self.assert_saved()

    def test_group_with_timed_messages(self) -> None:
        """A former member of a group that ends with its last member is notified of the end of its timed messages."""
        self.done(self.world.chat.groups.create(self.world["bob"], "own", ["carol"], None))
        timed = self.done(self.world.send("bob", "*own", "timed", expires_in=900))
        self.done(self.world.chat.groups.remove(self.world["carol"], "own", "carol", None))
        self.world.published.clear()
        self.remove()
        self.assertEqual(self.world.told("carol"), [events.Erased(chat="*own", id=timed.id or "")])

    def test_sessions(self) -> None:
        """The removed user's sessions get a bye, and the others learn that bob left, not bob#2."""
        bob = self.world["bob"]
        self.world.presence.clear()
        self.remove()
        byes = [p for p in self.world.published if isinstance(p.event, events.Bye)]
        self.assertEqual([(bye.audience, bye.event.reason) for bye in byes], [((2,), "your account was removed")])
        self.world.chat.presence.leave(bob.id, 1)
        self.assertEqual(self.world.presence, ["-bob"])
        self.assertEqual(sorted(self.world.chat.online(9)), ["alice", "carol"])

    def test_away(self) -> None:
        """The removal of an offline user is not announced."""
        self.world.leave("bob")
        self.world.presence.clear()
        self.remove()
        self.assertEqual(self.world.presence, [])

    def test_blocks_stay(self) -> None:
        """Blocked messages stay hidden, and the block can be lifted."""
        self.done(self.world.send("bob", "GLOBAL", "hidden"))
        self.block("alice", "bob")
        self.remove()
        self.assertEqual((self.said("alice", "GLOBAL"), self.unread("alice")), ([], {}))
        sent = self.done(self.world.send("alice", "GLOBAL", "timed", expires_in=5))
        self.assertEqual((sent.reached, sent.of), (1, 1))
        self.assertEqual(self.block("alice", "bob#2", None).names, [])
        self.assertEqual(self.said("alice", "GLOBAL"), ["hidden", "timed"])

    def test_with_messages(self) -> None:
        """All messages of the user disappear from pages, search and counts, also timed ones. Those of others stay."""
        self.done(self.world.chat.groups.create(self.world["alice"], "team", ["bob"], None))
        for chat in ("GLOBAL", "@alice", "@carol", "*team"):
            for _ in range(150):
                self.done(self.world.send("bob", chat, "word"))
        self.done(self.world.send("alice", "GLOBAL", "word of mine"))
        self.done(self.world.send("carol", "@bob", "word for you"))
        timed = self.done(self.world.send("bob", "GLOBAL", "word, timed", expires_in=900))
        kept = self.done(self.world.send("alice", "GLOBAL", "word of alice, timed", expires_in=900))
        self.world.published.clear()
        self.assertEqual(self.remove(messages=True), "bob#2")
        self.assertEqual(self.counts, [200, 400, 600])
        self.assertIn(events.Erased(chat="GLOBAL", id=timed.id or ""), self.world.told("alice"))
        self.assertNotIn(events.Erased(chat="GLOBAL", id=kept.id or ""), self.world.told("alice"))
        self.assertEqual(self.found("alice", "word"), ["word of mine"])
        self.assertEqual(self.unread("alice"), {"GLOBAL": 0, "*team": 0})
        self.assertEqual(self.unread("carol"), {"GLOBAL": 2, "@bob#2": 0})
        self.assertEqual(self.said("carol", "@bob#2"), ["word for you"])
        self.done(self.world.send("alice", "GLOBAL", "next"))
        self.assertEqual(self.unread("carol")["GLOBAL"], 3)
        self.assertEqual(self.done(self.world.history("carol", "GLOBAL", after=0)).messages[0].seq, 151)
        self.assert_saved()

    def test_long_search(self) -> None:
        """If the store finds messages only after some steps, nothing is committed in between."""
        for _ in range(2):
            self.done(self.world.send("bob", "GLOBAL", "word"))
        steps = iter([Places((), (1, 1)), Places(((1, 1),), (1, 5)), Places((), (1, 9)), Places(((1, 2),), None)])
        asked: list[object] = []
        self.patch(
            self.world.store, "messages_of", lambda user, after, limit: asked.append(after) or succeed(next(steps))
        )
        self.world.store.commits.clear()
        self.remove(messages=True)
        self.assertEqual((self.counts, asked), ([1, 2], [None, (1, 1), (1, 5), (1, 9)]))
        self.assertEqual(len(self.world.store.commits), 3)

    def test_messages_later(self) -> None:
        """The messages of a user removed earlier can be removed too. Without messages there is nothing to do."""
        self.done(self.world.send("bob", "GLOBAL", "word"))
        self.remove()
        self.refused(Code.NO_SUCH_USER, self.world.chat.moderation.kick, "bob#2", None)
        self.assertEqual((self.remove("bob#2", messages=True), self.counts), ("bob#2", [1]))
        self.assertEqual((self.remove("bob#2", messages=True), self.counts), ("bob#2", []))
        self.assertEqual(self.said("alice", "GLOBAL"), [])
        failed = self.failureResultOf(self._removing("bob#2"))
        self.assertEqual(failed.value.code, Code.NO_SUCH_USER)

    def _removing(self, name: str) -> Any:
        return ensureDeferred(self.world.chat.moderation.remove(name, False, lambda _: None))

    def test_what_waits(self) -> None:
        """Requests of bob are refused if his removal was already on its way to the disk."""
        bob = self.world["bob"]
        self.world.store.holding = True
        removing = self._removing("bob")
        chat = self.world.chat
        asked = [
            chat.queue.submit(chat.messages.to_send(bob, "GLOBAL", "late", expires_in=None, nonce="n", origin=None)),
            chat.queue.submit(chat.messages.to_send(bob, "GLOBAL", "late", expires_in=5, nonce=None, origin=None)),
            chat.groups.create(bob, "late", [], None),
            chat.blocks.block(bob, "alice", True, None),
        ]
        self.world.store.holding = False
        self.world.store.let_through()
        self.assertEqual(self.done(removing), "bob#2")
        for one in asked:
            self.refused(Code.NOT_LOGGED_IN, lambda one=one: one)
        self.assertEqual(self.said("alice", "GLOBAL"), [])

    def test_not_saved(self) -> None:
        """If the removal cannot be saved, nothing changes."""
        before = self.state()
        self.world.store.holding = True
        removing = self._removing("bob")
        self.world.store.fail()
        self.world.store.holding = False
        self.refused(Code.UNAVAILABLE, lambda: removing)
        self.assertEqual((self.state(), self.world.presence), (before, ["+alice", "+bob", "+carol"]))

    def test_many_accounts(self) -> None:
        """Accounts near the removed one are still found."""
        self.done(self.world.store.commit([UserCreated("bobby", "bobby", None, 0, None)]))
        self.world.restart()
        self.remove()
        self.assertEqual(self.world.chat.users("bob", 5).offline, ["bobby"])


class BanTests(WorldTestCase):
    """Bans and kicks in the core."""

    def ban(self, whom: str, until: int | None = None, reason: str = "", by: str | None = None) -> Any:
        """Ban a user."""
        return self.world.chat.moderation.ban(whom, until, reason, None if by is None else self.world[by])

    def banned_networks(self) -> list[str | None]:
        """Return the networks whose bans are in force."""
        return [ban.network for ban in self.world.directory.network_bans.all(self.world.ms)]

    def byes(self) -> list[tuple[Any, str]]:
        """Return the published byes."""
        return [(p.audience, p.event.reason) for p in self.world.published if isinstance(p.event, events.Bye)]

    def test_kick(self) -> None:
        """A kick gives the user's sessions the reason, and returns their number."""
        self.world.enter("bob", 2)
        kick = self.world.chat.moderation.kick
        self.assertEqual(self.done(kick("BOB", None)), 2)
        self.assertEqual(self.done(kick("@carol", self.world["alice"])), 1)
        self.assertEqual(
            self.byes(), [((2,), "the administrator ended your sessions"), ((3,), "alice ended your sessions")]
        )
        self.refused(Code.YOURSELF, kick, "alice", self.world["alice"])
        self.refused(Code.NO_SUCH_USER, kick, "nobody", None)

    def test_ban_user(self) -> None:
        """A banned user learns the end and the reason, and the ban survives a restart."""
        self.assertEqual(self.done(self.ban("BOB", self.world.ms + 60_000, "spam\n\x1b[2J")), "bob")
        self.assertEqual(self.byes()[0][1][:48], "You are banned until 2026-11-22 14:01 UTC: spam␊")
        self.assertTrue(self.byes()[0][1].isprintable())
        self.world.restart()
        ban = self.world["bob"].ban
        assert ban is not None
        self.assertEqual(ban.until, self.world.ms + 60_000)
        unban = self.world.chat.moderation.unban
        self.assertEqual(self.done(unban("bob", self.world["alice"])), "bob")
        self.assertIsNone(self.world["bob"].ban)
        self.world.restart()
        self.assertIsNone(self.world["bob"].ban)
        self.refused(Code.BAD_REQUEST, unban, "bob", None)
        self.refused(Code.NO_SUCH_USER, self.ban, "nobody")
        self.refused(Code.YOURSELF, self.ban, "alice", by="alice")

    def test_reasons(self) -> None:
        """A reason is one trimmed line of at most 200 characters."""
        for reason, expected in ((" spam \n", "spam"), ("x" * 200, "x" * 200), ("x" * 201, "x" * 199 + "\u2026")):
            self.done(self.ban("bob", None, reason))
            self.assertEqual(self.world["bob"].ban.reason, expected)

    def test_ban_network(self) -> None:
        """A network is banned and unbanned in any notation, and the holder of its connections is called."""
        called: list[int] = []
        self.world.chat.state.on_network_banned = lambda: called.append(1)
        self.assertEqual(self.done(self.ban("192.0.2.9/24")), "192.0.2.0/24")
        self.assertEqual(called, [1])
        self.world.restart()
        moderation = self.world.chat.moderation
        self.assertEqual(self.banned_networks(), ["192.0.2.0/24"])
        self.done(self.ban("192.0.2.1"))
        self.assertEqual(self.done(moderation.unban("192.0.2.0/24", None)), "192.0.2.0/24")
        self.refused(Code.BAD_REQUEST, moderation.unban, "192.0.2.0/24", None)
        self.assertEqual(self.banned_networks(), ["192.0.2.1/32"])

    def test_address_or_name(self) -> None:
        """An argument that looks like an address is one, unless it begins with @ or only users can be banned."""
        self.world.add_user("10.0.0.1")
        self.assertEqual(self.done(self.ban("10.0.0.1")), "10.0.0.1/32")
        self.assertEqual(self.done(self.ban("@10.0.0.1")), "10.0.0.1")
        self.refused(Code.NO_SUCH_USER, self.ban, "10.0.0.2", by="alice")
        self.assertEqual(self.done(self.world.chat.moderation.unban("@10.0.0.1", None)), "10.0.0.1")

    def test_ended(self) -> None:
        """An expired ban has no effect and cannot be lifted."""
        self.done(self.ban("bob", self.world.ms + 1_000))
        self.done(self.ban("192.0.2.1", self.world.ms + 1_000))
        self.world.ms += 1_000
        for whom in ("bob", "192.0.2.1"):
            self.refused(Code.BAD_REQUEST, self.world.chat.moderation.unban, whom, None)
        self.assertEqual(self.banned_networks(), [])

    def test_removed(self) -> None:
        """A ban ends with its account."""
        self.done(self.ban("bob"))
        self.done(self.world.chat.moderation.remove("bob", False, lambda _: None))
        self.world.restart()
        self.assertEqual([user.ban for user in self.world.directory.users.values()], [None] * 3)
