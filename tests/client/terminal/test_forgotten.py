"""A deleted message leaves nothing in the input."""

from irchat.protocol import events, requests
from tests.client.terminal.test_input_line import ApplicationCase
from tests.helpers.client_fakes import amended, message, sent

_UP, _CTRL_U, _CTRL_Y, _UNDO = "\x1b[A", "\x15", "\x19", "\x1f"


class ForgottenTests(ApplicationCase):
    """Up, drafts, cut text, and undo."""

    def delete(self, seq: int) -> None:
        """Delete a message of GLOBAL."""
        self.server.tell(amended(seq=seq, rev=seq + 10, deleted=True))
        self.turn()

    def test_up(self) -> None:
        """Up does not bring back the line that sent it, nor one that edited it; others stay."""
        for seq, line in enumerate(("hello", "secret"), 1):
            self.press(f"{line}\r")
            self.server.answer(sent(seq=seq))
            self.turn()
        self.press("#2= secret two\r")
        self.server.answer(amended(seq=2, rev=1, by="alice", text="secret two", edited="e"))
        self.turn()
        self.press(_UP)
        self.assertEqual(self.buffer.text, "#2= secret two")
        self.delete(2)
        self.assertEqual(self.buffer.text, "")
        self.press(_UP)
        self.assertEqual(self.buffer.text, "hello")

    def test_up_after_last(self) -> None:
        """Up does not bring back a line that edited it as the last message."""
        self.press("hello\r")
        self.server.answer(sent(seq=1))
        self.turn()
        self.press("#= secret\r")
        self.server.answer(amended(seq=1, rev=1, by="alice", text="secret", edited="e"))
        self.turn()
        self.press(_UP)
        self.assertEqual(self.buffer.text, "#= secret")
        self.delete(1)
        self.press(_UP)
        self.assertEqual(self.buffer.text, "")

    def test_draft(self) -> None:
        """An edit being typed is cleared, in its chat. Another draft stays, and cannot be undone to the deleted one."""
        self.press("#2= secret")
        self.delete(2)
        self.assertEqual(self.buffer.text, "")
        self.press("#3= other")
        self.delete(2)
        self.assertEqual(self.buffer.text, "#3= other")

    def test_cut(self) -> None:
        """Cut text is forgotten."""
        self.press(f"#2= secret{_CTRL_U}")
        self.delete(2)
        self.press(_CTRL_Y)
        self.assertEqual(self.buffer.text, "")

    def test_last_scrolled_off(self) -> None:
        """An own message that is not on the screen is not meant by ``#-``. Scrolled into view, it is."""
        self.server.tell(message("mine", seq=4, sender="alice"))
        for number in range(5, 60):
            self.server.tell(message("other", seq=number))
        self.turn()
        self.server.asked()
        self.press("#-\r")
        self.assertIn("PgUp and PgDn show others", self.trouble())
        for keys in _CTRL_U, *["\x1b[5~"] * 5, "#-", "\r":
            self.press(keys)
        self.assertIn(requests.Amend(chat="GLOBAL", seq=4, delete=True), self.server.asked())

    def test_last_drawn(self) -> None:
        """``#-`` deletes the last own message on the screen."""
        self.server.tell(message("mine", seq=4, sender="alice"))
        self.turn()
        self.server.asked()
        self.press("#-\r")
        (asked,) = self.server.asked()
        self.assertEqual((getattr(asked, "seq", None), getattr(asked, "delete", None)), (4, True))
        self.server.answer(events.Ok())
