"""``!sessions``."""

from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from tests.helpers.commands import CommandTestCase


class SessionsTests(CommandTestCase):
    """The list of sessions, and how it is used."""

    def setUp(self) -> None:
        """Give alice three sign-ins, and let the caller use the last."""
        super().setUp()
        for label in "one", "two", "three":
            self.done(self.chat.sign_ins.add_labelled("alice", label))
        self.caller = self.callers["alice"]
        self.caller.token = self.done(self.world.store.sign_ins(self.world["alice"].id, 9))[-1].token

    def labels(self) -> list[str]:
        """Return the labels of the listed sessions."""
        listed = self.done(self.ask("alice", requests.Sessions()))
        assert isinstance(listed, events.Sessions)
        return [one.label for one in listed.sessions]

    def test_by_number(self) -> None:
        """A number is that of the list that was shown last, even if other sessions have ended since."""
        labels = self.labels()
        self.assertEqual(self.run_line("alice", "!sessions end 1"), events.Ok())
        self.assertEqual(self.run_line("alice", "!sessions end 2"), events.Ok())
        self.assertEqual(self.labels(), labels[2:])

    def test_wrong_numbers(self) -> None:
        """Without a list, or without such a number in it, nothing is ended."""
        refusal = self.refused(Code.BAD_REQUEST, self.ask, "alice", requests.EndListed(number=1))
        self.assertIn("Type !sessions first", refusal.text)
        labels = self.labels()
        for number in 0, 4:
            self.refused(Code.BAD_REQUEST, self.ask, "alice", requests.EndListed(number=number))
        self.run_line("alice", "!sessions end 3")
        self.refused(Code.BAD_REQUEST, self.ask, "alice", requests.EndListed(number=3))
        self.assertEqual(self.labels(), labels[:2])

    def test_others(self) -> None:
        """All but the caller's own are ended."""
        (this,) = [one.label for one in self.listed().sessions if one.this]
        self.assertEqual(self.run_line("alice", "!sessions end others"), events.Ok())
        self.assertEqual(self.labels(), [this])

    def test_by_id(self) -> None:
        """A program ends a session by its id. An id and others, or neither, are refused."""
        first, *others = self.listed().sessions
        self.done(self.ask("alice", requests.EndSessions(id=first.id)))
        self.assertEqual(self.labels(), [one.label for one in others])
        for wrong in requests.EndSessions(), requests.EndSessions(id="x", others=True), requests.EndSessions(id="x"):
            self.refused(Code.BAD_REQUEST, self.ask, "alice", wrong)

    def listed(self) -> events.Sessions:
        """Return the list."""
        listed = self.done(self.ask("alice", requests.Sessions()))
        assert isinstance(listed, events.Sessions)
        return listed
