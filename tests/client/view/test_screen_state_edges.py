"""The state of the screen: refusals, reconnecting, pages, and what is kept and forgotten."""

import msgspec

from irchat.client.view import screen_state
from irchat.client.view.items import AFTER_ALL, Kind
from irchat.client.view.navigation import Place
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.client.view.test_screen_state import ScreenStateCase
from tests.helpers.client_fakes import AT, amended, message, sent, welcome


class RefusalTests(ScreenStateCase):
    """Errors as replies."""

    def refuse(self, code: str = Code.NO_SUCH_USER) -> list[str]:
        """Refuse an action in @nobody, which is open. Return the texts in it."""
        self.view.refused(self.chat, events.Error(code, "no"))
        return [item.text for item in self.chat.items]

    def setUp(self) -> None:
        """Open a chat that is not known to exist."""
        super().setUp()
        self.chat = self.view.open_chat("@nobody")

    def test_usage(self) -> None:
        """An error is shown as such, with the usage of the command if there is one."""
        self.view.say(events.Error(Code.BAD_REQUEST, "no"))
        self.view.say(events.Error(Code.BAD_REQUEST, "no", "ls <chat>"))
        self.assertEqual([(item.kind, item.text) for item in self.chat.items],
                         [(Kind.ERROR, "no"), (Kind.ERROR, "no\nusage: ls <chat>")])  # fmt: skip

    def test_no_such_chat(self) -> None:
        """A chat that does not exist leaves the list, with the reason. That is reported once only."""
        self.assertEqual(self.refuse(), ["no"])
        self.assertEqual((self.view.chats.get("@nobody"), self.chat.gone), (None, "There is no @nobody."))
        self.assertEqual(self.refuse(), ["no"])

    def test_while_others_are_sent(self) -> None:
        """While other messages to the chat are still being sent, the last refusal reports it."""
        self.chat.add_pending("mine", "alice", "n", None)
        self.assertEqual((self.refuse(), self.chat.gone), (["mine"], ""))
        self.assertIs(self.view.chats["@nobody"], self.chat)

    def test_chat_that_exists(self) -> None:
        """A chat with an id, with messages, or with another error stays in the list, and the error is shown."""
        self.assertEqual(self.refuse(Code.BLOCKED), ["no"])
        self.chat.id = "@9"
        self.assertEqual(self.refuse(), ["no"] * 2)
        self.chat.id = ""
        self.chat.add_message(message("hi", seq=1), "alice", 0.0)
        self.assertEqual(self.refuse(), ["hi", "no", "no", "no"])
        self.assertEqual((self.view.chats["@nobody"], self.chat.gone), (self.chat, ""))

    def test_another_reply(self) -> None:
        """A reply that is no error is shown as it is."""
        self.view.refused(self.chat, events.Bye("the server stops"))
        self.assertEqual(len(self.chat.items), 1)
        self.assertIs(self.view.chats["@nobody"], self.chat)

    def test_manual(self) -> None:
        """Runs of spaces are narrowed in the manual, and kept in other texts."""
        self.view.say(events.Help("ls      list"))
        self.assertEqual(self.chat.items[-1].text, "ls   list")
        self.view.say(events.Bye("a      b"), "GLOBAL")
        self.assertIn("a      b", self.texts()[0])


class WelcomeTests(ScreenStateCase):
    """The beginning of a session."""

    def test_first(self) -> None:
        """After the dialogue of the sign-in, the unread list opens if there is something unread, otherwise GLOBAL."""
        for count, place in ((0, Place.CHAT), (2, Place.HOME)):
            view = ScreenState("host:7667")
            self.assertEqual((view.online_count, view.epoch), (0, ""))
            view.note("your name?")
            unread = events.UnreadChat("@bob", "@2", count, 7, mentions=1, alert="all")
            view.welcome(msgspec.structs.replace(welcome(), unread=[unread], features=["around"], epoch="7"))
            self.assertEqual((view.place, view.own.items, view.own.name), (place, [], ""))
            self.assertEqual((view.me, view.features, view.epoch), ("alice", {"around"}, "7"))
            self.assertEqual((list(view.online), list(view.known), view.online_count), (["alice"], ["alice"], 1))
            chat = view.chat("@bob")
            self.assertEqual((chat.id, chat.unread, chat.last_seq), ("@2", count, 7))
            self.assertEqual((chat.mentions, chat.alert), (1, "all"))

    def test_another_epoch_once(self) -> None:
        """Another epoch is noticed once: the next connection to the same data forgets nothing."""
        self.view.show_found(events.Found([message("hit", seq=1)], False), "hit")
        self.view.pane.show((0, 0, 0))
        self.view.welcome(msgspec.structs.replace(welcome(), epoch="2"))
        self.assertEqual((self.view.found, self.view.pane.follows), ([], True))
        self.assertEqual(self.view.found_for, "The server went back to a backup. Search again.")
        self.load(message("one", seq=1))
        self.view.welcome(msgspec.structs.replace(welcome(), epoch="2"))
        self.assertEqual(self.texts(), ["one"])

    def test_early_messages(self) -> None:
        """What came for a page before the connection was lost is not shown with a page of the next one."""
        self.view.chat("GLOBAL").loading = True
        self.view.apply(message("deleted meanwhile", seq=2), 0.0)
        self.view.welcome(welcome())
        self.load(message("one", seq=1))
        self.assertEqual(self.texts(), ["one"])

    def test_list_without_chats(self) -> None:
        """GLOBAL is always there. A note is no error unless it is said."""
        self.view = ScreenState("host:7667")
        self.view.list_chats(events.Chats([]))
        self.assertEqual(list(self.view.chats), ["GLOBAL"])
        self.view.note("a note")
        self.assertEqual([item.kind for item in self.view.here.items], [Kind.NOTE])

    def test_chats_without_messages(self) -> None:
        """A chat without a message has no time, and is not among the latest."""
        self.assertEqual((self.view.chat("@bob").last_at, self.view.listed()), ("", []))

    def test_again(self) -> None:
        """A new connection forgets what only the lost one could complete: mentions, early changes, quotes, details."""
        chat = self.view.chat("GLOBAL")
        chat.mentions, chat.loading, chat.quoting, chat.is_counted = 3, True, True, True
        chat.unread = 5
        self.view.amend(amended(seq=1, rev=1, text="new", edited="e"))
        chat.quotes[3] = None
        chat.roster.load(events.Group("GLOBAL", "g", "bob", ["bob"]))
        self.view.welcome(welcome())
        self.assertEqual((chat.mentions, chat.early_changes, chat.quotes, chat.roster.is_known), (0, [], {}, False))
        self.assertEqual((chat.loading, chat.quoting, chat.is_counted, chat.unread), (False, False, False, 0))

    def test_list(self) -> None:
        """A list of chats completes what is known: numbers and times grow, and the counts are the server's."""
        self.view.list_chats(events.Chats([events.Chat("@bob", "@2", 4, 9, 5, AT, 6, 1, "none")]))
        chat = self.view.chat("@bob")
        self.assertEqual((chat.unread, chat.last_seq, chat.read_seq, chat.last_at), (4, 9, 5, AT))
        self.assertEqual((chat.last_rev, chat.mentions, chat.alert, chat.is_counted), (6, 1, "none", True))
        self.assertFalse(self.view.chat("*new").is_counted)  # it is in no list yet


class EventTests(ScreenStateCase):
    """Events that answer no request."""

    def test_erased(self) -> None:
        """The line about a timed message goes with it."""
        self.view.own.add_note("to GLOBAL: psst").about = ("GLOBAL", "t1")
        self.view.own.add_note("to GLOBAL: other").about = ("GLOBAL", "t2")
        self.view.apply(events.Erased("GLOBAL", "t1"), 0.0)
        self.assertEqual([item.text for item in self.view.own.items], ["to GLOBAL: other"])

    def test_blocks(self) -> None:
        """A change of the blocks forgets messages and details once. The same list again changes nothing."""
        chat = self.view.chat("GLOBAL")
        chat.roster.load(events.Group("GLOBAL", "g", "bob", ["bob"]))
        self.view.apply(events.Blocks(["bob"]), 0.0)
        self.assertFalse(chat.roster.is_known)
        self.load(message("one", seq=1))
        self.view.apply(events.Blocks(["bob"]), 0.0)
        self.assertEqual((self.texts(), self.view.blocked), (["one"], ["bob"]))

    def test_members(self) -> None:
        """The members of an open group change with the events, and each change is shown in the group."""
        self.view.apply(events.Added("*team", "g1", "alice", "bob", "bob"), 0.0)
        team = self.view.chat("*team")
        self.assertEqual(team.id, "g1")
        self.view.list_members(events.Group("*team", "g1", "bob", ["bob", "alice"]))
        self.view.apply(events.Added("*team", "g1", "carol", "bob", "bob"), 0.0)
        self.assertEqual(list(team.roster.names), ["bob", "alice", "carol"])
        self.view.apply(events.Removed("*team", "g1", "bob", "bob", "alice"), 0.0)
        self.assertEqual((list(team.roster.names), team.roster.owner), (["alice", "carol"], "alice"))
        self.assertEqual(len(self.texts("*team")), 3)

    def test_removed_elsewhere(self) -> None:
        """The reason for a lost group is shown in it if it is kept, otherwise where the user is."""
        for is_kept in (False, True):
            self.view.go_home()
            self.view.apply(events.Added("*team", "g1", "alice", "bob", "bob"), 0.0)
            team = self.view.chat("*team")
            team.has_draft = is_kept
            self.view.apply(events.Removed("*team", "g1", "alice", "bob", "bob"), 0.0)
            why = "bob removed alice from *team"
            self.assertEqual((team.gone, team.items[-1].text == why), (why, is_kept))
            self.assertEqual([item.text for item in self.view.own.items], [why])

    def test_last_chat_is_lost(self) -> None:
        """A lost chat is no longer the open one, unless it is on the screen or kept for its typed text."""
        for is_home, has_draft, stays in ((True, False, False), (True, True, True), (False, False, True)):
            self.view.apply(events.Added("*team", "g1", "alice", "bob", "bob"), 0.0)
            team = self.view.open_chat("*team")
            team.has_draft = has_draft
            if is_home:
                self.view.go_home()
            self.view.apply(events.Removed("*other", "g2", "alice", "bob", "bob"), 0.0)
            self.view.apply(events.Removed("*team", "g1", "alice", "bob", "bob"), 0.0)
            self.assertIs(self.view.open, team if stays else None)
            self.view.open_chat("GLOBAL")
            team.has_draft = False
            self.view.go_home()

    def test_lost_chats_that_are_kept(self) -> None:
        """A lost chat is kept only while it is on the screen itself, not behind a list or beside another chat."""
        for opened, is_home, kept in (("*team", False, 1), ("*team", True, 0), ("GLOBAL", False, 0)):
            self.view.apply(events.Added("*team", "g1", "alice", "bob", "bob"), 0.0)
            self.view.open_chat(opened)
            if is_home:
                self.view.go_home()
            self.view.apply(events.Removed("*team", "g1", "alice", "bob", "bob"), 0.0)
            self.assertEqual(len(self.view.chats.gone), kept, (opened, is_home))
            self.view.open_chat("GLOBAL")

    def test_another_chat_is_lost(self) -> None:
        """The open chat stays open behind the list when another one is lost."""
        self.view.apply(events.Added("*team", "g1", "alice", "bob", "bob"), 0.0)
        chat = self.view.open_chat("GLOBAL")
        self.view.go_home()
        self.view.apply(events.Removed("*team", "g1", "alice", "bob", "bob"), 0.0)
        self.assertIs(self.view.open, chat)


class PageTests(ScreenStateCase):
    """Pages of a chat."""

    def test_end_after_a_part(self) -> None:
        """The end of a chat reaches its end, also if newer messages were missing before."""
        self.load(message("one", seq=1), more=True, direction=1)
        self.assertTrue(self.view.chat("GLOBAL").newer)
        self.load(message("nine", seq=9), more=True)
        self.assertEqual((self.view.chat("GLOBAL").newer, self.view.chat("GLOBAL").older), (False, True))

    def page(self, *messages: events.Message, more: bool = False, rev: int = 0) -> events.History:
        """Return a page of GLOBAL."""
        return events.History("GLOBAL", list(messages), more, rev)

    def test_rev(self) -> None:
        """Every page moves the last known change on, and none moves it back."""
        chat = self.view.chat("GLOBAL")
        for rev, expected in ((4, 4), (9, 9), (7, 9)):
            self.view.page(self.page(rev=rev), 0.0, direction=-1)
            self.assertEqual((chat.last_rev, chat.rev), (expected, 4))

    def test_notes(self) -> None:
        """A note in an unknown chat gets its place with the end of the chat, not with an earlier part."""
        note = self.view.chat("GLOBAL").add_note("noted")
        self.view.page(self.page(message("one", seq=1), more=True), 0.0, direction=1)
        self.assertEqual(note.key[0], AFTER_ALL)
        self.view.page(self.page(message("two", seq=2)), 0.0, direction=1)
        self.assertEqual(note.key[0], 2)

    def test_since(self) -> None:
        """A page from some time on replaces the loaded part. There is more before it, unless the chat is empty."""
        chat = self.view.chat("GLOBAL")
        self.load(message("one", seq=1))
        self.view.page_since(self.page(message("five", seq=5), more=True), 0.0)
        self.assertEqual((self.texts(), chat.older, chat.newer, chat.loaded), (["five"], True, True, True))
        self.view.page_since(self.page(), 0.0)
        self.assertEqual((self.texts(), chat.older, chat.newer), ([], False, False))

    def test_around_the_end(self) -> None:
        """Pages around a message that reach the end of the chat show later messages at once."""
        self.view.page_around("GLOBAL", self.page(message("one", seq=1), more=True), self.page(), 0.0)
        chat = self.view.chat("GLOBAL")
        self.assertEqual((chat.older, chat.newer, chat.at_end), (True, False, True))
        self.view.page_around("GLOBAL", self.page(), self.page(message("one", seq=1), more=True), 0.0)
        self.assertEqual((chat.older, chat.newer), (False, True))

    def test_quotes(self) -> None:
        """After a page of quotes, no changes are kept for one any more."""
        chat = self.view.chat("GLOBAL")
        chat.quoting = True
        self.view.amend(amended(seq=3, rev=1, text="new", edited="e"))
        self.assertEqual(len(chat.early_changes), 1)
        self.view.page_of_quotes(chat, 3, self.page(message("old", seq=3)))
        self.assertEqual((chat.quoting, chat.early_changes), (False, []))

    def test_changes(self) -> None:
        """A page of changes moves the rev on, and only on. Changes that crossed it are applied after it."""
        chat = self.view.chat("GLOBAL")
        for rev, expected in ((3, 3), (2, 3), (5, 5)):
            self.view.page_of_changes(self.page(rev=rev), 0.0)
            self.assertEqual(chat.rev, expected)
        self.load(message("one", seq=1))
        chat.early_changes.append(amended(seq=1, rev=7, text="seven", edited="e"))
        self.view.page_of_changes(self.page(message("six", seq=1, rev=6)), 0.0)
        self.assertEqual((self.texts(), chat.early_changes), (["seven"], []))

    def test_deleted(self) -> None:
        """A deletion counts down only what is unread, of others, and mentions the user."""
        self.load(*(message("hi", seq=seq, sender=name) for seq, name in ((1, "bob"), (2, "bob"), (3, "alice"))))
        chat = self.view.chat("GLOBAL")
        chat.read_seq, chat.unread, chat.mentions = 1, 1, 0
        for seq, unread in ((1, 1), (3, 1), (2, 0)):
            self.assertTrue(self.view.amend(amended(seq=seq, rev=seq, deleted=True)))
            self.assertEqual((chat.unread, chat.mentions), (unread, 0))

    def test_changed(self) -> None:
        """An edit or a mark leaves the unread count as it is, and nothing has to be asked."""
        self.view.apply(message("hi", seq=1), 0.0)
        for fields in ({"text": "ho", "edited": "e"}, {"mark": "ok", "on": True}):
            self.assertTrue(self.view.amend(amended(seq=1, rev=1, **fields)))
        self.assertEqual(self.view.chat("GLOBAL").unread, 1)


class ArrivalTests(ScreenStateCase):
    """New messages, and confirmations of the user's own."""

    def test_confirmation_overtakes(self) -> None:
        """A message that comes after the confirmation of a later one is shown before that one."""
        self.load(message("one", seq=1))
        chat = self.view.chat("GLOBAL")
        chat.add_pending("mine", "alice", "n", None)
        self.view.sent(chat, "n", sent(seq=3), 0.0)
        self.assertEqual(chat.last_seq, 3)
        self.view.apply(message("two", seq=2), 0.0)
        self.assertEqual(self.texts(), ["one", "two", "mine"])

    def test_confirmation_without_a_page(self) -> None:
        """In a chat that is not loaded, the confirmation moves the last number, and notes before it get their place."""
        chat = self.view.chat("@bob")
        note = chat.add_note("noted")
        chat.add_pending("mine", "alice", "n", None)
        self.view.sent(chat, "n", sent(chat="@bob", seq=7), 0.0)
        self.assertEqual((chat.last_seq, chat.read_seq, note.key[0]), (7, 7, 6))

    def test_unknown_nonce(self) -> None:
        """A confirmation of a message that is not pending adds none."""
        self.load(message("one", seq=1))
        self.view.sent(self.view.chat("GLOBAL"), "n", sent(seq=2), 0.0)
        self.assertEqual(self.texts(), ["one"])

    def test_end_of_a_timed_message(self) -> None:
        """A confirmed timed message ends when the client's clock or the server says, whichever comes first."""
        self.load()
        chat = self.view.chat("GLOBAL")
        for number, (ends, left_ms, expected) in enumerate(((30.0, 20_000, 22.0), (30.0, 40_000, 30.0))):
            chat.add_pending("psst", "alice", "n", ends)
            self.view.sent(chat, "n", sent(id=f"t{number}", left_ms=left_ms), 2.0)
            timed = chat.timed(f"t{number}")
            assert timed is not None
            self.assertEqual(timed.ends, expected)
        chat.add_pending("psst", "alice", "n", None)
        self.view.sent(chat, "n", sent(id="t9", left_ms=1_000), 2.0)
        timed = chat.timed("t9")
        assert timed is not None
        self.assertEqual(timed.ends, 3.0)

    def test_notes(self) -> None:
        """A note at the end comes before the next message, stored or timed, if the end of the chat is known."""
        for chat_name, is_loaded, fields, place in (
            ("*a", False, {"seq": 5}, 4),
            ("*b", False, {"id": "t1", "left_ms": 9_000}, AFTER_ALL),
            ("*c", True, {"id": "t1", "left_ms": 9_000}, 0),
        ):
            note = self.view.chat(chat_name).add_note("noted")
            self.view.chat(chat_name).loaded = is_loaded
            self.view.apply(message("hi", chat=chat_name, **fields), 0.0)
            self.assertEqual(note.key[0], place)

    def test_limit_elsewhere(self) -> None:
        """At the limit, a pane that was moved up takes timed messages only. Other chats take all."""
        self.patch(screen_state, "ITEMS_MAX", 3)
        self.load(*(message("hi", seq=seq) for seq in (1, 2)))
        self.load(*(message("hi", chat="@bob", seq=seq) for seq in (1, 2, 3)), name="@bob")
        chat = self.view.open_chat("GLOBAL")
        self.view.pane.show((1, 0, 0))
        for seq, count, newer in ((3, 3, False), (4, 3, True)):
            self.view.apply(message("hi", seq=seq), 0.0)
            self.assertEqual((len(chat.items), chat.newer, chat.last_seq), (count, newer, seq))
        chat.newer = False
        self.view.apply(message("psst", id="t1", left_ms=9_000), 0.0)
        self.view.apply(message("hi", chat="@bob", seq=4), 0.0)
        self.assertEqual((len(chat.items), chat.newer), (4, False))
        self.assertEqual((len(self.texts("@bob")), self.view.chat("@bob").newer), (4, False))
