"""The members and the pins of a chat."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.chat_details import Pins, Roster
from irchat.protocol import events
from tests.helpers.client_fakes import amended, message


class RosterTests(SynchronousTestCase):
    """The members of a group."""

    def setUp(self) -> None:
        """Create an unknown roster."""
        self.roster = Roster()
        self.group = events.Group("*team", "*1", "alice", ["alice", "bob"])

    def members(self) -> tuple[list[str], str]:
        """Return the members and the owner."""
        return list(self.roster.names), self.roster.owner

    def test_events(self) -> None:
        """Members come and go, and the ownership with them, once the members are known."""
        self.roster.apply(events.Added("*team", "*1", "zoe", "bob", "alice"))
        self.roster.load(self.group)
        self.assertEqual(self.members(), (["alice", "bob"], "alice"))
        self.roster.apply(events.Added("*team", "*1", "carol", "bob", "alice"))
        self.roster.apply(events.Removed("*team", "*1", "alice", "alice", "bob"))
        self.roster.apply(events.Removed("*team", "*1", "nobody", "bob", "bob"))
        self.assertEqual(self.members(), (["bob", "carol"], "bob"))

    def test_before_the_reply(self) -> None:
        """Events that arrive before the reply are applied to it, once."""
        self.roster.is_asked = True
        self.roster.apply(events.Added("*team", "*1", "carol", "bob", "alice"))
        self.roster.apply(events.Removed("*team", "*1", "bob", "alice", "alice"))
        self.assertFalse(self.roster.is_known)
        self.roster.load(self.group)
        self.assertEqual(self.members(), (["alice", "carol"], "alice"))
        self.roster.load(self.group)
        self.assertEqual(self.members(), (["alice", "bob"], "alice"))

    def test_not_requested(self) -> None:
        """Before a request, nothing is known, and events are not kept for a reply."""
        self.roster.apply(events.Added("*team", "*1", "zoe", "bob", "alice"))
        self.assertEqual((self.members(), self.roster.is_known, self.roster.is_asked), (([], ""), False, False))
        self.roster.is_asked = True
        self.roster.apply(events.Added("*team", "*1", "carol", "bob", "alice"))
        self.assertEqual(self.members(), ([], ""))

    def test_as_many_as_fit(self) -> None:
        """In a line, the owner comes first. Names are whole, and an ellipsis stands for the others."""
        self.roster.load(events.Group("*team", "*1", "bob", ["alice", "bob", "carol"]))
        whole = "3 members: bob (owner), alice, carol"
        self.assertEqual(self.roster.line(len(whole)), whole)
        self.assertEqual(self.roster.line(len(whole) - 1), "3 members: bob (owner), alice, …")
        self.assertEqual(self.roster.line(32), "3 members: bob (owner), alice, …")
        self.assertEqual(self.roster.line(31), "3 members: bob (owner), …")
        self.roster.load(events.Group("*team", "*1", "bob", ["bob"]))
        self.assertEqual(self.roster.line(80), "1 member: bob (owner)")

    def test_names_obey_nothing(self) -> None:
        """Names have no control characters."""
        self.roster.load(events.Group("*team", "*1", "a\x1b", ["a\x1b"]))
        self.assertNotIn("\x1b", "".join((*self.roster.names, self.roster.owner)))


class PinsTests(SynchronousTestCase):
    """The pinned messages."""

    def setUp(self) -> None:
        """Create unknown pins."""
        self.pins = Pins()
        mark = events.Mark("Pin", 2, ["bob", "zoe"], False)
        self.found = events.Found([message("x", seq=4, rev=5, marks=[mark])], False)

    def amend(self, seq: int, rev: int, **fields: object) -> str:
        """Apply a change, and return the text about the pins."""
        self.pins.amend(amended(seq=seq, rev=rev, **fields), "alice")
        return str(self.pins)

    def test_older_change(self) -> None:
        """A change that the search result has already is not applied again."""
        self.pins.load(self.found, "alice")
        for name, rev in ("bob", 4), ("zoe", 5):
            self.assertEqual(self.amend(4, rev, by=name, mark="pin", on=False), "pin 1")

    def test_counted(self) -> None:
        """A message is pinned until the last user takes the mark off or the message is deleted."""
        self.assertEqual(self.amend(9, 1, mark="pin", on=True), "")
        self.pins.load(self.found, "alice")
        self.assertEqual(str(self.pins), "pin 1")
        self.assertEqual(self.amend(4, 6, mark="pin", on=False), "pin 1")
        self.assertEqual(self.amend(6, 7, mark="ok", on=True), "pin 1")
        self.assertEqual(self.amend(7, 8, mark="PIN", on=True), "pin 2")
        self.assertEqual(self.amend(4, 9, by="zoe", mark="pin", on=False), "pin 1")
        self.assertEqual(self.amend(7, 10, deleted=True), "")

    def test_state(self) -> None:
        """The present state of a message, after the session fell behind, has or lacks the mark."""
        self.pins.load(self.found, "alice")
        self.assertEqual(self.amend(4, 6, by="", text="x"), "")
        pin = [events.Mark("pin", 1, ["bob"], False)]
        self.assertEqual(self.amend(5, 7, by="", text="y", marks=pin), "pin 1")
        self.assertEqual(self.amend(5, 8, text="z", edited="now"), "pin 1")

    def test_before_the_reply(self) -> None:
        """Changes that arrive before the reply are applied to it, except those that it includes."""
        self.pins.is_asked = True
        self.assertEqual(self.amend(4, 4, mark="pin", on=False), "")
        self.amend(4, 5, mark="pin", on=True)
        self.amend(8, 6, mark="pin", on=True)
        self.pins.load(self.found, "alice")
        self.assertEqual(str(self.pins), "pin 2")

    def test_not_requested(self) -> None:
        """Before a request, changes are not kept for a reply. During it, they wait, and count nothing yet."""
        self.assertEqual((str(self.pins), self.pins.is_known, self.pins.is_asked), ("", False, False))
        self.amend(8, 6, mark="pin", on=True)
        self.pins.is_asked = True
        self.assertEqual(self.amend(9, 7, mark="pin", on=True), "")
        self.pins.load(self.found, "alice")
        self.assertEqual(str(self.pins), "pin 2")

    def test_without_changes(self) -> None:
        """A found message without a rev or marks is counted until a change says what it has."""
        self.pins.load(events.Found([message("x", seq=4), message("psst", id="t1")], False), "alice")
        self.assertEqual(str(self.pins), "pin 1")
        self.assertEqual(self.amend(4, 1, mark="pin", on=True), "pin 1")
        self.assertEqual(self.amend(4, 2, mark="pin", on=False), "")

    def test_own_pin(self) -> None:
        """The user's own pin stays when others take theirs off, and counts once."""
        own = events.Mark("pin", 2, ["bob"], True)
        self.pins.load(events.Found([message("x", seq=4, rev=5, marks=[own])], False), "alice")
        self.assertEqual(self.amend(4, 6, by="bob", mark="pin", on=False), "pin 1")
        self.assertEqual(self.amend(4, 7, by="alice", mark="pin", on=True), "pin 1")
        self.assertEqual(self.amend(4, 8, by="alice", mark="pin", on=False), "")

    def test_more(self) -> None:
        """If there are more than the search returns, a plus says so."""
        self.pins.load(events.Found(self.found.messages, True), "alice")
        self.assertEqual(str(self.pins), "pin 1+")
