"""The keys on a chosen message."""

import base64

from irchat.protocol import events, requests
from tests.client.terminal.test_input_line import ApplicationCase
from tests.helpers.client_fakes import amended, message

_SHIFT_TAB, _UP, _ESCAPE, _PAGE_UP = "\x1b[Z", "\x1b[A", "\x1b", "\x1b[5~"


class MessageKeysTests(ApplicationCase):
    """Shift-Tab, and the keys after it."""

    def setUp(self) -> None:
        """Open the group team with two messages."""
        super().setUp()
        self.texts = ["first https://a.example *team#1", "mine"]
        self.open("*team", message(self.texts[0], chat="*team", seq=7),
                  message(self.texts[1], chat="*team", seq=8, sender="alice"))  # fmt: skip
        self.server.answer(events.Group("*team", "*1", "alice", ["alice", "bob"]))
        self.transport.clear()

    def typed(self, keys: str) -> str:
        """Choose a message, press keys, and return and clear what is typed then."""
        self.press(_SHIFT_TAB)
        self.press(keys)
        text = self.buffer.text
        self.buffer.reset()
        return text

    def test_commands(self) -> None:
        """The keys type the command about the message, and nothing else."""
        self.assertEqual(self.typed("\r"), "#8 ")
        self.assertEqual(self.typed(_UP + "r"), "#7 ")
        self.assertEqual(self.typed("e"), "#8= mine")
        self.assertEqual(self.typed(_UP + "d"), "#7-")
        self.assertEqual(self.typed("+ok"), "#8+ok")
        self.assertEqual(self.server.asked(), [requests.Read(chat="*team", seq=8)])

    def test_seen_first(self) -> None:
        """The command is on the screen before Enter sends it: another message may have been chosen meanwhile."""
        self.server.asked()
        self.press(_SHIFT_TAB + "d\r")
        self.assertEqual((self.buffer.text, self.server.asked()), ("#8-", []))
        self.press("\r")
        self.assertEqual(self.server.asked(), [requests.Amend(chat="*team", seq=8, delete=True)])

    def test_only_own_can_be_edited(self) -> None:
        """Another user's message cannot be edited."""
        self.assertEqual(self.typed(_UP + "e"), "")
        self.assertIn("only your own", self.trouble())

    def test_with_a_draft(self) -> None:
        """An answer keeps what is typed; other keys refuse to replace it."""
        self.press("yes")
        self.press(_SHIFT_TAB + "d")
        self.assertIn("Send or clear", self.trouble())
        self.press("r")
        self.assertEqual(self.buffer.text, "#8 yes")

    def test_other_keys(self) -> None:
        """Other letters type nothing. Escape, Ctrl-C and Shift-Tab end choosing."""
        for key in _ESCAPE, "\x03", _SHIFT_TAB:
            self.press(_SHIFT_TAB)
            self.assertTrue(self.view.choice.is_on)
            self.press("x\t")
            self.press(key)
            self.assertEqual((self.view.choice.is_on, self.buffer.text), (False, ""))

    def test_copy(self) -> None:
        """The text and the number go to the terminal's clipboard."""
        self.press(_SHIFT_TAB + "y")
        self.assertIn(base64.b64encode(b"mine"), self.transport.value())
        self.press("l")
        self.assertIn(base64.b64encode(b"*team#8"), self.transport.value())
        self.assertIn("Copied *team#8", self.trouble())

    def test_links(self) -> None:
        """Enter on an address copies it, on a message opens it. A message without links says so."""
        self.press(_SHIFT_TAB + "o")
        self.assertIn("no link", self.trouble())
        self.press(_UP + "o\r")
        self.assertIn(base64.b64encode(b"https://a.example"), self.transport.value())
        self.press("o" + _ESCAPE)
        self.assertIsNone(self.view.choice.links)
        self.server.asked()
        self.press("o" + _UP + "\r")
        self.assertEqual(self.server.asked()[0], requests.History(chat="*team", before=2, limit=50))
        self.assertFalse(self.view.choice.is_on)

    def test_deleted(self) -> None:
        """If the chosen message is deleted, its links go, and a text says that another message is chosen now."""
        self.press(_SHIFT_TAB + _UP + "o")
        self.server.tell(amended(chat="*team", seq=7, rev=1, deleted=True))
        self.turn()
        self.assertIsNone(self.view.choice.links)
        self.assertIn("#7 was deleted. Another", self.trouble())
        self.press("x")
        self.server.tell(amended(chat="*team", seq=8, rev=2, deleted=True))
        self.turn()
        self.assertEqual((self.trouble(), self.view.choice.is_on), ("#8 was deleted.", False))

    def test_pages(self) -> None:
        """PgUp moves by a page and chooses a message there; at the beginning, the first."""
        self.open("@bob", *(message(f"m{n}", chat="@bob", seq=n) for n in range(50, 100)))
        self.press(_SHIFT_TAB + _PAGE_UP)
        item = self.view.choice.item(self.view.here.items)
        assert item is not None and item.seq is not None
        self.assertLess(item.seq, 90)
        for _ in range(5):
            self.press(_PAGE_UP)
        item = self.view.choice.item(self.view.here.items)
        assert item is not None
        self.assertEqual(item.seq, 50)

    def test_nothing_moves_meanwhile(self) -> None:
        """While a message is being chosen, no reply opens another chat."""
        self.press("ls @bob\r")
        self.press(_SHIFT_TAB)
        self.server.answer(events.History("@bob", [], False))
        self.turn()
        self.assertEqual(self.view.here.name, "*team")

    def test_older_server(self) -> None:
        """On a server without the features, the keys say so."""
        self.view.features = frozenset()
        self.assertEqual(self.typed("r"), "")
        self.assertIn("older", self.trouble())
