"""The user's actions, against a fake server and a manual clock."""

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.entry import SavedSignIn
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.connect.tokens import Tokens
from irchat.client.control.controller import Controller, Spot, Taken
from irchat.client.control.questions import Question
from irchat.client.exceptions import ClientError
from irchat.client.view.chat_state import ChatState
from irchat.client.view.navigation import Place
from irchat.client.view.panels import Painter
from irchat.client.view.screen_state import ScreenState
from irchat.commands import AS_MESSAGE
from irchat.protocol import events, requests
from tests.helpers.client_fakes import FakeServer, error, message, sent, welcome


class ControllerCase(SynchronousTestCase):
    """A user at a server."""

    def setUp(self) -> None:
        """Create a user who connects and signs in."""
        self.clock = Clock()
        self.servers = [FakeServer()]
        self.view = ScreenState("host:7667")
        self.nonces = iter("abcdefgh")
        self.controller = Controller(self.clock, self.view, lambda: next(self.nonces))
        self.told: list[str] = []
        self.controller.on_changed = self.draw
        self.controller.incoming.notify = self.told.append
        self.tokens = Tokens(Path(self.mktemp()) / "tokens")
        entry = SavedSignIn(self.tokens, "host:7667", "alice", self.controller.questions, self.view.complain)
        self.done = Deferred.fromCoroutine(self.controller.run(self._connect, entry))
        self.enter()

    def draw(self) -> None:
        """Draw a frame while nothing is being typed."""
        self.controller.settle()
        Painter(self.view).pane(100, 20, self.clock.seconds())
        self.controller.on_changed = lambda: None
        self.controller.drawn()
        self.controller.on_changed = self.draw

    async def _connect(self) -> ServerConnection:
        if self.servers[-1].connection.connected == 0 or len(self.servers) == self.used:
            raise ClientError("Nothing is listening. Start one.")
        self.used = len(self.servers)
        return self.servers[-1].connection

    used = 0

    @property
    def server(self) -> FakeServer:
        """The current connection of the server."""
        return self.servers[-1]

    def enter(self) -> None:
        """Sign in."""
        self.server.asked()
        self.server.answer(welcome())
        chats = [events.Chat(name, "id", 0, 0, 0, None) for name in ("GLOBAL", "@bob")]
        self.server.answer(events.Chats(chats), events.Users(["bob"], [], False), events.Blocks([]))
        self.server.answer(events.History("GLOBAL", [], False))

    def asked(self) -> list[object]:
        """Return the requests since the last call."""
        return list(self.server.asked())

    def open(self, name: str, *messages: events.Message, more: bool = False) -> None:
        """Open a chat and answer with its end."""
        self.controller.open(name)
        self.server.answer(events.History(name, list(messages), more))

    def texts(self) -> list[str]:
        """Return the texts in the pane."""
        return [item.text for item in self.view.here.items]

    def submit(self, line: str, **how: bool) -> Taken:
        """Press Enter on a line: of a question, of a list, or of the open chat."""
        match self.controller.target:
            case Question():
                self.controller.questions.answer(line)
                return Taken(True)
            case ChatState() as here if line or self.view.place is Place.CHAT:
                return self.controller.submit(line, here, **how)
        self.controller.choose()
        return Taken(True)

    def lose(self) -> None:
        """Lose the connection, and refuse new ones."""
        self.server.lose(ConnectionDone())


class TypingTests(ControllerCase):
    """Typed lines."""

    def test_nobody_of_that_name(self) -> None:
        """A chat that does not exist leaves the list, open or not, and the user sees one error."""
        nobody = error("no-such-user", "Nobody.")
        self.controller.home()
        self.submit("@bbo hi")
        self.assertEqual(self.view.here.name, "@bbo")
        self.server.answer(nobody, nobody)
        self.assertEqual((self.view.place, self.texts()), (Place.HOME, ["Nobody.", "not sent: @bbo hi"]))
        self.open("@bob")
        self.submit("@bbo hi")
        self.submit("@bbo hi again")
        self.server.answer(nobody)
        self.server.answer(nobody)
        self.assertEqual(self.texts(), ["not sent: @bbo hi", "Nobody.", "not sent: @bbo hi again"])
        self.assertNotIn("@bbo", self.view.chats)

    def test_a_user_who_is_removed(self) -> None:
        """A chat with messages stays listed."""
        self.open("@dora", message("hi", chat="@dora", seq=1))
        self.submit("hi")
        self.server.answer(error("no-such-user", "Nobody."))
        self.assertEqual(self.texts(), ["hi", "Nobody.", "not sent: hi"])

    def test_unknown_reply(self) -> None:
        """A reply of an unknown type is reported as such."""
        self.open("@bob")
        self.submit("~")
        self.asked()
        self.server.raw(b'{"type":"odd","ref":7}\n')
        self.assertIn("cannot read", self.texts()[-1])

    def test_wrong_use(self) -> None:
        """An invalid command is not sent, and its line stays."""
        taken = self.submit("~bob carol")
        self.assertFalse(taken.accepted)
        self.assertIn("~<user>", taken.trouble)
        self.assertEqual(self.asked(), [])

    def test_backslash(self) -> None:
        """A backslash sends to everyone from any chat, and the open chat shows a note."""
        self.open("@bob")
        self.submit("\\+1")
        self.assertEqual(self.asked(), [requests.Send(chat="GLOBAL", text="+1", nonce="a")])
        self.assertEqual(self.texts(), ["to GLOBAL: +1"])

    def test_moderation(self) -> None:
        """Administrators' commands go to the server, and a refusal shows how to send the line as text."""
        self.open("@bob")
        self.submit("!kick carol")
        self.assertEqual(self.asked(), [requests.Line(line="!kick carol")])
        self.server.answer(events.Ok())
        self.submit("!kick carol")
        self.server.answer(error("bad-request", f"No.{AS_MESSAGE}"))
        self.assertEqual(self.texts(), ["done", "No. To say it here, type @bob before it."])

    def test_commands_answer_in_place(self) -> None:
        """The reply to a command appears in the open chat."""
        self.open("@bob")
        self.submit("+team")
        self.server.answer(events.Group("*team", "g", "bob", ["bob", "alice"]))
        self.submit("~nobody")
        self.server.answer(error("no-such-user", "No such."))
        self.submit("!help ~")
        self.server.answer(events.Help("~<user>  block\n~        list"))
        self.assertEqual(self.texts(), ["*team, owner bob: bob, alice", "No such.", "~<user>   block", "~   list"])

    def test_blocks(self) -> None:
        """Blocking reloads the visible messages."""
        self.open("@bob", message("hi", chat="@bob", seq=1))
        self.submit("~bob")
        self.server.answer(events.Blocks(["bob"]))
        self.assertEqual(self.asked(), [requests.Chats(), requests.History(chat="@bob", limit=100)])

    def test_new_group(self) -> None:
        """A new group is opened."""
        self.submit("*bob -> team")
        self.server.answer(events.Group("*team", "g", "alice", ["alice", "bob"]))
        self.assertEqual(self.view.here.name, "*team")

    def test_leaving_a_group(self) -> None:
        """A group that the user left disappears."""
        self.view.chat("*team")
        self.submit("-alice team")
        self.server.answer(events.Ok(), events.Chats([]))
        self.assertNotIn("*team", self.view.chats)

    def test_from_home(self) -> None:
        """A message from the first screen opens its chat. From an open chat it does not."""
        self.controller.home()
        self.submit("@bob hi")
        self.assertEqual(self.view.here.name, "@bob")
        self.server.answer(events.History("@bob", [], False), sent(chat="@bob", seq=1))
        self.submit("@carol hi")
        self.assertEqual(self.view.here.name, "@bob")
        self.assertEqual(self.texts()[-1], "to @carol: hi")

    def test_say(self) -> None:
        """A text can be sent as it is, even if it looks like a command."""
        self.submit("@bob", as_text=True)
        self.assertIn(requests.Send(chat="GLOBAL", text="@bob", nonce="a"), self.asked())
        self.server.answer(sent(seq=1))
        self.open("@bob")
        self.submit("*x", as_text=True)
        self.assertIn(requests.Send(chat="@bob", text="*x", nonce="b", id="id"), self.asked())

    def test_local(self) -> None:
        """The manual opens without the server."""
        self.submit("!help")
        self.assertEqual((self.view.manual, self.asked()), (0, []))

    def test_ls(self) -> None:
        """``ls`` shows the list of chats in place."""
        self.submit("ls")
        self.assertEqual(self.asked(), [requests.Chats()])
        self.server.answer(events.Chats([events.Chat("@bob", "id", 2, 2, 0, None)]))
        self.assertEqual(self.texts(), ["your chats, latest first:", "  @bob  2 unread  no messages yet"])
        self.assertEqual(self.view.chat("@bob").unread, 2)

    def test_password(self) -> None:
        """Questions change the password. It stays if the new ones differ or the old one is wrong."""
        self.open("@bob")
        for again, reply, said in [
            ("new", events.Ok(), "your password is changed"),
            ("other", None, "differ"),
            ("new", error("bad-credentials", "That is not it."), "not it"),
        ]:
            self.submit("!password")
            for answer in "old", "new", again:
                self.assertTrue(self.controller.questions.current.secret)
                self.assertEqual(self.submit(answer), Taken(True))
            if reply is not None:
                self.assertEqual(self.asked(), [requests.Password(old="old", new="new")])
                self.server.answer(reply)
            self.assertIn(said, self.texts()[-1])

    def test_before_the_sign_in(self) -> None:
        """Before the sign-in nothing can be typed without a question."""
        self.view.place = Place.SIGN_IN
        self.assertIs(self.controller.target, Spot.NOWHERE)
