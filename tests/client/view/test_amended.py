"""Changes of messages in the screen state, and the rev up to which a chat has them."""

from irchat.protocol import events
from tests.client.view.test_screen_state import ScreenStateCase
from tests.helpers.client_fakes import amended, message, sent, welcome


class AmendedTests(ScreenStateCase):
    """Events, replies and pages, in any order."""

    def page(self, *messages: events.Message, rev: int = 0, **fields: object) -> None:
        """Receive the end of GLOBAL."""
        self.view.page(events.History("GLOBAL", list(messages), False, rev), 0.0, direction=0)

    def rev(self) -> int | None:
        """Return the rev of GLOBAL."""
        return self.view.chat("GLOBAL").rev

    def test_rev(self) -> None:
        """The rev is set by the first page of an empty chat, and moved by changes, never by another page."""
        self.view.amend(amended(rev=3, text="x", edited="e"))
        self.assertIsNone(self.rev())
        self.page(message("one", seq=1), rev=4)
        self.assertEqual(self.rev(), 4)
        self.page(message("one", seq=1), rev=9)
        self.assertEqual(self.rev(), 4)
        self.view.amend(amended(rev=6, seq=77, mark="ok", on=True))
        self.assertEqual(self.rev(), 6)
        self.view.amend(amended(rev=5, seq=77, mark="ok", on=True))
        self.assertEqual(self.rev(), 6)

    def test_typed_lines(self) -> None:
        """Nothing is kept of the line that sent a deleted message."""
        self.page(message("one", seq=1))
        chat = self.view.chat("GLOBAL")
        chat.keep_typed(1, "one")
        self.view.amend(amended(rev=3, seq=1, deleted=True))
        self.assertEqual(chat.typed, {})

    def test_early_changes(self) -> None:
        """Changes are kept for each page that is on its way, and then no longer."""
        chat = self.view.chat("GLOBAL")
        for loading, quoting, kept in (False, False, 0), (True, False, 1), (False, True, 1), (True, True, 1):
            chat.loading, chat.quoting = loading, quoting
            self.view.amend(amended(rev=6, seq=77, mark="ok", on=True))
            chat.apply_early("alice")
            self.assertEqual(len(chat.early_changes), kept)
            chat.loading = chat.quoting = False
            chat.apply_early("alice")
            self.assertEqual(chat.early_changes, [])

    def test_deleted_without_unread_ones(self) -> None:
        """A deletion makes no count negative: without unread messages there is nothing to count down."""
        self.page(message("one", seq=1), message("two", seq=2))
        self.assertEqual(self.view.chat("GLOBAL").read_seq, 0)
        self.assertTrue(self.view.amend(amended(rev=3, seq=2, deleted=True)))
        self.assertEqual(self.view.chat("GLOBAL").unread, 0)

    def test_not_before_the_catch_up(self) -> None:
        """After a reconnect, an event changes its message but not the rev, which the page of changes moves."""
        self.page(message("one", seq=1), message("two", seq=2), rev=1)
        self.view.welcome(welcome())
        self.view.amend(amended(rev=9, text="nine", edited="e"))
        self.assertEqual((self.texts(), self.rev()), (["nine", "two"], 1))
        self.view.page_of_changes(events.History("GLOBAL", [message("eight", seq=1, rev=8)], False, 8, [2, 70]), 0.0)
        self.assertEqual((self.texts(), self.rev()), (["nine"], 8))

    def test_page_of_changes(self) -> None:
        """A page of changes changes what is loaded, and loads nothing."""
        self.page(message("one", seq=1))
        marks = [events.Mark("ok", 1, ["bob"], False)]
        changed = [message("new", seq=1, rev=2, marks=marks), message("other", seq=7, rev=3)]
        self.view.page_of_changes(events.History("GLOBAL", changed, False, 3), 0.0)
        (item,) = self.view.chat("GLOBAL").items
        self.assertEqual((item.text, item.rev, item.marks, self.rev()), ("new", 2, marks, 3))

    def test_older_page_crosses(self) -> None:
        """A page that was read before a change, and comes after it, does not bring back the old state."""
        chat = self.view.chat("GLOBAL")
        chat.loading = True
        self.view.amend(amended(seq=1, rev=5, text="new", edited="e"))
        self.view.amend(amended(seq=2, rev=6, deleted=True))
        self.page(message("old", seq=1), message("gone", seq=2), rev=4)
        self.assertEqual((self.texts(), self.rev()), (["new"], 6))

    def test_message_while_loading(self) -> None:
        """A message that arrives and is changed while a page is being loaded is shown changed."""
        self.view.chat("GLOBAL").loading = True
        self.view.apply(message("first", seq=2), 0.0)
        self.view.amend(amended(seq=2, rev=1, text="second", edited="e"))
        self.page()
        self.assertEqual(self.texts(), ["second"])

    def test_deleted(self) -> None:
        """A deleted message disappears, and is no longer unread. Without knowing it, the count must be asked."""
        for seq in 1, 2:
            self.view.apply(message("hi", seq=seq, to=["Alice"]), 0.0)
        self.assertFalse(self.view.amend(amended(seq=1, rev=1, deleted=True)))
        self.page(message("hi", seq=1), message("hi", seq=2, to=["alice"]))
        self.assertEqual(self.view.chat("GLOBAL").mentions, 2)
        self.assertTrue(self.view.amend(amended(seq=2, rev=2, deleted=True)))
        self.assertEqual((self.texts(), self.view.unread, self.view.chat("GLOBAL").mentions), ([], 1, 1))
        self.assertTrue(self.view.amend(amended(seq=2, rev=2, deleted=True)))
        self.assertEqual(self.view.unread, 1)

    def test_deleted_everywhere(self) -> None:
        """A deletion removes search results and the lines about the message in other chats."""
        self.view.show_found(events.Found([message("hit", seq=1), message("hit", seq=2)], False), "hit")
        note = self.view.own.add_note("to GLOBAL: hit")
        note.about = ("GLOBAL", 1)
        told: list[int] = []
        self.view.on_deleted = lambda chat, seq: told.append(seq)
        self.view.amend(amended(rev=1, deleted=True))
        self.assertEqual(([item.seq for item in self.view.found], self.view.own.items, told), ([2], [], [1]))
        self.view.show_found(events.Found([message("hit", seq=1)], False), "hit")
        self.assertEqual(self.view.found, [])

    def test_edited_elsewhere(self) -> None:
        """An edit changes search results, and removes the line that shows the old text."""
        self.view.show_found(events.Found([message("hit", seq=1)], False), "hit")
        self.view.own.add_note("to GLOBAL: hit").about = ("GLOBAL", 1)
        self.view.amend(amended(rev=1, text="new", edited="e"))
        self.assertEqual(([item.text for item in self.view.found], self.view.own.items), (["new"], []))

    def test_missed_messages_are_not_skipped(self) -> None:
        """After a reconnect, new messages wait for the missed ones, so that those are not skipped."""
        self.page(message("one", seq=1))
        self.view.welcome(welcome())
        self.view.apply(message("four", seq=4), 0.0)
        chat = self.view.chat("GLOBAL")
        chat.add_pending("mine", "alice", "n", None)
        self.view.sent(chat, "n", sent(seq=5), 0.0)
        self.assertEqual((chat.end_seq, self.texts()), (1, ["one"]))

    def test_another_epoch(self) -> None:
        """After a restore, the numbers of deleted messages may belong to others."""
        self.page(message("one", seq=1))
        self.view.amend(amended(rev=1, deleted=True))
        self.view.chat("GLOBAL").reset()
        self.page(message("one again", seq=1))
        self.assertEqual((self.texts(), self.rev()), (["one again"], 0))

    def test_other_chat(self) -> None:
        """A change in an unknown chat is ignored, and adds no chat."""
        self.assertTrue(self.view.amend(amended(chat="*other", deleted=True)))
        self.assertNotIn("*other", self.view.chats)

    def test_alert(self) -> None:
        """The setting of a chat comes with the lists and the event."""
        self.view.apply(events.Alert("GLOBAL", "none"), 0.0)
        self.assertEqual(self.view.chat("GLOBAL").alert, "none")
        self.view.list_chats(events.Chats([events.Chat("GLOBAL", "id", 5, 5, 0, None, 7, 2, "all")]))
        chat = self.view.chat("GLOBAL")
        self.assertEqual((chat.alert, chat.mentions, chat.last_rev, chat.is_counted), ("all", 2, 7, True))
