"""The destination of typed text, case by case: switches, questions, lost chats, refusals, leaving."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone

from irchat.client.control.questions import Stage
from irchat.client.terminal.inputs import TypedHistory
from irchat.client.view.navigation import Place
from irchat.protocol import events, requests
from tests.client.terminal.test_input_line import ApplicationCase as _ApplicationCase
from tests.helpers.client_fakes import error, message

_CTRL_C, _CTRL_K, _CTRL_R = "\x03", "\x0b", "\x12"


class PlacesTests(_ApplicationCase):
    """Each case has a reply or event that used to divert typed text."""

    def read(self, keys: str) -> None:
        """Send keys in one read, without drawing."""
        self.device.dataReceived(keys.encode())

    def sends(self) -> list[tuple[str, str]]:
        """Return the messages that reached the server, with their chats."""
        return [(asked.chat, asked.text) for asked in self.server.asked() if isinstance(asked, requests.Send)]

    def test_switch_and_text_in_one_read(self) -> None:
        """A switch, a text and Enter in one read send nothing and mix no drafts. Another Enter sends."""
        self.open("@bob")
        self.press("for bob")
        self.read("\x1b2hello\r")
        self.assertEqual(self.sends(), [])
        self.assertIn("Press Enter again", self.trouble())
        self.turn()
        self.assertEqual((self.app._line.question, self.buffer.text), ("*team> ", "hello"))
        self.press("\r")
        self.assertEqual(self.sends(), [("*team", "hello")])
        self.press("\x1b3")
        self.assertEqual(self.buffer.text, "for bob")

    def test_history(self) -> None:
        """Up recalls the last thousand lines."""
        history = TypedHistory()
        for number in range(1_100):
            history.append_string(f"{number}")
        for lines in history.get_strings(), list(history.load_history_strings())[::-1]:
            self.assertEqual((len(lines), lines[0], lines[-1]), (1_000, "100", "1099"))

    def test_answer_while_typing(self) -> None:
        """A search result waits until nothing is typed, and the status line says so."""
        self.open("@bob")
        self.press("?hi\r")
        self.press("wai")
        self.server.answer(events.Found([message("hi", seq=1)], False))
        self.turn()
        self.assertIs(self.view.place, Place.CHAT)
        self.assertIn("1 found.", self.view.waits)
        self.press("t\r")
        self.assertEqual(self.sends(), [("@bob", "wait")])
        self.assertIs(self.view.place, Place.FOUND)
        self.press("to nobody\r")
        self.assertEqual((self.sends(), self.buffer.text), ([], "to nobody"))
        self.assertIn("Choose a chat first (Ctrl-K)", self.trouble())
        self.press(f"{_CTRL_K}tea\r")
        self.assertEqual((self.app._line.question, self.buffer.text), ("*team> ", "to nobody"))

    def test_password_broken_off(self) -> None:
        """Half a password is discarded with its connection, and the rest reaches no chat."""
        self.press("!password\r")
        self.press("hunter\x17hunt")
        self.server.lose(ConnectionDone())
        self.turn()
        self.assertEqual((self.app._line.question, self.buffer.text), ("Old password: ", ""))
        self.press("er2 \x19\x1f\x1by\r\r")
        self.assertEqual((self.app._line.question, self.buffer.text), ("Old password: ", ""))
        self.press("\r")
        self.assertEqual((self.app._line.question, self.buffer.text), ("GLOBAL> ", ""))
        self.press("\x19\x1f\x1by")
        self.assertEqual((self.buffer.text, self.sends()), ("", []))
        self.assertNotIn("hunt", self.transport.value().decode())

    def test_password_broken_off_unseen(self) -> None:
        """Until the screen shows that the connection is lost, Enter does not direct the next keys to a chat."""
        self.press("!password\r")
        self.server.lose(ConnectionDone())
        self.read("\rhunter2")
        self.turn()
        self.assertEqual((self.app._line.question, self.buffer.text), ("Old password: ", ""))
        self.press("\r")
        self.press("\r")
        self.assertEqual((self.app._line.question, self.buffer.text), ("GLOBAL> ", ""))
        self.assertNotIn("hunter2", self.transport.value().decode())

    def test_passwords_typed_blindly(self) -> None:
        """Passwords and Enters typed one after the other, without a look at the screen, reach no chat."""
        self.press("!password\r")
        self.press("hunter")
        self.server.lose(ConnectionDone())
        self.turn()
        for keys in "\r", "newhunter2", "\r", "newhunter2", "\r":
            self.press(keys)
        self.assertEqual((self.app._line.question, self.sends()), ("Old password: ", []))
        self.press("\r")
        self.assertEqual((self.app._line.question, self.buffer.text), ("GLOBAL> ", ""))

    def test_password_with_line_end(self) -> None:
        """The line feed pasted with a password answers nothing and causes no message."""
        self.press("!password\r")
        self.press("old words\r\n")
        self.assertEqual((self.app._line.question, self.trouble()), ("New password: ", ""))
        self.press("new words\r\n")
        self.assertEqual((self.app._line.question, self.trouble()), ("New password again: ", ""))

    def test_password_left(self) -> None:
        """Escape and Ctrl-C cancel the question and keep the old password, and the client continues."""
        for key in "\x1b", _CTRL_C:
            self.press("!password\r")
            self.press(f"old{key}")
            self.assertEqual((self.app._line.question, self.buffer.text), ("GLOBAL> ", ""))
            self.assertIn("the password is unchanged", self.view.here.items[-1].text)
        self.assertEqual(self.server.asked(), [])

    def test_question_while_typing(self) -> None:
        """An unexpected question waits until the line is sent or cleared."""
        self.press("half a mess")
        Deferred.fromCoroutine(self.controller.questions.ask("Password: ", secret=True))
        self.turn()
        self.press("age")
        self.assertEqual((self.app._line.question, self.buffer.text), ("GLOBAL> ", "half a message"))
        self.assertIn("The server asks a question", self.view.waits)
        self.press("\r")
        self.assertEqual(self.sends(), [("GLOBAL", "half a message")])
        self.assertEqual((self.app._line.question, self.buffer.text), ("Password: ", ""))
        self.press(f"{_CTRL_R}secret")
        self.assertFalse(self.app.layout.is_searching)
        self.assertIs(self.controller.questions.current.stage, Stage.ASKED)

    def test_removed(self) -> None:
        """A chat that the user was removed from keeps its draft and sends nothing."""
        self.view.chats.of_id("*team", "id")
        self.open("*team")
        self.press("for the team")
        self.server.tell(events.Removed("*team", "id", "alice", "bob", "bob"))
        self.turn()
        self.press("\r")
        self.assertEqual((self.app._line.question, self.buffer.text, self.sends()), ("*team> ", "for the team", []))
        self.press("\x1b1")
        self.press(f"{_CTRL_K}tea\r")
        self.assertEqual((self.app._line.question, self.buffer.text), ("*team> ", "for the team"))

    def test_refused(self) -> None:
        """A refused line returns to the input. If other text is typed there, the chat shows the line."""
        self.open("@bob")
        self.press("one\r")
        self.server.answer(error("blocked", "Not to them."))
        self.turn()
        self.assertEqual(self.buffer.text, "one")
        self.press("\r")
        self.press("more")
        self.server.answer(error("blocked", "Not to them."))
        self.turn()
        self.assertEqual((self.buffer.text, self.view.here.items[-1].text), ("more", "not sent: one"))

    def test_leaving_with_something_unsent(self) -> None:
        """Leaving warns once about unsent text: unconfirmed messages, drafts of other chats."""
        self.open("@bob")
        self.press("a draft")
        self.press("\x1b1")
        self.press("on its way\r")
        self.press(_CTRL_C)
        self.assertIn("1 message to GLOBAL; what is typed in @bob", self.trouble())
        self.assertNotIn(requests.Logout(), self.server.asked())
        self.press(_CTRL_C)
        self.assertIn(requests.Logout(), self.server.asked())

    def test_habits(self) -> None:
        """A command of other chats stays in the input, with its form here. Enter on the same line sends it as text."""
        self.open("@bob")
        self.press("/msg carol secret\r")
        self.assertEqual((self.sends(), self.buffer.text), ([], "/msg carol secret"))
        self.assertIn("@carol secret", self.trouble())
        self.press("!\r")
        self.assertEqual(self.sends(), [])
        self.press("\r")
        self.assertEqual(self.sends(), [("@bob", "/msg carol secret!")])

    def test_habit_is_confirmed_by_the_next_key_alone(self) -> None:
        """The same command of other chats, typed again or after looking elsewhere, is not sent without a new hint."""
        self.open("@bob")
        self.press("/msg carol secret\r")
        self.press(_CTRL_C)
        self.press("/msg carol secret\r")
        self.assertEqual(self.sends(), [])
        self.assertIn("@carol secret", self.trouble())
        self.press("\x1b1")
        self.press("\x1b3")
        self.press("\r")
        self.assertEqual(self.sends(), [])
        self.assertIn("@carol secret", self.trouble())

    def test_habit_is_confirmed_after_its_form_is_seen(self) -> None:
        """Two Enters in one read do not send a command of other chats, and its hint stays on the screen."""
        self.open("@bob")
        self.press("/msg carol secret")
        self.read("\r\r\r")
        self.assertEqual(self.sends(), [])
        self.assertIn("@carol secret", self.trouble())
        self.turn()
        self.assertIn("@carol secret", self.trouble())
        self.press("\r")
        self.assertEqual(self.sends(), [("@bob", "/msg carol secret")])

    def test_pasted_habits(self) -> None:
        """The same command of other chats twice in one read, without paste marks, sends nothing."""
        self.open("@bob")
        self.read("/msg carol secret\r/msg carol secret\r")
        self.turn()
        self.press("\x15")
        self.assertEqual(self.sends(), [])

    def test_leaving_is_confirmed_after_its_warning_is_seen(self) -> None:
        """Two Ctrl-C, or two Enters on ``exit``, in one read do not leave a draft behind. The warning stays."""
        self.open("@bob")
        self.press("a draft")
        self.press("\x1b1")
        for keys in _CTRL_C * 3, "exit\r\r\r":
            self.press("x")
            self.press("\x15")
            self.read(keys)
            self.assertIn("what is typed in @bob", self.trouble())
            self.turn()
            self.assertIn("what is typed in @bob", self.trouble())
            self.assertNotIn(requests.Logout(), self.server.asked())
        self.press("\r")
        self.assertIn(requests.Logout(), self.server.asked())

    def test_leaving_is_warned_of_each_time(self) -> None:
        """A warning counts only for the next key: leaving later warns again."""
        self.open("@bob")
        self.press("a draft")
        self.press("\x1b1")
        self.press(_CTRL_C)
        self.press("\x1b3")
        self.press(" and more")
        self.press("\x1b1")
        self.press(_CTRL_C)
        self.assertIn("what is typed in @bob", self.trouble())
        self.assertNotIn(requests.Logout(), self.server.asked())

    def test_list_changes_its_order(self) -> None:
        """Enter opens the entry that was drawn as chosen, whatever happened since."""
        self.press("\x1b0")
        self.server.tell(message("hi", seq=1, chat="@bob", at="2026-11-22T13:00:00.000Z"))
        self.turn()
        self.server.tell(message("hi", seq=1, chat="*team", at="2026-11-22T14:00:00.000Z"))
        self.read("\r")
        self.assertEqual(self.view.here.name, "@bob")

    def test_search_in_what_was_typed(self) -> None:
        """Enter in a history search accepts the found line and sends nothing."""
        self.open("@bob")
        self.press("needle in hay\r")
        self.server.answer(events.Ok())
        self.sends()
        self.press(f"{_CTRL_R}needle\r")
        self.assertEqual((self.sends(), self.buffer.text), ([], "needle in hay"))
