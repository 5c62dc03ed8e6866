"""The text protocol's sign-in and its password dialogue, as a person sees them."""

from twisted.internet.defer import Deferred

from irchat.protocol.errors import unavailable
from irchat.protocol.rules import WAITING_BYTES
from tests.helpers.server import GREETING, PASSWORD, JSONClient, ServerTestCase, TextClient, request

CHOOSE = "Choose a password (8 characters or more)?\n"
AGAIN = "The same password again?\n"
USERNAME = "Your username?\n"
HINT = "Type a message and it goes to everyone; !help shows what else you can type.\n"
NEW_BOB = f"Welcome to IRChat, bob!\nOnline (1): bob\n{HINT}"


class SignInTests(ServerTestCase):
    """From the greeting to the welcome."""

    def _person(self, **options: object) -> TextClient:
        self.server = self.make_server(**options)
        return self._another()

    def _another(self) -> TextClient:
        person = TextClient(self.server)
        self.assertEqual(person.shown(), GREETING)
        return person

    def _types(self, person: TextClient, line: str, answer: str) -> None:
        person.type(line)
        self.assertEqual(person.shown(), answer)

    def test_new_name(self) -> None:
        """A new name is reported as new and chooses a password twice. Then it is welcomed and types commands."""
        person = self._person()
        self._types(person, "bob", f"bob is a new name here, welcome.\n{CHOOSE}")
        self._types(person, PASSWORD, AGAIN)
        self._types(person, PASSWORD, NEW_BOB)
        self._types(person, "!help exit", "exit  leave\n")

    def test_help_and_leaving_are_no_names(self) -> None:
        """Help, and the words to leave in other chats, are answered with the expected input and how to leave."""
        person = self._person()
        for line in (
            "help",
            "HELP",
            "!help",
            "/help",
            "/nick bob",
            "quit",
            "Quit",
            "/quit",
            ":q",
            "/exit",
            "EXIT",
            "/logout",
        ):
            person.type(line)
            shown = person.shown()
            self.assertIn("exit leaves", shown, line)
            self.assertIn("!help shows", shown, line)
            self.assertTrue(shown.endswith(USERNAME), line)
        self._types(person, "bob", f"bob is a new name here, welcome.\n{CHOOSE}")

    def test_exit_leaves(self) -> None:
        """``exit`` at the prompt for the name leaves, and later lines are ignored."""
        person = self._person()
        person.type("exit", "bob")
        self.assertEqual(person.shown(), "-- goodbye: you left\n")
        self.assertFalse(person.is_open)

    def test_a_name_like_a_habit(self) -> None:
        """A user with such a name can still sign in with it."""
        self._person()
        self.server.json("quit").leave()
        person = self._another()
        self._types(person, "Quit", "Password for Quit?\n")

    def test_mismatch(self) -> None:
        """Two different passwords are both asked for again."""
        person = self._person()
        person.type("bob")
        person.shown()
        self._types(person, PASSWORD, AGAIN)
        self._types(person, PASSWORD + "x", f"! The passwords differ.\n{CHOOSE}")
        self._types(person, "another password", AGAIN)
        self._types(person, "another password", NEW_BOB)
        self.server.json("alice")
        client = JSONClient(self.server)
        client.ask("login", name="bob", password="another password")
        client.one("welcome")

    def test_weak_passwords(self) -> None:
        """A password that is short, long or the name is refused with the reason and asked for again."""
        person = self._person()
        person.type("bobbybob")
        person.shown()
        for weak, why in ("short", "8 to 1,024 bytes"), ("x" * 1_025, "8 to 1,024 bytes"), ("BobbyBob", "is the name"):
            person.type(weak)
            shown = person.shown()
            self.assertIn(why, shown)
            self.assertTrue(shown.endswith(CHOOSE))
        self._types(person, PASSWORD, AGAIN)

    def test_known_name(self) -> None:
        """A known name in any spelling is asked for its password and welcomed back in its own spelling."""
        self._person()
        self.server.json("Bob").leave()
        person = self._another()
        self._types(person, "  bOB ", "Password for bOB?\n")
        self._types(person, PASSWORD, f"Welcome back, Bob.\nNothing unread.\nOnline (1): Bob\n{HINT}")

    def test_unread(self) -> None:
        """A returning user sees which chats have unread messages, and how many."""
        self._person()
        self.server.json("bob").leave()
        alice = self.server.json("alice")
        for chat in "GLOBAL", "@bob", "@bob":
            alice.ask("send", chat=chat, text="hi")
            self.server.advance(1)
        person = self._another()
        person.type("bob", PASSWORD)
        self.assertIn("  @alice  2 unread\n  GLOBAL  1 unread\n", person.shown())

    def test_wrong_password(self) -> None:
        """A wrong password is reported and asked for again, three times in all. Then the server closes."""
        self._person()
        self.server.json("bob").leave()
        person = self._another()
        self._types(person, "bob", "Password for bob?\n")
        for _ in range(2):
            self._types(person, "wrong password", "! That password is wrong.\nPassword for bob, once more?\n")
        self._types(person, "wrong password", "! That password is wrong.\n-- goodbye: 3 wrong passwords\n")
        self.assertFalse(person.is_open)

    def test_right_at_last(self) -> None:
        """The third attempt may still succeed."""
        self._person()
        self.server.json("bob").leave()
        person = self._another()
        person.type("bob", "wrong password", "wrong again", PASSWORD)
        self.assertIn("Welcome back, bob.", person.shown())

    def test_no_fourth_try(self) -> None:
        """Lines pasted at once allow only three attempts, whatever the hashing limit."""
        for waits in False, True:
            self._person()
            self.server.json("bob").leave()
            person = self._another()
            self.server.hashing.holds = waits
            person.send(b"bob\n" + b"wrong password\n" * 3 + PASSWORD.encode() + b"\n" + b"hello\n")
            while self.server.hashing.held:
                self.server.hashing.release(1)
                self.server.turn()
            shown = person.shown()
            self.assertEqual(shown.count("! That password is wrong.\n"), 3)
            self.assertNotIn("Welcome", shown)
            self.assertFalse(person.is_open)

    def test_bad_name(self) -> None:
        """An invalid name is refused with the reason, made visible, and asked for again."""
        person = self._person()
        person.type("a b", "ev\x1b[2Jil")
        first, second, *_ = [line for line in person.shown().splitlines() if line.startswith("!")]
        self.assertIn("'a b' cannot be a name", first)
        self.assertIn("ev\u241b[2Jil", second)
        person.type("   ")
        self.assertEqual(person.shown(), "")
        person.type("bob")
        self.assertIn("new name", person.shown())

    def test_registration_closed(self) -> None:
        """If registration is closed, a new name is refused and may be corrected. A known one signs in."""
        person = self._person(registration_open=False)
        self.successResultOf(Deferred.fromCoroutine(self.server.accounts.add("bob", PASSWORD)))
        refusal = "! There is no such user, and registration is closed. Ask the administrator.\n"
        self._types(person, "carol", refusal + USERNAME)
        person.type("bob", PASSWORD)
        self.assertIn("Welcome back, bob.", person.shown())

    def test_no_passwords(self) -> None:
        """Without passwords a name is enough, even a new one."""
        person = self._person(passwords=False)
        self._types(person, "bob", NEW_BOB)
        again = self._another()
        again.type("bob")
        self.assertIn("Welcome back, bob.", again.shown())

    def test_no_passwords_and_closed(self) -> None:
        """Without passwords and with closed registration, a new name is refused and may be corrected."""
        person = self._person(passwords=False, registration_open=False)
        person.type("bob")
        shown = person.shown()
        self.assertTrue(shown.startswith("! Registration is closed."))
        self.assertTrue(shown.endswith(USERNAME))

    def test_name_taken_meanwhile(self) -> None:
        """If two choose the same name at the same time, the later one is refused and chooses another."""
        first = self._person()
        second = self._another()
        for person in first, second:
            person.type("bob", PASSWORD)
            person.shown()
        self._types(first, PASSWORD, NEW_BOB)
        second.type(PASSWORD)
        shown = second.shown()
        self.assertTrue(shown.startswith("! The name 'bob' is taken."))
        self.assertTrue(shown.endswith(USERNAME))

    def test_store_fails(self) -> None:
        """If the server cannot verify the password it says so and asks again. This is not a failed attempt."""
        self._person()
        self.server.json("bob").leave()
        person = self._another()
        person.type("bob")
        self.server.threads.read.holds = True
        for _ in range(3):
            person.type("wrong password")
            self.server.threads.read.fail(unavailable())
            self.server.turn()
        self.server.threads.read.holds = False
        self.assertIn("! The server cannot use its disk now", person.shown())
        self._types(person, PASSWORD, f"Welcome back, bob.\nNothing unread.\nOnline (1): bob\n{HINT}")

    def test_pasted(self) -> None:
        """Pasted names, passwords and commands are processed one after another, for any rate limit."""
        for waits in False, True:
            person = self._person()
            self.server.hashing.holds = waits
            person.send(f"bob\n{PASSWORD}\n{PASSWORD}\nhello\n!help exit\nexit\nnever\n".encode())
            self.server.hashing.holds = False
            self.server.hashing.release()
            self.server.turn()
            self.assertEqual(
                person.shown(),
                f"bob is a new name here, welcome.\n{CHOOSE}{AGAIN}{NEW_BOB}exit  leave\n-- goodbye: you left\n",
            )
            self.assertFalse(person.is_open)

    def test_typed_ahead(self) -> None:
        """While the server verifies a password nothing more is read, and further input is processed afterwards."""
        person = self._person()
        self.server.hashing.holds = True
        person.send(f"bob\n{PASSWORD}\n{PASSWORD}\n".encode())
        self.assertTrue(person.socket.is_read)
        person.send(*[b"hello\n"] * 10)
        self.assertFalse(person.socket.is_read)
        self.assertEqual(len(person._unsent), 9)
        self.server.hashing.holds = False
        self.server.hashing.release()
        self.server.turn()
        self.assertTrue(person.socket.is_read)
        person.send()
        person.type("ls GLOBAL")
        self.assertEqual(person.shown().count("] bob: hello\n"), 10)

    def test_never_reads(self) -> None:
        """A client that types without reading the questions is not read from, and continues after reading them."""
        person = self._person()
        person.socket.room = 0
        person.send(*[b"a b\n" * 5_000] * 6)
        self.assertFalse(person.socket.is_read)
        self.assertLess(person.socket.waiting + sum(map(len, person.outbox._pending)), WAITING_BYTES + 1_000)
        person.socket.room = None
        shown = ""
        while not person.socket.is_read or person._unsent:
            person.send()
            shown += person.shown()
        self.server.turn()
        self.assertEqual((shown + person.shown()).count(USERNAME), 30_000)

    def test_leaves_in_between(self) -> None:
        """A client that leaves while the password is verified leaves nothing behind."""
        person = self._person()
        self.server.hashing.holds = True
        person.send(f"bob\n{PASSWORD}\n{PASSWORD}\nhello\n".encode())
        person.leave()
        self.server.hashing.holds = False
        self.server.hashing.release()
        self.server.advance(2)
        self.assertEqual(self.server.chat.presence.sessions, {})


class PasswordTests(ServerTestCase):
    """``!password``."""

    def setUp(self) -> None:
        """Bob in the text protocol, and his program."""
        self.server = self.make_server()
        self.program = self.server.json("bob")
        self.person = self.server.text("bob")

    def _dialogue(self, *lines: str) -> str:
        self.person.type("!password", *lines)
        return self.person.shown()

    def _password_is(self, password: str) -> bool:
        client = JSONClient(self.server)
        client.ask("login", name="bob", password=password)
        return client.got()[0]["type"] == "welcome"

    def test_changed(self) -> None:
        """The dialogue asks for the old password and twice for the new one. Then only the new one is valid.

        All tokens are revoked, all other sessions end, and lines are commands again.
        """
        shown = self._dialogue(PASSWORD, "a new password", "a new password", "!help exit")
        self.assertEqual(shown, f"Your old password?\n{CHOOSE}{AGAIN}-- your password is changed\nexit  leave\n")
        self.assertEqual(self.program.told("bye")[0]["reason"], "your password was changed in another session")
        self.assertEqual((self.program.is_open, self.person.is_open), (False, True))
        self.assertTrue(self._password_is("a new password"))
        self.assertFalse(self._password_is(PASSWORD))
        client = JSONClient(self.server)
        client.ask("resume", token=self.program.welcome["token"])
        self.assertEqual(client.one("error")["code"], "bad-token")

    def test_wrong_old(self) -> None:
        """A wrong old password changes nothing, and lines are commands again."""
        shown = self._dialogue("wrong password", "a new password", "a new password", "!help exit")
        self.assertTrue(shown.endswith("! The old password is wrong; nothing was changed. Try again.\nexit  leave\n"))
        self.assertTrue(self._password_is(PASSWORD))

    def test_weak_and_mismatch(self) -> None:
        """A weak new password, or two that differ, are asked for again."""
        shown = self._dialogue(PASSWORD, "short", "a new password", "another one", "a new password", "a new password")
        self.assertEqual(shown.count(CHOOSE), 3)
        self.assertIn("! The passwords differ.\n", shown)
        self.assertTrue(self._password_is("a new password"))

    def test_without_passwords(self) -> None:
        """Without passwords the answer says that there is none to change."""
        server = self.make_server(passwords=False)
        person = TextClient(server)
        person.type("bob")
        person.shown()
        person.type("!password")
        self.assertTrue(person.shown().startswith("! "))
        person.type("!help exit")
        self.assertEqual(person.shown(), "exit  leave\n")

    def test_passwords_are_not_kept(self) -> None:
        """No password is printed again in a reprint."""
        self._dialogue(PASSWORD, "a new password", "a new password")
        self.server.json("alice").send(request("send", chat="GLOBAL", text="soon gone", expires_in=1))
        self.server.advance(1.1, 0.6)
        shown = self.person.shown()
        self.assertIn("!password", shown)
        for secret in PASSWORD, "a new password":
            self.assertNotIn(secret, shown)
