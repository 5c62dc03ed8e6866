"""Commands about users: signing in, leaving, blocks, passwords."""

from irchat.commands import people
from irchat.interfaces.limits import Limits
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from tests.helpers.commands import CommandTestCase, FakeCaller

_GOOD = "correct horse"
_LIMITS = {
    "name_length": 32, "text_length": 4_000, "password_min_bytes": 8, "password_max_bytes": 1_024,
    "timed_max": 604_800, "page": 500, "group_members": 1_000,
}  # fmt: skip


class SignInTests(CommandTestCase):
    """Signing in while bob and carol are online."""

    names = ("bob", "carol")

    def register(self, name: str = "alice") -> tuple[FakeCaller, events.Welcome]:
        """Create a new session with a new account."""
        caller = FakeCaller(self.chat)
        welcome = self.done(self.ask(caller, requests.Register(name=name, password=_GOOD)))
        assert isinstance(welcome, events.Welcome)
        return caller, welcome

    def test_register(self) -> None:
        """A new user joins and gets the limits and the online users, including themselves."""
        self.done(self.world.send("bob", "GLOBAL"))
        caller, welcome = self.register()
        self.assertEqual((welcome.name, welcome.new, welcome.version, welcome.limits), ("alice", True, 1, _LIMITS))
        self.assertEqual((welcome.online, welcome.online_count, welcome.unread), (["bob", "carol", "alice"], 3, []))
        self.assertEqual(caller.notes, ["registration", "join", {1: 1}])
        self.assertEqual(list(welcome.features), ["amend", "marks", "mentions", "alert", "around", "sessions", "keys"])

    def test_limits(self) -> None:
        """The limits are the current ones."""
        self.chat.limits.change_to(Limits(text_length=7, group_members=3))
        self.assertEqual(self.register()[1].limits, {**_LIMITS, "text_length": 7, "group_members": 3})

    def test_unread(self) -> None:
        """A returning user gets the chats with unread messages, timed ones too, and no others."""
        caller, welcome = self.register()
        caller.part()
        self.done(self.world.send("bob", "GLOBAL"))
        self.done(self.world.send("bob", "@alice"))
        self.done(self.world.send("bob", "@alice", expires_in=9))
        self.done(self.world.send("bob", "@carol"))
        for request in (requests.Login(name="ALICE", password=_GOOD), requests.Resume(token=welcome.token)):
            caller = FakeCaller(self.chat)
            back = self.done(self.ask(caller, request))
            assert isinstance(back, events.Welcome)
            self.assertEqual((back.name, back.new), ("alice", False))
            self.assertEqual(
                {(chat.chat, chat.id, chat.unread, chat.last_seq) for chat in back.unread},
                {("@bob", "@1", 2, 1), ("GLOBAL", "GLOBAL", 1, 1)},
            )
            self.assertEqual(caller.notes[1:], ["join", {1: 1, (1, 3): 1}])

    def test_joined_before_it_is_told(self) -> None:
        """The session joins before its chats are read, so that nothing is missed between."""
        caller = FakeCaller(self.chat)
        self.world.store.holding = True
        entering = self.ask(caller, requests.Register(name="alice", password=_GOOD))
        self.world.store.let_through()
        self.assertEqual(caller.notes, ["registration", "join"])
        self.assertNoResult(entering)
        self.world.store.let_through()
        self.done(entering)

    def test_unavailable(self) -> None:
        """If the chats cannot be read, nobody is signed in."""
        caller = FakeCaller(self.chat)
        self.world.store.holding = True
        entering = self.ask(caller, requests.Register(name="alice", password=_GOOD))
        self.world.store.let_through()
        self.world.store.fail()
        self.refused(Code.UNAVAILABLE, lambda: entering)
        self.assertEqual((caller.notes, len(self.chat.presence.sessions)), (["registration", "join", "part"], 2))

    def test_most_online(self) -> None:
        """The list of online names is limited, their count is not."""
        self.patch(people.rules, "ONLINE_IN_WELCOME", 2)
        _, welcome = self.register()
        self.assertEqual((welcome.online, welcome.online_count), (["bob", "carol"], 3))

    def test_refused(self) -> None:
        """A refused sign-in joins nobody."""
        caller = FakeCaller(self.chat)
        for code, request in (
            (Code.BAD_CREDENTIALS, requests.Login(name="bob", password="x")),
            (Code.BAD_TOKEN, requests.Resume(token="x")),
            (Code.NAME_TAKEN, requests.Register(name="bob", password=_GOOD)),
        ):
            self.refused(code, self.ask, caller, request)
        self.assertEqual(caller.notes, ["try bob", "try ", "registration"])

    def test_no_token_wanted(self) -> None:
        """A session that wants no token gets none."""
        self.register()
        caller = FakeCaller(self.chat)
        caller.wants_token = False
        welcome = self.done(self.ask(caller, requests.Login(name="alice", password=_GOOD)))
        self.assertEqual((welcome.token, caller.token), ("", None))

    def test_password(self) -> None:
        """A new password keeps the session's own token."""
        caller, welcome = self.register()
        self.refused(Code.BAD_CREDENTIALS, self.ask, caller, requests.Password(old="x", new="battery staple"))
        self.assertEqual(self.done(self.ask(caller, requests.Password(old=_GOOD, new="battery staple"))), events.Ok())
        self.done(self.ask(FakeCaller(self.chat), requests.Resume(token=welcome.token)))
        self.refused(
            Code.BAD_CREDENTIALS, self.ask, FakeCaller(self.chat), requests.Login(name="alice", password=_GOOD)
        )

    def test_guessing_the_old_password(self) -> None:
        """A wrong old password counts as a failed sign-in: a session cannot avoid the pauses."""
        caller, _ = self.register()
        caller.notes.clear()
        self.refused(Code.BAD_CREDENTIALS, self.ask, caller, requests.Password(old="x", new="battery staple"))
        self.assertEqual(caller.notes, ["try alice"])

    def test_logout(self) -> None:
        """Leaving answers with bye and, on request, revokes the token. Without one it answers with bye as well."""
        caller, welcome = self.register()
        bye = events.Bye(reason="you left")
        self.assertEqual(self.done(self.ask(caller, requests.Logout())), bye)
        self.done(self.ask(FakeCaller(self.chat), requests.Resume(token=welcome.token)))
        self.assertEqual(self.done(self.ask(caller, requests.Logout(forget=True))), bye)
        self.refused(Code.BAD_TOKEN, self.ask, FakeCaller(self.chat), requests.Resume(token=welcome.token))
        self.assertEqual(self.done(self.ask(FakeCaller(self.chat), requests.Logout(forget=True))), bye)

    def test_ping(self) -> None:
        """A ping gets its pong, for anyone."""
        self.assertEqual(self.done(self.ask(FakeCaller(self.chat), requests.Ping())), events.Pong())


class BlockCommandTests(CommandTestCase):
    """Blocks."""

    def test_typed(self) -> None:
        """As a typed line it toggles."""
        self.assertEqual(self.run_line("alice", "~bob"), events.Blocks(["bob"]))
        self.assertEqual(self.run_line("alice", "~"), events.Blocks(["bob"]))
        self.assertEqual(self.run_line("alice", "~ bob"), events.Blocks([]))

    def test_asked(self) -> None:
        """As a request it names the direction."""
        for blocked in (True, True, False, False):
            answer = self.done(self.ask("alice", requests.Block(name="bob", blocked=blocked)))
            self.assertEqual(answer, events.Blocks(["bob"] if blocked else []))
        self.refused(Code.YOURSELF, self.ask, "alice", requests.Block(name="alice"))

    def test_signed_in(self) -> None:
        """It requires a signed-in user."""
        for request in (
            requests.Block(name="bob"),
            requests.Blocks(),
            requests.Chats(),
            requests.Send(chat="x", text="x"),
        ):
            self.refused(Code.NOT_LOGGED_IN, self.ask, FakeCaller(self.chat), request)
