"""Edits, marks and states of one message."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view import present_state
from irchat.client.view.items import Item, Kind
from irchat.protocol import events
from irchat.text.excerpts import find
from tests.helpers.client_fakes import amended, message


def _mark(mark: str, count: int, *names: str, mine: bool = False) -> events.Mark:
    return events.Mark(mark, count, list(names), mine)


class ChangesTests(SynchronousTestCase):
    """`amend` and `set_state`."""

    def setUp(self) -> None:
        """Create a message."""
        self.item = Item(Kind.MESSAGE, (1, 0, 0), "old", seq=1)

    def marked(self, rev: int, mark: str, by: str = "bob", *, on: bool = True) -> list[events.Mark]:
        """Put a mark on the message, or take it off."""
        present_state.amend(self.item, amended(rev=rev, mark=mark, by=by, on=on), "alice")
        return self.item.marks

    def test_only_later(self) -> None:
        """A change that is not later than the message's state is ignored."""
        present_state.amend(self.item, amended(rev=5, text="five", edited="e5"), "alice")
        for rev in 4, 5:
            present_state.amend(self.item, amended(rev=rev, text="late", edited="late"), "alice")
        present_state.set_state(self.item, message("page", rev=4))
        self.assertEqual((self.item.text, self.item.rev, self.item.edited), ("five", 5, "e5"))
        present_state.set_state(self.item, message("page", rev=6, marks=[_mark("ok", 1, "bob")]))
        self.assertEqual((self.item.text, self.item.rev, self.item.edited), ("page", 6, None))
        self.assertEqual(self.item.marks, [_mark("ok", 1, "bob")])

    def test_marks(self) -> None:
        """Marks are counted by user, compared like the server does, and go with the last one."""
        self.assertEqual(self.marked(1, "ok"), [_mark("ok", 1, "bob")])
        self.assertEqual(self.marked(2, "OK", "alice"), [_mark("ok", 2, "bob", "alice", mine=True)])
        self.assertEqual(self.marked(3, "ok"), [_mark("ok", 2, "bob", "alice", mine=True)])
        self.assertEqual(self.marked(4, "ok", on=False), [_mark("ok", 1, "alice", mine=True)])
        self.assertEqual(self.marked(5, "ok", "alice", on=False), [])
        self.assertEqual(self.marked(6, "ok", on=False), [])

    def test_page_of_the_same_rev(self) -> None:
        """A page with the same rev replaces the state, also of a message that was never changed."""
        present_state.set_state(self.item, message("page"))
        self.assertEqual((self.item.text, self.item.rev), ("page", 0))
        present_state.set_state(self.item, message("later", rev=2, edited="e"))
        present_state.set_state(self.item, message("same", rev=2, edited="e2"))
        self.assertEqual((self.item.text, self.item.edited, self.item.marks), ("same", "e2", []))
        present_state.set_state(self.item, message("page"))
        self.assertEqual(self.item.text, "same")

    def test_deleted(self) -> None:
        """A deletion does not change the state: the message goes as a whole."""
        present_state.amend(self.item, amended(rev=1, text="x", deleted=True), "alice")
        self.assertEqual((self.item.text, self.item.rev), ("old", 0))

    def test_own_mark_without_a_name(self) -> None:
        """The mark of the user counts once, also where the names do not include the user."""
        self.item.marks = [_mark("ok", 12, "bob", mine=True)]
        self.assertEqual(self.marked(1, "ok", "alice"), [_mark("ok", 12, "bob", mine=True)])
        self.assertEqual(self.marked(2, "ok", "carol"), [_mark("ok", 13, "bob", "carol", mine=True)])
        self.assertEqual(self.marked(3, "ok", "alice", on=False), [_mark("ok", 12, "bob", "carol")])
        self.item.marks = [_mark("ok", 1, "alice", mine=True)]
        self.assertEqual(self.marked(4, "ok", "alice"), [_mark("ok", 1, "alice", mine=True)])

    def test_several_marks(self) -> None:
        """A change of one mark leaves the others and their order, also of marks that this client does not know."""
        self.item.marks = [_mark("ok", 1, "bob"), _mark("two words", 1, "eve"), _mark("no", 1, "eve")]
        changed = [_mark("ok", 1, "bob"), _mark("two words", 2, "eve", "bob"), _mark("no", 1, "eve")]
        self.assertEqual(self.marked(1, "two words"), changed)
        self.assertEqual(self.marked(2, "ok", on=False), changed[1:])
        self.assertEqual(self.marked(3, "other words"), [*changed[1:], _mark("other words", 1, "bob")])

    def test_marks_without_a_text(self) -> None:
        """An event with all marks replaces them, whoever caused it."""
        present_state.amend(self.item, amended(rev=1, marks=[_mark("no", 1, "eve")]), "alice")
        self.assertEqual(self.item.marks, [_mark("no", 1, "eve")])

    def test_many_names(self) -> None:
        """Beyond the ten names, only the count changes."""
        names = [f"user{number}" for number in range(10)]
        self.item.marks = [_mark("ok", 12, *names)]
        self.assertEqual(self.marked(1, "ok"), [_mark("ok", 13, *names)])
        self.assertEqual(self.marked(2, "ok", on=False), [_mark("ok", 12, *names)])

    def test_present_state(self) -> None:
        """A present state replaces the text and all marks. An edit leaves the marks."""
        self.marked(1, "ok")
        present_state.amend(self.item, amended(rev=2, text="new", edited="e"), "alice")
        self.assertEqual((self.item.text, len(self.item.marks)), ("new", 1))
        present_state.amend(self.item, amended(rev=3, by="", text="newer", marks=[_mark("no", 1, "eve")]), "alice")
        self.assertEqual((self.item.text, self.item.edited, self.item.marks), ("newer", "e", [_mark("no", 1, "eve")]))
        present_state.amend(self.item, amended(rev=4, by="", text="newer"), "alice")
        self.assertEqual(self.item.marks, [])

    def test_search_result(self) -> None:
        """An edited search result shows the new text, safe for a terminal."""
        self.item.hit = find("old", "old")
        present_state.amend(self.item, amended(rev=1, text="a\x1b]0;x\x07b", edited="e"), "alice")
        assert self.item.hit is not None
        self.assertTrue(self.item.hit.text.isprintable())
        self.assertNotIn("old", self.item.hit.text)
        self.assertFalse(any(is_word for _, is_word in self.item.hit.pieces(0, 9)))
