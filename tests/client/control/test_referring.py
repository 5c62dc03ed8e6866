"""The messages that typed lines refer to."""

from irchat.client.control.referring import edited_message
from irchat.client.view.items import Item
from irchat.commands.full_screen import SCREEN
from irchat.protocol import events, requests
from tests.client.control.test_controller import ControllerCase
from tests.helpers.client_fakes import message, sent


class ReferringTests(ControllerCase):
    """One's last message, and the message that a line edits."""

    def test_edited_message(self) -> None:
        """A line that edits names its chat or means the one where it is typed. Other lines edit nothing."""
        self.assertEqual(edited_message("#17= new", "@bob", SCREEN), ("@bob", 17))
        self.assertEqual(edited_message("*team #17= new", "@bob", SCREEN), ("*team", 17))
        for line in "#17-", "#17=new", "*team", "hi":
            self.assertIsNone(edited_message(line, "@bob", SCREEN))

    def last(self) -> Item | None:
        """Return the user's last message, as if all of the chat were drawn."""
        items = self.view.here.items
        self.view.pane.drawn = (items[0].key, items[-1].key) if items else None
        return self.view.last_own

    def test_last(self) -> None:
        """``#-`` and ``#=`` mean the last own message that was drawn, with its seq."""
        self.open("@bob", message("one", chat="@bob", seq=1, sender="alice"))
        drawn = self.last()
        self.server.tell(message("two", chat="@bob", seq=2, sender="alice"))
        self.asked()
        self.submit("#-", own=drawn)
        self.submit("#= new", own=drawn)
        self.assertEqual(self.asked(), [requests.Amend(chat="@bob", seq=1, delete=True),
                                        requests.Amend(chat="@bob", seq=1, text="new")])  # fmt: skip

    def test_last_unconfirmed(self) -> None:
        """An unconfirmed message is refused with a hint, and so is a chat without one, or one that is not open."""
        self.open("@bob")
        self.assertIn("PgUp", self.submit("#-", own=self.last()).trouble)
        self.submit("hi")
        self.assertIn("not confirmed", self.submit("#-", own=self.last()).trouble)
        self.assertIn("Open *team first", self.submit("*team #-", own=self.last()).trouble)

    def test_last_timed(self) -> None:
        """A timed message can be taken back and not edited. Its text leaves also the chat where it was typed."""
        self.controller.open("*team")
        self.server.answer(events.History("*team", [], False), events.Group("*team", "*1", "bob", ["bob", "alice"]))
        self.submit("*30@bob psst")
        self.server.answer(sent(chat="@bob", id="t", left_ms=30_000, reached=1, of=1))
        self.assertEqual(self.texts(), ["to @bob: psst"])
        self.open("@bob", message("psst", chat="@bob", sender="alice", id="t", left_ms=30_000))
        self.asked()
        self.assertIn("takes it back", self.submit("#= x", own=self.last()).trouble)
        self.submit("#-", own=self.last())
        self.assertEqual(self.asked(), [requests.Amend(chat="@bob", id="t", delete=True)])
        self.server.answer(events.Ok())
        self.assertEqual(self.texts(), ["taken back"])
        self.controller.open("*team")
        self.assertEqual(self.texts(), [])
