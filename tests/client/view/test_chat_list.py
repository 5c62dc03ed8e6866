"""The user's chats, and the chats that the user has lost."""

from irchat.protocol import events
from tests.client.view.test_screen_state import ScreenStateCase
from tests.helpers.client_fakes import message


class GoneTests(ScreenStateCase):
    """Lost chats."""

    def removed(self, group_id: str = "g1") -> events.Removed:
        """Remove alice from the group."""
        return events.Removed("*team", group_id, "alice", "bob", "bob")

    def test_draft(self) -> None:
        """A chat with typed text is kept, comes back with its id, and is not a new chat of the same name."""
        self.view.apply(events.Added("*team", "g1", "alice", "bob", "bob"), 0.0)
        team = self.view.chat("*team")
        team.has_draft = True
        self.view.apply(self.removed(), 0.0)
        self.assertEqual((self.view.chats.gone, team.gone), ([team], "bob removed alice from *team"))
        self.view.apply(events.Added("*team", "g2", "alice", "bob", "bob"), 0.0)
        self.assertIsNot(self.view.chat("*team"), team)
        self.view.apply(self.removed("g2"), 0.0)
        self.view.apply(events.Added("*team", "g1", "alice", "bob", "bob"), 0.0)
        self.assertIs(self.view.chat("*team"), team)
        self.assertEqual((self.view.chats.gone, team.gone), ([], ""))

    def test_renamed_account(self) -> None:
        """Typed text stays with a renamed account, and is not for a new account of the old name."""
        bob = self.view.chats.of_id("@bob", "@7")
        bob.has_draft = True
        self.assertIs(self.view.chats.of_id("@bob#7", "@7"), bob)
        self.assertEqual((bob.name, self.view.chats.of_id("@bob", "@9").has_draft), ("@bob#7", False))

    def test_read_in_part_elsewhere(self) -> None:
        """Messages read by another session reduce the count. Unless they are loaded, only the server knows it."""
        self.load(message("one", seq=1), message("two", seq=2), message("three", seq=3))
        chat = self.view.chat("GLOBAL")
        chat.unread = 3
        self.view.apply(events.Read("GLOBAL", 2), 0.0)
        self.assertEqual(chat.unread, 1)
        other = self.view.chat("@bob")
        other.unread, other.last_seq = 3, 3
        self.assertFalse(other.read_to(2))

    def test_order(self) -> None:
        """The order does not depend on arrival: everyone, groups, people. Chats known only to this client come last."""
        self.view.chat("*aaa")
        for name in "@zoe", "@Bea", "*team":
            self.view.chats.of_id(name, "id")
        self.assertEqual([self.view.numbered(number) for number in range(1, 8)],
                         ["GLOBAL", "*team", "@Bea", "@bob", "@zoe", "*aaa", None])  # fmt: skip
