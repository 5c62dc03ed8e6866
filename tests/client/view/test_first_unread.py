"""A chat opens at its first unread message, and what was on the screen counts as read."""

from irchat.client.view.panels import Painter
from tests.client.view.test_screen_state import ScreenStateCase
from tests.helpers.client_fakes import message, sent


class FirstUnreadTests(ScreenStateCase):
    """Opening, moving and reading a chat with 60 unread messages."""

    def setUp(self) -> None:
        """Load @bob, of which 40 messages are read and 60 are not."""
        super().setUp()
        self.painter = Painter(self.view)
        chat = self.view.chat("@bob")
        chat.read_seq = chat.last_seq = 40
        texts = [message(f"text {seq}", chat="@bob", seq=seq) for seq in range(1, 101)]
        texts[44] = message("text 45", chat="@bob", seq=45, to=["alice"])
        for text in texts[40:]:
            self.view.apply(text, 0.0)
        self.load(*texts, name="@bob")
        self.chat = self.view.open_chat("@bob")

    def rows(self, height: int = 10) -> list[str]:
        """Draw the pane, and return its rows."""
        rows = self.painter.pane(60, height, 0.0)
        return ["".join(text for _, text in row.pieces).strip() for row in rows]

    def test_opens_there(self) -> None:
        """The line and the first unread messages are at the top. What was drawn is read, and no more."""
        self.assertIsNone(self.view.seen())
        rows = self.rows()
        self.assertIn("unread", rows[0])
        self.assertEqual((rows[1][-7:], rows[9][-7:]), ("text 41", "text 49"))
        self.assertEqual(self.view.seen(), ("@bob", 49))
        self.assertEqual((self.chat.unread, self.chat.mentions, self.view.seen()), (51, 0, None))
        self.assertIn("51 new below: End", self.painter._right())

    def test_moving(self) -> None:
        """Moving on reads on. The line stays, also after sending, until the chat is left."""
        self.rows()
        self.view.pane.down(self.chat.items, self.painter.paint(60, 0.0))
        self.assertTrue(self.rows()[-1].endswith("text 58"))
        self.assertEqual(self.view.seen(), ("@bob", 58))
        self.view.pane.to_end()
        self.rows()
        self.assertEqual((self.view.seen(), self.chat.unread), (("@bob", 100), 0))
        self.chat.add_pending("mine", "alice", "n", None)
        self.view.sent(self.chat, "n", sent(chat="@bob", seq=101), 0.0)
        self.assertEqual(self.chat.line, 40)
        self.view.open_chat("GLOBAL")
        self.assertIsNone(self.chat.line)

    def test_part_of_a_message(self) -> None:
        """A message of which the last rows are not drawn is not read."""
        long = "\n".join(f"row {n}" for n in range(9))
        self.load(message("x", chat="@eve", seq=1), message(long, chat="@eve", seq=2), name="@eve")
        chat = self.view.chat("@eve")
        chat.unread, chat.last_seq = 2, 2
        self.view.open_chat("@eve")
        self.rows(6)
        self.assertEqual(self.view.seen(), ("@eve", 1))
        self.assertEqual(chat.unread, 1)

    def test_all_fits(self) -> None:
        """If all unread messages fit, the end is shown and all are read."""
        self.rows(200)
        self.assertTrue(self.view.pane.follows)
        self.assertEqual(self.view.seen(), ("@bob", 100))

    def test_opened_again(self) -> None:
        """Opening the open chat shows the end. Another part is shown from its first item on, not the end."""
        self.rows()
        self.view.seen()
        self.view.pane.show((3, 0, 0))
        rows = self.rows()
        self.assertTrue(rows[-1].endswith("text 9"), rows)
