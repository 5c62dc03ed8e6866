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


class NamesTests(ScreenStateCase):
    """Chats by typed names, and by the names and ids of the server."""

    def test_spelling_of_the_server(self) -> None:
        """A chat of a typed name gets the server's spelling, and keeps its draft. After that it is an ordinary one."""
        chats = self.view.chats
        typed = chats.typed("@CAROL")
        typed.has_draft = True
        self.assertIs(chats.named("@Carol"), typed)
        self.assertEqual((typed.name, "@CAROL" in chats, chats["@Carol"]), ("@Carol", False, typed))
        self.assertIsNot(chats.named("@carol"), typed)

    def test_listed_is_not_spelled(self) -> None:
        """A chat that the server has listed in the typed spelling keeps it, next to a similar name."""
        chats = self.view.chats
        typed = chats.typed("@carol")
        typed.id = "@3"
        self.assertIsNot(chats.named("@Carol"), typed)
        self.assertIs(chats["@carol"], typed)

    def test_spelling_that_is_taken(self) -> None:
        """A chat does not take the name of another one. A chat that is not in the list is not renamed."""
        chats = self.view.chats
        bob, carol = chats["@bob"], chats.named("@carol")
        chats.spell(carol, "@bob")
        self.assertEqual((chats["@bob"], chats["@carol"], carol.name), (bob, carol, "@carol"))
        del chats["@carol"]
        chats.spell(carol, "@Carol")
        self.assertEqual((carol.name, "@Carol" in chats), ("@carol", False))
        chats.typed("@dave")
        chats.typed("@DAVE")
        self.assertEqual((chats.named("@Dave").name, "@dave" in chats, "@DAVE" in chats), ("@Dave", True, False))

    def test_restored(self) -> None:
        """A lost chat comes back without its messages, but not in place of a chat of its name."""
        chats = self.view.chats
        lost = self.view.open_chat("*team")
        chats.of_id("*team", "g1")
        lost.add_message(message("hi", seq=1), "alice", 0.0)
        chats.drop("*team", "why")
        other = chats.named("*team")
        self.assertIs(chats.of_id("*team", "g1"), other)
        self.assertEqual((chats.gone, other.id), ([lost], "g1"))
        del chats["*team"]
        self.assertIs(chats.of_id("*team", "g1"), lost)
        self.assertEqual((chats.gone, lost.gone, lost.items, lost.id), ([], "", [], "g1"))

    def test_same_name_again(self) -> None:
        """A private chat that is listed again under its name stays as it is, and a group is never renamed by its id."""
        chats = self.view.chats
        bob = chats.of_id("@bob", "@7")
        self.assertIs(chats.of_id("@bob", "@7"), bob)
        team = chats.of_id("*team", "@8")
        self.assertIsNot(chats.of_id("*other", "@8"), team)
        self.assertIs(chats["*team"], team)

    def test_dropped(self) -> None:
        """A lost chat is returned. It is kept while it is on the screen or has a draft, until that is over."""
        chats = self.view.chats
        for is_open, has_draft in ((False, False), (False, True), (True, False)):
            chat = self.view.open_chat("*team") if is_open else chats.named("*team")
            chat.has_draft = has_draft
            self.assertIs(chats.drop("*team", "why"), chat)
            self.assertEqual((chat.gone, chats.gone), ("why", [chat] if is_open or has_draft else []))
            chat.has_draft = False
            self.view.go_home()
            self.assertEqual(chats.gone, [])
        self.view.open_chat("*team")
        self.view.go_home()
        chats.drop("*team", "why")
        self.assertEqual(chats.gone, [])
