"""Searches for marks and mentions, with and without words: a part of what every store must do."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL, StoredMark
from irchat.interfaces.writes import MemberAdded, MemberRemoved, MessageAdded
from irchat.store.sqlite.search import searching
from tests.helpers.stores import NOW, SQLiteHands, StoreHands, message


class WordlessContract(StoreHands):
    """Some messages with marks of bob's, that mention carol."""

    patch: Any

    def setUp(self) -> None:
        """Write them."""
        super().setUp()
        self.team_id = self.team(self.alice, self.bob, self.carol)
        self.all_three = (GLOBAL, self.team_id, (self.alice, self.carol))
        for text in "first word", "word", "other":
            self.write(*(
                MessageAdded(chat, self.alice, f"{text} {number}", NOW, None, 0, (self.carol,))
                for number, chat in enumerate(self.all_three)
            ))  # fmt: skip
        for chat, user in ((GLOBAL, self.bob), (self.team_id, self.bob), ((self.alice, self.carol), self.carol)):
            self.mark(chat, 1, user)
            self.mark(chat, 3, user)

    def texts(self, user: int, *words: str, **how: Any) -> list[str]:
        """Return the texts that a search finds, which has all."""
        found, more = self.found(user, *words, **how)
        self.assertFalse(more)
        return [one.text for one in found]

    def test_mark(self) -> None:
        """A search for a mark finds the messages with it that the user may see, newest first."""
        newest = ["other 2", "other 1", "other 0", "first word 2", "first word 1", "first word 0"]
        self.assertEqual(self.texts(self.carol, mark="ok"), newest)
        self.assertEqual(self.texts(self.bob, mark="ok"), [newest[index] for index in (1, 2, 4, 5)])
        self.assertEqual(self.texts(self.carol, mark="ok", chat=self.team_id), ["other 1", "first word 1"])
        self.assertEqual(self.texts(self.carol, mark="ok", chat=(self.alice, self.carol)), ["other 2", "first word 2"])
        self.assertEqual(self.texts(self.bob, mark="ok", chat=(self.alice, self.carol)), [])
        self.assertEqual(self.texts(self.carol, mark="o"), [])
        self.mark(GLOBAL, 1, self.alice)
        self.mark(GLOBAL, 1, self.carol)
        self.assertEqual(self.texts(self.carol, mark="ok", chat=GLOBAL), ["other 0", "first word 0"])
        (found, *_), _ = self.found(self.carol, mark="ok", chat=GLOBAL)
        self.assertEqual(
            (found.rev, found.marks, found.to), (2, (StoredMark("ok", 1, (self.bob,), False),), (self.carol,))
        )

    def test_hidden(self) -> None:
        """Marks of hidden users count for nothing, and hidden messages are not found."""
        for words in (), ("word",):
            found = self.texts(self.carol, *words, mark="ok", hidden=[self.bob])
            self.assertEqual(found, ["other 2", "first word 2"] if not words else ["first word 2"])
            for how in ({"mark": "ok"}, {"mentions": True}):
                self.assertEqual(self.texts(self.carol, *words, **how, hidden=[self.alice]), [])

    def test_mentions(self) -> None:
        """A search for mentions finds those of the user alone."""
        self.assertEqual(len(self.texts(self.carol, mentions=True)), 9)
        self.assertEqual(self.texts(self.bob, mentions=True), [])
        self.assertEqual(self.texts(self.carol, mentions=True, chat=GLOBAL), ["other 0", "word 0", "first word 0"])

    def test_together(self) -> None:
        """Words, a mark and mentions narrow a search together."""
        self.write(message(GLOBAL, self.alice, "word alone"))
        self.mark(GLOBAL, 4, self.carol)
        self.assertEqual(self.texts(self.carol, "word", mark="ok", chat=GLOBAL), ["word alone", "first word 0"])
        self.assertEqual(self.texts(self.carol, "word", mentions=True, chat=GLOBAL), ["word 0", "first word 0"])
        self.assertEqual(self.texts(self.carol, mark="ok", mentions=True, chat=GLOBAL), ["other 0", "first word 0"])
        self.assertEqual(self.texts(self.carol, "word", mark="ok", mentions=True, chat=GLOBAL), ["first word 0"])
        self.assertEqual(self.texts(self.carol, "...", mark="ok", mentions=True), [])
        self.assertEqual(self.texts(self.carol), [])

    def test_changes(self) -> None:
        """A mark that was taken off, a deleted message and an edit change what is found."""
        self.mark(GLOBAL, 1, self.bob, on=False)
        self.delete(self.team_id, 3, self.alice)
        self.edit(self.team_id, 1, self.alice, "edited")
        self.assertEqual(self.texts(self.bob, mark="ok"), ["other 0", "edited"])
        self.assertEqual(self.texts(self.carol, mentions=True, chat=self.team_id), ["word 1", "edited"])
        (found, *_), _ = self.found(self.bob, "edited", mark="ok")
        self.assertEqual((found.text, found.rev, found.edited_at), ("edited", 4, NOW + 10))

    def test_late_member(self) -> None:
        """A member that left and came back finds nothing from before."""
        for change in (
            MemberRemoved(self.team_id, self.carol, self.alice, self.alice),
            MemberAdded(self.team_id, self.carol, self.alice),
        ):
            self.write(change)
            for how in ({"mark": "ok"}, {"mentions": True}):
                self.assertEqual(self.texts(self.carol, **how, chat=self.team_id), [])
                self.assertNotIn("other 1", self.texts(self.carol, **how))

    def test_limits(self) -> None:
        """A page is limited by number and by bytes, and says that there is more."""
        for how in ({"mark": "ok"}, {"mentions": True}):
            messages, more = self.found(self.carol, limit=2, **how)
            self.assertEqual(([one.text for one in messages], more), (["other 2", "other 1"], True))
            for page_bytes, count in ((1, 1), (23, 1), (24, 2), (36, 3)):
                found, more = self.found(self.carol, overhead=5, page_bytes=page_bytes, **how)
                self.assertEqual((len(found), more), (count, True), page_bytes)


class WordlessTests(WordlessContract, SQLiteHands, SynchronousTestCase):
    """SQLite does what every store must."""

    def test_takes_too_long(self) -> None:
        """A search ends at its time limit with what it found."""
        seconds = [0.0]

        def clock() -> float:
            seconds[0] += 0.06
            return seconds[0]

        self.patch(searching, "thread_seconds", clock)
        messages, more = self.found(self.carol, mentions=True)
        self.assertEqual((len(messages), more), (5, True))
