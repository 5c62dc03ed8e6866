"""Typed text goes where the screen says: keys, frames, events, replies and lost connections in any order.

The application, the controller and the view are real. The server, the clock and the terminal are fakes, and the text on
the screen is read from the terminal. No two typed words are alike, so each word identifies the place for which it was
typed.
"""

import re
from itertools import count

import pyte
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from prompt_toolkit.data_structures import Size
from twisted.internet.error import ConnectionDone
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.control.questions import Question, Stage
from irchat.client.exceptions import ClientError
from irchat.client.view.chat_state import ChatState
from irchat.protocol import events, requests
from tests.client.terminal.test_input_line import ApplicationCase as _ApplicationCase
from tests.helpers.client_fakes import FakeServer, error, message, sent, welcome

_PROMPT = re.compile(r"(?:(GLOBAL|\*\w+|@bob)?> |(Go to: )|((?:Old |New )?[Pp]assword(?: again)?: ))")
_WORD = re.compile(r"w\d+z")
_OVER = "The connection was lost before you answered"
_HOME = ""
_CTRL_C, _CTRL_K, _CTRL_N, _KILL, _YANK, _UNDO, _UP = "\x03", "\x0b", "\x0e", "\x15", "\x19", "\x1f", "\x1b[A"
# "w" stands for a new word. Keys that throw words away, or bring old ones back, have a rule of their own.
_KEYS = ("w", "w", "w", "\r", "\x1b0", "\x1b1", "\x1b2", "\x1b3", _CTRL_N, f"{_CTRL_K}bob\r", f"{_CTRL_K}tea")
_SWITCHES = frozenset(_KEYS) - {"w"}


class _Terminal(_ApplicationCase):
    """A person at a terminal, whose server comes and goes."""

    def setUp(self) -> None:
        """Sign in, at a terminal without a sidebar."""
        self.listens = True
        self.screen = pyte.Screen(80, 10)
        self.stream = pyte.ByteStream(self.screen)
        self.output = b""
        super().setUp()
        self.size = Size(rows=10, columns=80)
        self.app._on_resize()
        self.turn()
        numbers = count()
        self.controller.sending._new_nonce = lambda: f"n{next(numbers)}"

    async def _connect(self) -> ServerConnection:
        if not self.listens:
            raise ClientError("Nothing is listening.")
        return self.server.connection

    def turn(self, *, drain: bool = True) -> None:
        """Draw if needed. With ``drain``, the terminal receives the frame."""
        for _ in range(2):
            self.clock.advance(1 / 32)  # exact in binary, so that ends are reached exactly
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
            if drain:
                self.take()

    def take(self) -> None:
        """Let the terminal receive what was written."""
        drawn = self.transport.value()
        self.transport.clear()
        self.output += drawn
        self.stream.feed(drawn)
        self.device.resumeProducing()

    def prompt(self) -> re.Match[str]:
        """Return the prompt on the terminal."""
        found = [match for row in self.screen.display[-7:] if (match := _PROMPT.match(row))]
        assert found, self.screen.display
        return found[-1]

    def read(self, keys: str) -> None:
        """Send keys in one read, without drawing."""
        self.device.dataReceived(keys.encode())


class Typing(RuleBasedStateMachine):
    """Type a text and see the frame that shows it."""

    def __init__(self) -> None:
        super().__init__()
        self.terminal = _Terminal("take")
        self.terminal.setUp()
        self.controller, self.view = self.terminal.controller, self.terminal.view
        self.line = self.terminal.app._line
        self.numbers = count(1)
        self.seq = count(1)
        self.group = count(2)
        self.team: str | None = "id"
        self.owner: dict[str, str] = {}  # what each word was typed for, where the terminal had said it
        self.drafts: set[str] = set()  # words that must be somewhere
        self.secrets: set[str] = set()
        self.asked: dict[str, Question] = {}  # the last question of each text
        self.given: dict[str, tuple[str, str]] = {}  # the messages that Enter has sent, by their nonces
        self.came: set[str] = set()  # words that the server has got
        self.is_up = True

    def teardown(self) -> None:
        """End the application."""
        self.terminal.doCleanups()

    @property
    def server(self) -> FakeServer:
        """The current connection of the server."""
        return self.terminal.server

    # Keys.

    @rule(keys=st.lists(st.sampled_from(_KEYS), min_size=1, max_size=5), frame=st.sampled_from(["no", "drawn", "got"]))
    def press(self, keys: list[str], frame: str) -> None:
        """Press some keys in one read."""
        prompt = self.terminal.prompt()
        chat = prompt[1] or (_HOME if prompt[0] == "> " else None)
        secret = prompt[3] is not None and not self.is_acknowledged()
        is_new_place, text = False, ""
        for key in keys:
            if key != "w":
                is_new_place = True
                text += key
                continue
            word = f"w{next(self.numbers)}z"
            text += word
            if secret and not is_new_place:
                self.secrets.add(word)
            elif chat is not None and not is_new_place and not self.is_stale(chat):
                self.owner[word] = chat
                self.drafts.add(word)
        self.send_by(text, chat)
        self.frame(frame)

    def is_stale(self, chat: str) -> bool:
        """Whether the target of keys has changed since the last frame."""
        target = self.line.target
        return not (isinstance(target, ChatState) and target.name == chat)

    def is_acknowledged(self) -> bool:
        """Return whether the user's Enter has ended the question that the terminal shows, and the keys went on.

        It was answered, or the terminal says that it is over.
        """
        asked = self.asked.get(self.terminal.prompt()[0])
        is_answered = asked is not None and asked.stage in (Stage.ANSWERED, Stage.DONE)
        says_so = any(_OVER in row for row in self.terminal.screen.display)
        return (is_answered or says_so) and not isinstance(self.line.target, Question)

    def send_by(self, text: str, chat: str | None) -> None:
        """Press keys while the terminal shows the prompt of ``chat``: the text goes there."""
        before = set(self.controller.sending._outgoing)
        self.terminal.read(text)
        for nonce in sorted(set(self.controller.sending._outgoing) - before):
            message = self.controller.sending._outgoing[nonce]
            assert message.chat.name == chat, f"{message.line!r} went to {message.chat.name}, the screen said {chat}"
            for word in _WORD.findall(message.line):
                assert word not in self.secrets
                assert self.owner.get(word, chat) in (chat, _HOME), f"{word} of {self.owner[word]} went to {chat}"
            self.given[nonce] = (message.chat.name, message.line)

    @rule(key=st.sampled_from([_KILL, _YANK, _UNDO, "\x1by", _UP, "\x12", "\x0f", "\x1b#"]))
    def edit(self, key: str) -> None:
        """Press keys that discard or recall typed text."""
        self.drafts.clear()
        chat = self.terminal.prompt()[1]
        self.owner.clear()
        self.send_by(key, chat)
        if key == "\x12":
            self.terminal.read("\x07")
        self.frame("got")

    @precondition(lambda self: self.terminal.prompt()[3])
    @rule(key=st.sampled_from(["\x1b", "\r", _CTRL_C]))
    def answer_question(self, key: str) -> None:
        """Answer or leave a question."""
        if key == _CTRL_C and self.terminal.prompt()[3] == "Password: ":
            return  # that leaves the client
        self.terminal.press(key)

    @precondition(lambda self: self.is_up and self.line.is_empty and self.terminal.prompt()[1])
    @rule(ahead=st.booleans())
    def change_password(self, ahead: bool) -> None:
        """Type a password, perhaps before its question is drawn."""
        self.frame("got")
        if not self.line.is_empty or not self.terminal.prompt()[1]:
            return
        word = f"w{next(self.numbers)}z"
        if ahead and self.controller._link.is_up:  # else no question comes: the line stays, and says why
            self.secrets.add(word)
        self.send_by(f"!password\r{word}\r" if ahead else "!password\r", None)
        self.frame("got")

    @precondition(lambda self: self.is_up and self.line.is_empty and self.terminal.prompt()[1])
    @rule(line=st.sampled_from(["?hi", "*bob -> fresh", "ls @bob", "~bob", "ls", "-alice team"]))
    def command(self, line: str) -> None:
        """Send a command that is still pending while the user types on."""
        self.frame("got")
        if self.line.is_empty and self.terminal.prompt()[1]:
            self.terminal.read(f"{line}\r")

    @rule(how=st.sampled_from(["drawn", "got"]))
    def frame(self, how: str) -> None:
        """Draw a frame. Perhaps the terminal receives it."""
        if how == "no":
            return
        target = None if self.line.is_empty else self.line.target
        self.terminal.turn(drain=how == "got")
        assert target is None or self.line.target is target, "the place of what is being typed has changed"

    # The server.

    @rule(kind=st.sampled_from(["message", "timed", "blocks", "removed", "added", "presence", "read", "bye"]))
    def event(self, kind: str) -> None:
        """Send an event from elsewhere."""
        if not self.is_up:
            return
        told: events.Event
        match kind:
            case "message":
                told = message("hi", chat="@bob", seq=next(self.seq))
            case "timed":
                told = message("psst", chat="@bob", id=f"t{next(self.seq)}", left_ms=1_000)
            case "blocks":
                told = events.Blocks([str(next(self.seq))])
            case "removed" if self.team is not None:
                told = events.Removed("*team", self.team, "alice", "bob", "bob")
                self.team = None
            case "added" if self.team is None:
                self.team = f"g{next(self.group)}"
                told = events.Added("*team", self.team, "alice", "bob", "bob")
            case "read":
                told = events.Read("GLOBAL", 1)
            case "bye":
                told = events.Bye("the server stops")
            case _:
                told = events.Presence(["carol"], [])
        self.server.tell(told)

    @rule(good=st.booleans(), times=st.integers(1, 4))
    def answer(self, good: bool, times: int) -> None:
        """Answer some requests."""
        for _ in range(times):
            for request in self.server.asked():
                self.look_at(request)
            if self.server._unanswered and self.server.connection.connected:
                self.server.answer(self.reply(self.server._unanswered[0], good))

    def reply(self, request: requests.ANY, good: bool) -> events.Event:
        """Return an answer to a request."""
        team = [] if self.team is None else [events.Chat("*team", self.team, 0, 0, 0, None)]
        match request:
            case requests.Resume() | requests.Login(password=str()):
                self.is_up = good
                refused = "bad-token" if isinstance(request, requests.Resume) else "bad-credentials"
                return welcome() if good else error(refused)
            case requests.Login():
                return error("bad-request")
            case requests.Register():
                return error("name-taken")
            case requests.Chats():
                chats = [events.Chat(name, "id", 0, 0, 0, None) for name in ("GLOBAL", "@bob")]
                return events.Chats([*chats, *team])
            case requests.Users():
                return events.Users(["bob"], [], False)
            case requests.Block() | requests.Blocks():
                return events.Blocks([])
            case requests.History():
                return events.History("@bob" if request.chat == "bob" else request.chat, [], False)
            case requests.Search():
                return events.Found([message("hi", chat="@bob", seq=1)], False)
            case requests.CreateGroup():
                return events.Group("*fresh", "f", "alice", ["alice", "bob"]) if good else error("group-exists")
            case requests.Send():
                return sent(chat=request.chat, seq=next(self.seq)) if good else error("blocked")
            case _:
                return events.Ok()

    def look_at(self, request: requests.ANY) -> None:
        """Check that the server receives only what was meant for it."""
        if isinstance(request, requests.Password | requests.Login | requests.Register):
            return
        words = set(_WORD.findall(repr(request)))
        assert not words & self.secrets, request
        if isinstance(request, requests.Send):
            assert (request.chat, request.text) == self.given[str(request.nonce)]
            self.came |= words
        else:
            assert not words, request

    @precondition(lambda self: self.is_up)
    @rule(token=st.booleans())
    def lose(self, token: bool) -> None:
        """Lose the connection, perhaps with the token."""
        for request in self.server.asked():
            self.look_at(request)
        self.is_up = False
        self.terminal.listens = False
        if not token:
            self.controller._entry.forget()
        self.server.lose(ConnectionDone())

    @precondition(lambda self: not self.is_up)
    @rule()
    def come_back(self) -> None:
        """Let the server come back."""
        if not self.terminal.listens:
            self.terminal.server, self.terminal.listens = FakeServer(), True
        self.terminal.clock.pump([1.0] * 31)

    # What must hold.

    @invariant()
    def nothing_secret_shows(self) -> None:
        """Text typed for a secret question is in no frame, nor in any input after the question."""
        if isinstance(self.line.target, Question):
            self.asked[self.line.target.text] = self.line.target
        drawn = set(_WORD.findall((self.terminal.output + self.terminal.transport.value()).decode("utf-8", "replace")))
        assert not drawn & self.secrets
        kept = [put.buffer.text for put in self.line._inputs._of_chats.values()]
        kept += self.line._inputs._history.get_strings()
        kept += [data.text for data in self.line._inputs._clipboard._ring]
        assert not set(_WORD.findall(" ".join(kept))) & self.secrets

    @invariant()
    def no_draft_is_lost(self) -> None:
        """Text typed for a chat is in its input, being sent, sent, or reported as unsent."""
        chats = [*self.view.chats.values(), *self.view.chats.gone, self.view.own]
        chats += [self.view.open] if self.view.open is not None else []
        inputs = self.line._inputs._of_chats
        kept = [inputs[chat].buffer.text for chat in chats if chat in inputs]
        kept += [item.text for chat in chats for item in chat.items]
        kept += [message.line for message in self.controller.sending._outgoing.values()]
        lost = self.drafts - self.came - set(_WORD.findall(" ".join(kept)))
        assert not lost, (lost, kept)


class TypedPlacesTests(SynchronousTestCase):
    """Random sequences of actions."""

    def test_typed_text_goes_where_the_screen_says(self) -> None:
        """Enter sends only to the chat on the screen, no secret shows, and no draft is lost, whatever happens."""
        _run(max_examples=10)

    @pytest.mark.slow
    def test_more(self) -> None:
        """The same, for more sequences."""
        _run(max_examples=60)


def _run(max_examples: int) -> None:
    run_state_machine_as_test(
        Typing,
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
