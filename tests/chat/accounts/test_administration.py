"""The administrator's commands: their results, and their error texts."""

from typing import Any

from argon2 import PasswordHasher
from msgspec.structs import asdict
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred, succeed

from irchat.chat.accounts import administration
from irchat.chat.accounts.accounts import Accounts
from irchat.chat.accounts.administration import (
    AddToken,
    AddUser,
    Administration,
    Ban,
    DeleteMessage,
    Kick,
    ListBans,
    ListNodes,
    ListUsers,
    RemoveUser,
    ResetPassword,
    Stats,
    Unban,
)
from irchat.interfaces.nodes import NodeRow
from irchat.protocol.errors import Code, Refusal
from tests.helpers.chat import BEGIN_MS, WorldTestCase


def _in_thread(by: object, call: Any, *args: Any) -> Deferred[Any]:
    return maybeDeferred(call, *args)


class AdministrationTests(WorldTestCase):
    """`Administration`, with alice, bob and carol. Carol is offline."""

    away = ("carol",)

    def setUp(self) -> None:
        """Create it for a server that has run for a minute."""
        super().setUp()
        world = self.world
        self.accounts = Accounts(
            world.directory, world.chat.queue, world.store, _in_thread, world.wall_ms,
            registration_open=False, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        )  # fmt: skip
        self.administration = Administration(world.chat, self.accounts, lambda: 60.0, lambda: 7)
        self.told: list[str] = []

    def run_it(self, command: Any) -> Any:
        """Return the result of a command."""
        return self.done(self.administration.run(command, self.told.append))

    def refuse(self, code: Code, command: Any) -> str:
        """Return the error text of a refused command."""
        refusal = self.failureResultOf(ensureDeferred(self.administration.run(command, self.told.append)), Refusal)
        self.assertIs(refusal.value.code, code)
        return str(refusal.value.text)

    def signs_in(self, name: str, password: str) -> bool:
        """Return whether a password opens an account."""
        try:
            self.done(self.accounts.login(name, password))
        except self.failureException:
            return False
        return True

    def test_delete(self) -> None:
        """A message is deleted in any chat, and its readers learn of it. What is not there is refused."""
        self.done(self.world.send("alice", "@bob", "hi"))
        self.world.published.clear()
        self.assertIsNone(self.run_it(DeleteMessage(chat="@alice@bob", seq=1)))
        self.assertEqual([event.deleted for event in self.world.told("bob")], [True])
        self.assertIn("@alice@bob", self.refuse(Code.NO_SUCH_MESSAGE, DeleteMessage(chat="@alice@bob", seq=1)))
        self.assertIn("GLOBAL", self.refuse(Code.NO_SUCH_CHAT, DeleteMessage(chat="@alice@dave", seq=1)))

    def test_add_and_reset(self) -> None:
        """An account can be added while registration is closed, and its password can be reset."""
        self.assertIsNone(self.run_it(AddUser(name="Dave", password="correct horse")))
        self.assertTrue(self.signs_in("dave", "correct horse"))
        self.refuse(Code.NAME_TAKEN, AddUser(name="dave", password="correct horse"))
        self.assertIsNone(self.run_it(ResetPassword(name="dave", password="battery staple")))
        self.assertEqual([self.signs_in("dave", one) for one in ("correct horse", "battery staple")], [False, True])
        self.refuse(Code.WEAK_PASSWORD, ResetPassword(name="dave", password="x"))

    def test_token(self) -> None:
        """A token for a program signs it in. Other errors than an unknown user keep their text."""
        token = self.run_it(AddToken(name="alice", label="backup"))
        self.assertEqual(self.done(self.accounts.resume(token)).user.name, "alice")
        self.assertIn("'eve'", self.refuse(Code.NO_SUCH_USER, AddToken(name="eve", label="backup")))
        self.assertIn("label", self.refuse(Code.BAD_REQUEST, AddToken(name="alice", label="")))

    def test_unknown_user(self) -> None:
        """An unknown name is reported, with the command that lists names, and with addresses where they are allowed."""
        where = "irchat-admin users lists the users."
        reset, remove = ResetPassword(name="@eve", password="correct horse"), RemoveUser(name="eve", messages=False)
        for command in (reset, remove, Kick(name="eve")):
            self.assertEqual(self.refuse(Code.NO_SUCH_USER, command), f"There is no user 'eve'. {where}")
        for command in (Ban(whom="eve", until=None, reason=""), Unban(whom="@eve")):
            self.assertEqual(self.refuse(Code.NO_SUCH_USER, command), f"There is no user or address 'eve'. {where}")

    def test_remove(self) -> None:
        """A removed account is reported under its new name. Removing its messages reports progress."""
        for name in "alice", "bob":
            self.done(self.world.send(name, "GLOBAL", f"by {name}"))
        self.assertEqual(self.run_it(RemoveUser(name="bob", messages=False)), "bob#2")
        self.assertEqual((self.told, self.said("carol", "GLOBAL")), ([], ["by alice", "by bob"]))
        self.assertEqual(self.run_it(RemoveUser(name="alice", messages=True)), "alice#1")
        self.assertEqual((self.told, self.said("carol", "GLOBAL")), (["1 messages deleted"], ["by bob"]))

    def test_users(self) -> None:
        """Accounts are listed by name in pages, with sessions and bans, without removed ones."""
        self.patch(administration, "_PAGE_MOST", 2)
        self.world.add_user("Dave")
        self.world.enter("bob", 2)
        self.run_it(Ban(whom="dave", until=None, reason=""))
        self.run_it(Ban(whom="bob", until=BEGIN_MS + 5_000, reason=""))
        self.run_it(Ban(whom="alice", until=BEGIN_MS + 1_000, reason=""))
        self.world.ms += 1_000
        self.run_it(RemoveUser(name="carol", messages=False))
        rows = [*self.run_it(ListUsers()), *self.run_it(ListUsers(after="bob"))]
        self.assertEqual(
            [(row["name"], row["key"], row["sessions"], row["banned_until"]) for row in rows],
            [("alice", "alice", 1, False), ("bob", "bob", 2, BEGIN_MS + 5_000), ("Dave", "dave", 0, None)],
        )
        self.assertEqual({row["created_at"] for row in rows}, {BEGIN_MS})

    def test_bans(self) -> None:
        """Current bans are listed with end and reason, users by name and then networks."""
        for whom, until in (("bob", None), ("@alice", BEGIN_MS + 60_000), ("192.0.2.0/24", None)):
            self.run_it(Ban(whom=whom, until=until, reason="spam"))
        self.assertEqual(
            [(row["whom"], row["until"], row["reason"]) for row in self.run_it(ListBans())],
            [("@alice", BEGIN_MS + 60_000, "spam"), ("@bob", None, "spam"), ("192.0.2.0/24", None, "spam")],
        )
        self.assertEqual(self.run_it(Unban(whom="bob")), "bob")
        self.assertEqual(self.run_it(Unban(whom="192.0.2.0/24")), "192.0.2.0/24")
        self.world.ms += 60_000
        self.assertEqual(self.run_it(ListBans()), [])
        self.refuse(Code.BAD_REQUEST, Unban(whom="alice"))

    def test_end_of_a_ban(self) -> None:
        """A ban with an end in the past is refused and not made."""
        self.refuse(Code.BAD_TIME, Ban(whom="bob", until=BEGIN_MS, reason=""))
        self.assertEqual(self.run_it(ListBans()), [])

    def test_kick(self) -> None:
        """A kick reports the number of sessions that it ended."""
        self.world.enter("bob", 2)
        self.assertEqual([self.run_it(Kick(name=name)) for name in ("@bob", "alice", "carol")], [2, 1, 0])

    def test_nodes(self) -> None:
        """The nodes are listed from the store that they share. Without one, this is refused."""
        self.refuse(Code.BAD_REQUEST, ListNodes())
        row = NodeRow("one", 1, 12, 0, 3, 0.5, None)
        self.administration.nodes = lambda: succeed([row])
        self.assertEqual(self.run_it(ListNodes()), [asdict(row)])

    def test_stats(self) -> None:
        """The statistics count what exists. Expired bans do not count."""
        self.world.enter("bob", 2)
        self.group("team", "alice", "carol")
        for chat in "GLOBAL", "@carol", "*team":
            self.done(self.world.send("alice", chat))
        for whom, until in (
            ("carol", BEGIN_MS + 1_000),
            ("bob", None),
            ("192.0.2.1", None),
            ("192.0.2.2", BEGIN_MS + 1),
        ):
            self.run_it(Ban(whom=whom, until=until, reason=""))
        self.world.ms += 1
        self.run_it(AddUser(name="dave", password="correct horse"))
        self.done(self.accounts.login("dave", "correct horse"))
        stats = self.run_it(Stats())
        self.assertGreater(stats.pop("database_bytes"), 0)
        self.assertEqual(stats, {
            "users": 4, "online": 2, "sessions": 3, "connections": 7, "groups": 1, "private_chats": 1, "messages": 3,
            "banned": 3, "tokens": 1, "uptime": 60.0,
        })  # fmt: skip
        self.world.ms += 999
        self.assertEqual(self.run_it(Stats())["banned"], 2)
        row = NodeRow("one", 1, 12, 0, 3, 0.5, None)
        self.administration.nodes = lambda: succeed([row])
        self.assertEqual(self.run_it(Stats())["nodes"], [asdict(row)])
