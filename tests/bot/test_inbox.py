"""The messages for a bot: queued, noted as missing, read in pages, and handed over once."""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.bot import inbox
from irchat.bot.inbox import Change, Inbox
from tests.helpers.bot_server import message

_CHATS: list[dict[str, Any]] = [
    {"chat": "GLOBAL", "id": "1", "last_seq": 10, "rev": 2},
    {"chat": "@bob", "id": "@7", "last_seq": 3},
]


class InboxTests(SynchronousTestCase):
    """`Inbox`."""

    def setUp(self) -> None:
        """Sign in for the first time."""
        self.inbox = self.signed_in(Inbox())

    def signed_in(self, new: Inbox, chats: Any = _CHATS, epoch: str = "e") -> Inbox:
        """Return an inbox after a sign-in."""
        new.signed_in("bot", epoch, chats)
        return new

    def take(self, from_inbox: Inbox | None = None, now: float = 0.0) -> list[Any]:
        """Return the texts of the messages, and the changes, that are handed over now."""
        taken = []
        while (one := (from_inbox or self.inbox).take(now)) is not None:
            taken.append(one if isinstance(one, Change) else one.text)
        return taken

    def restarted(self, chats: Any = _CHATS, epoch: str = "e") -> Inbox:
        """Return the inbox of another run of the bot, which goes on from the state."""
        again = Inbox()
        again.go_on(json.loads(json.dumps(self.inbox.state())))
        return self.signed_in(again, chats, epoch)

    def test_first(self) -> None:
        """The first run begins with the present."""
        self.assertIsNone(self.inbox.request())
        self.assertEqual(self.take(), [])

    def test_live(self) -> None:
        """Messages of others are handed over in order, with what a bot needs. Its own are left out."""
        self.inbox.event(message(11, "one"), 0)
        self.inbox.event(message(12, "mine", sender="bot"), 0)
        self.inbox.event(message(4, "two", "@bob", "bob"), 0)
        heard = self.inbox.take(0)
        self.assertEqual((heard.chat, heard.sender, heard.text, heard.seq), ("GLOBAL", "alice", "one", 11))
        self.assertEqual(self.take(), ["two"])
        self.assertNotIn("'one'", repr(heard))

    def test_missed(self) -> None:
        """After a lost connection the missed messages are read in pages, and live ones wait for them."""
        self.inbox.event(message(11, "11"), 0)
        self.assertEqual(self.take(), ["11"])
        self.inbox.disconnected()
        self.assertIsNone(self.inbox.request())
        self.inbox.event(message(15, "15"), 0)
        self.signed_in(self.inbox, [{**_CHATS[0], "last_seq": 14}, _CHATS[1]])
        self.assertEqual(self.inbox.request(), {"type": "chats"})
        self.inbox.answer({"type": "chats"}, {"chats": [{**_CHATS[0], "last_seq": 15}, _CHATS[1]]}, 0)
        request = self.inbox.request()
        self.assertEqual(request, {"type": "history", "chat": "GLOBAL", "after": 11, "limit": 200})
        self.inbox.answer(request, {"messages": [message(12, "12"), message(13, "13")], "more": True}, 0)
        self.assertEqual(self.take(), ["12", "13"])
        request = self.inbox.request()
        self.assertEqual(request["after"], 13)
        self.inbox.event(message(16, "16"), 0)
        self.inbox.answer(request, {"messages": [message(15, "15")], "more": False}, 0)
        request = self.inbox.request()
        self.assertEqual(request["after"], 15)
        self.inbox.answer(request, {"messages": [message(16, "16"), message(None, "timed")], "more": False}, 0)
        self.assertEqual(self.take(), ["15", "16"])
        self.assertIsNone(self.inbox.request())
        self.inbox.event(message(17, "17"), 0)
        self.assertEqual(self.take(), ["17"])

    def test_too_much(self) -> None:
        """While too much waits, further messages stay in the server. They are read when there is room."""
        self.patch(inbox, "_WAITING_MOST", 2)
        for seq in range(11, 15):
            self.inbox.event(message(seq, str(seq)), 0)
        self.assertEqual(self.take(), ["11", "12"])
        request = self.inbox.request()
        self.assertEqual(request["after"], 12)
        self.inbox.answer(request, {"messages": [message(13, "13"), message(14, "14")], "more": False}, 0)
        self.assertEqual(self.take(), ["13", "14"])

    def test_gone_end(self) -> None:
        """If the last messages are deleted or hidden, or the chat is gone, it is not read again and again."""
        for page in ({"messages": [], "more": False}, {}):
            self.signed_in(self.inbox, [{**_CHATS[0], "last_seq": 20}])
            self.inbox.answer(self.inbox.request() or {}, page, 0)
            self.assertIsNone(self.inbox.request())
            self.signed_in(self.inbox, [{**_CHATS[0], "last_seq": 30}])

    def test_restart(self) -> None:
        """Another run goes on after what was handed over: nothing is handed over twice, and nothing is left out."""
        for seq in 11, 12:
            self.inbox.event(message(seq, str(seq)), 0)
        self.assertEqual(self.inbox.take(0).text, "11")
        again = self.restarted([{**_CHATS[0], "last_seq": 12}, {"chat": "*team", "id": "*4", "last_seq": 1}])
        asked = []
        while (request := again.request()) is not None:
            asked.append((request["chat"], request["after"]))
            again.answer(request, {"messages": [], "more": False}, 0)
        self.assertEqual(asked, [("GLOBAL", 11), ("*team", 0)])
        for state in {}, {"name": "bot", "epoch": "", "chats": []}, {"name": "bot", "epoch": "", "chats": {"1": 2}}:
            self.assertRaises(ValueError, Inbox().go_on, state)

    def test_another_chat_of_that_name(self) -> None:
        """A new group or user with an old name is another chat, and is read from its beginning."""
        self.inbox.event(message(1, "first", "@bob", "bob"), 0)
        request = self.inbox.request()
        self.assertEqual((request, self.take()), ({"type": "chats"}, []))
        self.inbox.answer(request, {"chats": [_CHATS[0], {"chat": "@bob", "id": "@9", "last_seq": 1}]}, 0)
        self.assertEqual(self.inbox.request(), {"type": "history", "chat": "@bob", "after": 0, "limit": 200})
        self.inbox.event({"type": "added", "group": "*team", "name": "bot"}, 0)
        self.assertEqual(self.inbox.request(), {"type": "chats"})

    def test_backup(self) -> None:
        """After the server's database was replaced by a backup, the numbers that it gives again are new messages."""
        for seq in range(11, 16):
            self.inbox.event(message(seq, str(seq)), 0)
        self.assertEqual(len(self.take()), 5)
        again = self.restarted([{**_CHATS[0], "last_seq": 12}, _CHATS[1]], "after the restore")
        self.assertIsNone(again.request())
        again.event(message(13, "another 13"), 0)
        self.assertEqual(self.take(again), ["another 13"])

    def test_timed(self) -> None:
        """Timed messages are handed over only if wanted, and not after their end."""
        soon, later = message(None, "soon", id="a", left_ms=5000), message(None, "later", id="b", left_ms=9000)
        self.inbox.event(soon, 0)
        self.assertEqual(self.take(), [])
        timed = self.signed_in(Inbox(timed=True))
        for event in soon, later, message(None, "taken back", id="c", left_ms=9000), {"type": "erased", "id": "c"}:
            timed.event(event, 100.0)
        timed.event(message(None, "mine", id="d", left_ms=9000, sender="bot"), 100.0)
        heard = timed.take(105.5)
        self.assertEqual((heard.text, heard.seq, heard.seconds), ("later", None, 9.0))
        self.assertEqual(self.take(timed), [])
        self.assertNotIn("later", json.dumps(timed.state()))

    def read_timed(self, of: Inbox, *live: dict[str, Any], now: float = 0.0) -> None:
        """Answer the requests after a sign-in: ``live`` are the timed messages of GLOBAL, after a stored one."""
        pages = {"GLOBAL": [message(10, "stored"), *live]}
        while (request := of.request()) is not None:
            self.assertEqual({"type": "history", "chat": request["chat"], "limit": 1}, request)
            of.answer(request, {"messages": pages.get(request["chat"], []), "more": True}, now)

    def test_timed_while_away(self) -> None:
        """Timed messages that were sent while the bot was away are handed over once, if they still live."""
        early, one, two = (message(None, text, id=text, left_ms=60_000) for text in ("early", "one", "two"))
        ended = message(None, "ended", id="ended", left_ms=1_000)
        self.inbox = self.signed_in(Inbox(timed=True))
        self.read_timed(self.inbox, early)
        self.assertEqual(self.take(), [])
        self.inbox.event(one, 0)
        self.assertEqual(self.take(), ["one"])
        for one_run in self.inbox, self.restarted():
            one_run._timed = True
            one_run.disconnected()
            self.assertIsNone(one_run.request())
            self.signed_in(one_run)
            self.read_timed(one_run, early, one, two, ended)
            self.assertEqual(self.take(one_run, now=2.0), ["two"])
            one_run.event(two, 2.0)
            self.assertEqual(self.take(one_run, now=2.0), [])
        self.assertEqual(self.inbox.state()["timed"], ["early", "one", "two"])
        self.take(now=60.0)
        self.assertEqual(self.inbox.state()["timed"], [])
        again = self.restarted()
        again.go_on({**self.inbox.state(), "timed": ["long gone"]})
        self.assertIsNone(again.request())
        self.assertEqual(again.state()["timed"], [])

    def test_too_many_timed(self) -> None:
        """Timed messages for which there is no room are read when there is."""
        self.patch(inbox, "_WAITING_MOST", 1)
        timed = self.signed_in(Inbox(timed=True))
        self.read_timed(timed)
        one, two, three = (message(None, text, id=text, left_ms=60_000) for text in ("one", "two", "three"))
        for event in one, two, three:
            timed.event(event, 0)
        self.assertEqual(self.take(timed), ["one"])
        self.assertEqual(timed.request(), {"type": "chats"})
        timed.answer({"type": "chats"}, {"chats": _CHATS}, 0)
        request = timed.request() or {}
        timed.answer(request, {"messages": [one, two, three]}, 0)
        self.assertEqual(self.take(timed), ["two"])
        timed.answer(timed.request() or {}, {"chats": _CHATS}, 0)
        timed.answer(timed.request() or {}, {"messages": [one, two, three]}, 0)
        self.assertEqual((self.take(timed), timed.request()), (["three"], None))

    def test_changes(self) -> None:
        """Changes of known messages are handed over in order of rev if wanted, and read after a lost connection."""
        edit = {"type": "amended", "chat": "GLOBAL", "seq": 9, "rev": 3, "by": "alice", "text": "better"}
        self.inbox.event(edit, 0)
        self.assertEqual((self.take(), self.inbox.request()), ([], None))
        self.inbox.changes = True
        request = self.inbox.request()
        self.assertEqual(request, {"type": "history", "chat": "GLOBAL", "after_rev": 2, "limit": 200})
        page = [{**message(9, "better"), "edited": "x", "rev": 3}, {**message(8), "rev": 3, "marks": []}]
        self.inbox.answer(request, {"messages": page, "deleted": [7], "rev": 3, "more": False}, 0)
        edited, deleted = self.take()
        self.assertEqual(
            (edited.seq, edited.text, edited.by, deleted.seq, deleted.deleted), (9, "better", "alice", 7, True)
        )
        mark = {"type": "amended", "chat": "GLOBAL", "seq": 9, "rev": 4, "by": "alice", "mark": "ok", "on": True}
        for event in mark, {**mark, "rev": 5, "by": "bot"}, {**mark, "rev": 6, "seq": 99}, edit:
            self.inbox.event(event, 0)
        (marked,) = self.take()
        self.assertEqual((marked.mark, marked.on, marked.rev), ("ok", True, 4))
        self.assertIsNone(self.inbox.request())
