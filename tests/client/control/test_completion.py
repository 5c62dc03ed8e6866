"""Completion of the end of a line by Tab."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.control.completion import Completion, common_beginning, complete
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events
from tests.helpers.client_fakes import welcome


class CompletionTests(SynchronousTestCase):
    """Completions."""

    def setUp(self) -> None:
        """Create a view with some users and chats."""
        self.view = ScreenState("host:7667")
        self.view.welcome(welcome())
        self.view.list_users(events.Users(["bob", "Bobby"], ["carol"], False))
        self.view.chat("*team")
        self.view.chat("@bob")

    def words(self, line: str) -> list[str]:
        """Return the completions of a line."""
        found = complete(line, self.view)
        return [] if found is None else found.words

    def test_places(self) -> None:
        """Each place of a command has its words: users, groups, chats, commands."""
        for line, words in [
            ("@b", ["bob", "Bobby"]),
            ("@ ca", ["carol"]),
            ("*30@c", ["carol"]),
            ("*30*", ["team"]),
            ("*bob,c", ["carol"]),
            ("*bob -> ", []),
            ("*t", ["team"]),
            ("+carol t", ["team"]),
            ("-carol t", ["team"]),
            ("+", ["bob", "Bobby", "carol", "team"]),
            ("-al", ["alice"]),
            ("~", ["bob", "Bobby", "carol"]),
            ("ls G", ["GLOBAL"]),
            ("ls -n @bob", ["@bob", "@Bobby"]),
            ("!p", ["!password"]),
            ("exit -", ["--forget"]),
            ("hello ca", ["carol"]),
            ("hello @ca", ["carol"]),
            ("hello zz", []),
            ("", []),
            ("*bob -> c", []),
            ("  @ca", ["carol"]),
            ("*team hello ca", ["carol"]),
            ("!kick ca", ["carol"]),
            ("!ki", []),
            ("ls -", ["-n"]),
            ("exit ca", ["carol"]),
        ]:
            self.assertEqual(self.words(line), words, line)

    def test_start(self) -> None:
        """The replaced part begins at the start of the word."""
        self.assertEqual(complete("*30@ca", self.view), Completion(4, ["carol"], " "))
        self.assertEqual(complete(" *te", self.view), Completion(2, ["team"], " "))

    def test_after(self) -> None:
        """A blank follows if a command or text continues, and nothing if it ends."""
        for line, after in (
            ("@ca", " "),
            ("*t", " "),
            ("+ca", " "),
            ("~ca", ""),
            ("*bob,c", ""),
            ("hi ca", " "),
            ("!p", ""),
        ):
            found = complete(line, self.view)
            assert found is not None
            self.assertEqual(found.after, after, line)

    def test_common_beginning(self) -> None:
        """The common prefix is found regardless of case."""
        self.assertEqual(common_beginning(["bob", "Bobby", "BOA"]), "bo")
        self.assertEqual(common_beginning(["x", "y"]), "")
