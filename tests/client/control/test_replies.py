"""The replies to typed commands."""

from irchat.chat.amending.amendment import no_such_message
from irchat.protocol import events
from tests.client.control.test_controller import ControllerCase
from tests.helpers.client_fakes import amended, error, message


class RepliesTests(ControllerCase):
    """Changes, refusals and pages."""

    def test_in_another_chat(self) -> None:
        """A change in a chat that is not open is reported in a line, without its text."""
        self.submit("@bob #7= new")
        self.server.answer(amended(chat="@bob", seq=7, rev=2, by="alice", text="new", edited="e"))
        self.assertEqual(self.texts(), ["edited @bob #7"])

    def test_refused(self) -> None:
        """A refusal is shown."""
        self.submit("#7-")
        self.server.answer(error("not-yours", "Only bob can do that."))
        self.assertEqual(self.texts(), ["Only bob can do that."])

    def test_no_such_message(self) -> None:
        """The advice is not ``ls``, because the full screen shows no numbers there."""
        self.submit("#7-")
        self.server.answer(error("no-such-message", no_such_message(7, "*team").text))
        self.assertEqual(self.texts(), ["There is no message 7 in *team. Shift-Tab chooses one."])

    def test_found(self) -> None:
        """The title of search results says what was searched, and where."""
        titles = []
        for line in "?@", "ls *team +ok", "ls *team ?tea time", "?tea":
            self.submit(line)
            self.server.answer(events.Found([message("hit", seq=1)], line == "?tea"))
            self.controller.settle()
            titles.append(self.view.found_for)
        self.assertEqual(titles[:3], ["what mentions you", "+ok in *team", "tea time in *team"])
        self.assertEqual(titles[3], "tea — there is more: use more words")

    def test_old_page(self) -> None:
        """A page that waited while the chat changed is not used."""
        self.controller.on_changed = lambda: None
        self.submit("ls @bob")
        self.asked()
        self.server.answer(events.History("@bob", [message("old", chat="@bob", seq=1)], False, 1))
        self.server.tell(amended(chat="@bob", rev=2, text="new", edited="e"))
        self.controller.settle()
        self.assertEqual((self.texts(), len(self.asked())), ([], 1))
