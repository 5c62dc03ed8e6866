"""When a chat alerts a user."""

from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase


class AlertTests(WorldTestCase):
    """`SetAlert`, and reading it."""

    def alert(self, name: str, chat: str, alert: str | None = None, origin: int | None = None) -> events.Alert:
        """Set or read it."""
        return self.done(self.world.chat.reading.alert(self.world[name], chat, alert, origin))

    def test_default(self) -> None:
        """A private chat alerts always, others if a message mentions the user."""
        self.group("team", "alice", "bob")
        self.assertEqual(self.alert("alice", "bob"), events.Alert("@bob", "all"))
        self.assertEqual(self.alert("alice", "team"), events.Alert("*team", "mentions"))
        self.assertEqual(self.alert("alice", "GLOBAL"), events.Alert("GLOBAL", "mentions"))

    def test_set(self) -> None:
        """A setting stays for that user alone, over a restart, also in a chat without messages."""
        self.group("team", "alice", "bob")
        for chat, alert in (("*team", "none"), ("@bob", "mentions"), ("GLOBAL", "all")):
            self.assertEqual(self.alert("alice", chat, alert), events.Alert(chat, alert))
        self.world.restart()
        for chat, alert in (("*team", "none"), ("@bob", "mentions"), ("GLOBAL", "all")):
            self.assertEqual(self.alert("alice", chat), events.Alert(chat, alert))
        self.assertEqual(self.alert("bob", "*team").alert, "mentions")
        self.assertEqual(self.alert("bob", "@alice").alert, "all")
        self.done(self.world.send("bob", "@alice"))
        listed = {chat.chat: chat.alert for chat in self.done(self.world.chats("alice")).chats}
        self.assertEqual(listed, {"@bob": "mentions", "*team": "none", "GLOBAL": "all"})

    def test_other_sessions(self) -> None:
        """The other sessions of the user receive it, nobody else."""
        self.alert("alice", "GLOBAL", "none", 1)
        self.assertEqual(self.world.published, [])
        self.world.enter("alice", 2)
        self.alert("alice", "GLOBAL", "none", 1)
        self.assertEqual(self.world.told("alice"), [events.Alert("GLOBAL", "none")])
        self.assertEqual((self.world.told("alice", 1), self.world.told("bob")), ([], []))

    def test_refused(self) -> None:
        """A chat that the user is not in has no setting."""
        self.group("team", "alice", "bob")
        for alert in (None, "none"):
            self.refused(Code.NO_SUCH_GROUP, self.world.chat.reading.alert, self.world["carol"], "*team", alert)

    def test_removed(self) -> None:
        """A user that was removed meanwhile sets nothing."""
        carol = self.world["carol"]
        self.done(self.world.chat.moderation.remove("carol", False, lambda count: None))
        self.refused(Code.NOT_LOGGED_IN, self.world.chat.reading.alert, carol, "GLOBAL", "none")
