"""The commands that read, from the typed line to the reply."""

from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from tests.helpers.commands import CommandTestCase


class ReadingCommandTests(CommandTestCase):
    """Bob has sent nine messages to everyone, and two to alice, one of them timed."""

    def setUp(self) -> None:
        """Send them."""
        super().setUp()
        for number in range(9):
            self.done(self.world.send("bob", "GLOBAL", f"word {number}"))
        self.done(self.world.send("bob", "@alice", "word private"))
        self.done(self.world.send("bob", "@alice", "timed", expires_in=99))

    def line(self, line: str) -> tuple[str, list[str], bool]:
        """Return alice's reply to a line."""
        reply = self.run_line("alice", line)
        assert isinstance(reply, events.History | events.Found)
        chat = reply.chat if isinstance(reply, events.History) else ""
        return chat, [message.text.removeprefix("word ") for message in reply.messages], reply.more

    def test_ls(self) -> None:
        """It lists the chats and marks nothing as read."""
        for _ in range(2):
            reply = self.run_line("alice", "ls")
            assert isinstance(reply, events.Chats)
            self.assertEqual({chat.chat: chat.unread for chat in reply.chats}, {"@bob": 2, "GLOBAL": 9})

    def test_show(self) -> None:
        """It shows the end of the chat, by default or by number, and marks all of the chat as read."""
        self.assertEqual(self.line("ls GLOBAL 2"), ("GLOBAL", ["7", "8"], True))
        self.assertEqual(self.unread("alice"), {"@bob": 2, "GLOBAL": 0})
        self.assertEqual(self.line("ls bob"), ("@bob", ["private", "timed"], False))
        self.assertEqual(self.unread("alice"), {"@bob": 0, "GLOBAL": 0})

    def test_show_unread(self) -> None:
        """It shows the unread messages and marks them as read."""
        self.done(self.ask("alice", requests.Read(chat="GLOBAL", seq=6)))
        self.assertEqual(self.line("ls -n GLOBAL"), ("GLOBAL", ["6", "7", "8"], False))
        self.assertEqual(self.line("ls -n GLOBAL"), ("GLOBAL", [], False))
        self.assertEqual(self.line("ls -n @bob")[1], ["private", "timed"])
        self.assertEqual(self.line("ls -n @bob")[1], [])

    def test_search(self) -> None:
        """It searches in one chat or in all, and marks nothing as read."""
        self.assertEqual(self.line("ls GLOBAL ?word 7"), ("", ["7"], False))
        self.assertEqual(self.line("ls bob ? word")[1], ["private"])
        self.assertEqual(self.line("?word")[1][:2], ["private", "8"])
        self.assertEqual(self.unread("alice"), {"@bob": 2, "GLOBAL": 9})

    def test_requests(self) -> None:
        """A request marks nothing as read by default, and pages up and down."""
        page = self.done(self.ask("alice", requests.History(chat="GLOBAL", before=3, limit=1)))
        self.assertEqual([message.seq for message in page.messages], [2])
        page = self.done(self.ask("alice", requests.History(chat="GLOBAL", after=3, limit=1)))
        self.assertEqual([message.seq for message in page.messages], [4])
        self.assertEqual(self.unread("alice")["GLOBAL"], 9)
        found = self.done(self.ask("alice", requests.Search(words="word", limit=3)))
        self.assertEqual((len(found.messages), found.more), (3, True))
        self.assertEqual(self.done(self.ask("alice", requests.Read(chat="GLOBAL", seq=4))), events.Ok())
        self.assertEqual(self.unread("alice")["GLOBAL"], 5)
        self.refused(Code.NO_SUCH_CHAT, self.ask, "alice", requests.Read(chat="nobody", seq=4))

    def test_other_session(self) -> None:
        """The user's other sessions learn that the chat was read, the requesting one does not."""
        self.world.enter("alice", 2)
        self.world.published.clear()
        self.line("ls GLOBAL")
        self.assertEqual(self.world.told("alice"), [events.Read("GLOBAL", 9)])
        self.assertEqual(self.world.told("alice", self.callers["alice"].id), [])

    def test_users(self) -> None:
        """It lists the users, up to a limit."""
        self.assertEqual(self.run_line("alice", "@"), events.Users(["alice", "bob", "carol"], [], False))
        users = self.done(self.ask("alice", requests.Users(prefix="c", limit=10**18)))
        self.assertEqual(users, events.Users(["carol"], [], False))
