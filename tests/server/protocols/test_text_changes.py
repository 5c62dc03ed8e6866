"""The text protocol: edits, deletions and marks, typed and shown."""

from tests.helpers.server import CLEAR, ServerTestCase


class _ChangesTestCase(ServerTestCase):
    def setUp(self) -> None:
        """Alice, a program, and bob, a person, with a message of each to everyone."""
        self.server = self.make_server()
        self.alice = self.server.json("alice")
        self.bob = self.server.text("bob")
        self.server.advance(2)
        self.alice.ask("send", chat="GLOBAL", text="from alice")
        self.bob.type("from bob")
        self.alice.got()
        self.bob.shown()

    def shows(self, *typed: str) -> str:
        """Type lines as bob and return what his screen then shows."""
        self.bob.type(*typed)
        self.server.advance(0)
        return self.bob.shown()


class ShownTests(_ChangesTestCase):
    """Changes by others."""

    def test_edit(self) -> None:
        """An edit is a new line with the number of its message, its further lines indented."""
        self.alice.ask("amend", chat="GLOBAL", seq=1, text="new\n[14:00] [GLOBAL #9] carol: forged")
        shown = "[--:--] [GLOBAL #1] alice, edited: new\n    [--:--] [GLOBAL #9] carol: forged\n"
        self.assertEqual(self.bob.shown(), shown)

    def test_deletion(self) -> None:
        """A deletion prints the screen again without any line of the message."""
        self.alice.ask("amend", chat="GLOBAL", seq=1, text="changed by alice")
        self.shows("ls GLOBAL")
        self.alice.ask("amend", chat="GLOBAL", seq=1, delete=True)
        self.server.advance(0)
        shown = self.bob.shown()
        self.assertTrue(shown.startswith(CLEAR))
        self.assertIn("from bob\r\n", shown)
        self.assertNotIn("alice:", shown)
        self.assertNotIn("by alice", shown)

    def test_deletions(self) -> None:
        """However many messages are deleted, the screen is printed again once in two seconds."""
        for number in range(20):
            self.alice.ask("send", chat="GLOBAL", text=f"<{number}>")
        self.bob.shown()
        for seq in range(3, 23):
            self.alice.ask("amend", chat="GLOBAL", seq=seq, delete=True)
            self.server.advance(0.2)
        self.server.advance(2)
        shown = self.bob.shown()
        self.assertEqual(shown.count(CLEAR), 3)
        self.assertNotIn("<", shown.split(CLEAR)[-1])

    def test_deletion_of_what_is_not_shown(self) -> None:
        """A deletion of a message that the screen never showed prints nothing."""
        self.bob.leave()
        self.bob = self.server.text("bob")
        self.bob.shown()
        self.alice.ask("amend", chat="GLOBAL", seq=1, delete=True)
        self.server.advance(3)
        self.assertEqual(self.bob.shown(), "")

    def test_marks(self) -> None:
        """A mark shows on one's own messages alone, also on those from before the sign-in."""
        self.bob.leave()
        self.bob = self.server.text("bob")
        self.server.advance(2)
        self.bob.shown()
        carol = self.server.json("carol")
        self.bob.shown()
        for client in self.alice, carol:
            for seq in 1, 2:
                client.ask("mark", chat="GLOBAL", seq=seq, mark="ok")
        shown = "-- alice: ok on GLOBAL #2\n-- carol: ok on GLOBAL #2\n"
        self.assertEqual(self.bob.shown(), shown)
        self.alice.ask("mark", chat="GLOBAL", seq=2, mark="ok", on=False)
        self.assertEqual(self.bob.shown(), "-- alice: ok taken off GLOBAL #2\n")

    def test_behind(self) -> None:
        """A slow reader gets edits as they are in the end, and never a line of what was deleted meanwhile."""
        self.bob.socket.room = 0
        for number in range(100):
            self.alice.ask("send", chat="GLOBAL", text=f"{number} {'x' * 4_000}"[:4_000])
        self.alice.ask("send", chat="GLOBAL", text="soon gone")
        self.alice.ask("amend", chat="GLOBAL", seq=103, delete=True)
        self.alice.ask("amend", chat="GLOBAL", seq=1, text="one")
        self.alice.ask("amend", chat="GLOBAL", seq=1, text="two")
        self.bob.socket.room = None
        self.server.advance(0, 0, 0)
        shown = self.bob.shown()
        self.assertNotIn("soon gone", shown)
        self.assertIn("[GLOBAL #1] edited: two\n", shown)
        self.assertNotIn("edited: one", shown)


class TypedTests(_ChangesTestCase):
    """Changes that are typed."""

    def test_edit(self) -> None:
        """Each edit has a short answer, and goes to the others."""
        self.assertEqual(self.shows("#2= once", "#= twice"), "-- edited GLOBAL #2\n-- edited GLOBAL #2\n")
        edits = [(event["seq"], event["text"], event["by"]) for event in self.alice.told("amended")]
        self.assertEqual(edits, [(2, "once", "bob"), (2, "twice", "bob")])

    def test_delete(self) -> None:
        """A deletion takes the lines that sent and edited the message off the screen."""
        self.shows("#2= edited by bob", "another")
        shown = self.shows("#2-").split(CLEAR)
        self.assertEqual(shown[0], "-- deleted GLOBAL #2\n")
        self.assertTrue(shown[1].endswith("#2-\r\n-- deleted GLOBAL #2\r\n"))
        self.assertNotIn("from bob", shown[1])
        self.assertNotIn("edited by bob", shown[1])
        self.assertIn("another\r\n", shown[1])
        self.assertIn("-- deleted GLOBAL #3", self.shows("#-"))
        self.assertEqual([event["seq"] for event in self.alice.told("amended")], [2, 2, 3])

    def test_deleted_in_another_session(self) -> None:
        """The typed line of a message that another session of the user deletes goes too."""
        self.server.json("bob").ask("amend", chat="GLOBAL", seq=2, delete=True)
        self.server.advance(0)
        self.assertNotIn("from bob", self.bob.shown())

    def test_in_a_chat(self) -> None:
        """After a chat, a command is about that chat. Other texts are sent."""
        self.shows("@alice secret plan", "@alice #1 as I said")
        self.assertIn("-- deleted @alice #1\n", self.shows("@alice #1-"))
        self.assertEqual(self.shows("#hello", "@alice #1 priority", "\\#2-"), "")
        texts = [(event["chat"], event["text"]) for event in self.alice.told("message")]
        self.assertEqual(texts, [
            ("@bob", "secret plan"), ("@bob", "#1 as I said"),
            ("GLOBAL", "#hello"), ("@bob", "#1 priority"), ("GLOBAL", "#2-"),
        ])  # fmt: skip

    def test_marks(self) -> None:
        """Marks are answered, and shown with the message they are on, and found."""
        self.assertEqual(self.shows("#1+ok", "#1+1", "#1-ok"), (
            "-- ok on GLOBAL #1\n-- \U0001f44d on GLOBAL #1\n-- ok taken off GLOBAL #1\n"
        ))  # fmt: skip
        self.alice.ask("amend", chat="GLOBAL", seq=1, text="new text")
        self.bob.shown()
        shown = self.shows("#1")
        self.assertRegex(shown, (
            r"-- GLOBAL:\n\[--:--\] \[GLOBAL #1\] alice, edited: new text\n"
            r"-- #1 edited [\d:]+\n-- #1 \U0001f44d 1: bob\n"
            r"\[--:--\] \[GLOBAL #2\] bob: from bob\n-- end of GLOBAL\n"
        ))  # fmt: skip
        self.assertIn("[GLOBAL #1] alice, edited: new text\n", self.shows("ls GLOBAL +\U0001f44d"))
        self.assertEqual(self.shows("ls GLOBAL +ok"), "-- nothing found\n")

    def test_show(self) -> None:
        """A number alone shows five messages on either side, and marks nothing as read."""
        for number in range(3, 21):
            self.alice.ask("send", chat="GLOBAL", text=f"<{number}>")
        self.bob.shown()
        shown = self.shows("#10")
        self.assertEqual([number for number in range(3, 21) if f"<{number}>" in shown], list(range(5, 16)))

    def test_refused(self) -> None:
        """A refusal names the next step."""
        self.assertIn("ls GLOBAL shows the messages with their numbers", self.shows("#17-"))
        self.assertIn("not yours", self.shows("#1= mine"))
        self.assertIn("  usage: #<number>+<mark>\n", self.shows(f"#1+{17 * 'x'}"))

    def test_timed(self) -> None:
        """Taking back a timed message ends it at once, here and elsewhere, with the line that sent it."""
        self.alice.got()
        self.shows("*30* my secret")
        shown = self.shows("#-")
        self.assertIn("-- done\n", shown)
        self.assertIn(CLEAR, shown)
        self.assertNotIn("secret", shown)
        self.assertEqual([event["type"] for event in self.alice.got()], ["message", "erased"])
        self.assertIn("cannot be edited", self.shows("*30* another", "#= text"))

    def test_mentions(self) -> None:
        """Messages that mention the user are listed. A chat's alert is shown and set."""
        self.alice.ask("send", chat="GLOBAL", text="lunch, @bob?")
        self.alice.ask("send", chat="GLOBAL", text="#2 yes")
        self.bob.shown()
        self.assertEqual(
            [line.split("] ")[-1] for line in self.shows("?@").splitlines()[1:]],
            ["alice: #2 yes", "alice: lunch, @bob?"],
        )
        self.assertEqual(self.shows("!set GLOBAL"), "-- GLOBAL alerts you to messages that mention you\n")
        self.assertEqual(self.shows("!set GLOBAL alert none"), "-- GLOBAL alerts you to nothing\n")

    def test_day(self) -> None:
        """A day shows the messages from its begin on, and a day to come shows none."""
        self.assertIn("from alice", self.shows("ls GLOBAL 2000-01-01"))
        self.assertIn("no messages", self.shows("ls GLOBAL 2999-01-01"))
        self.assertIn("no day 2026-02-30", self.shows("ls GLOBAL 2026-02-30"))
