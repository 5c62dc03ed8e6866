"""HELP."""

from irchat.server.protocols.irc.help_topics import _TOPICS
from tests.helpers.irc import IRCTestCase, numerics


class HelpTests(IRCTestCase):
    """704 to 706, or 524."""

    def test_topics(self) -> None:
        """Each topic has a beginning and an end, and each line fits; anything else is unknown."""
        alice = self.irc("alice")
        for topic, texts in _TOPICS.items():
            lines = alice.ask(f"HELP {topic.lower()}")
            self.assertEqual(numerics(lines), ["704", *["705"] * (len(texts) - 1), "706"])
            self.assertLess(max(map(len, lines)), 510)
        self.assertEqual(alice.ask("HELPOP"), alice.ask("HELP *"))
        self.assertEqual(alice.ask("HELP nonsense"), [":irchat 524 alice nonsense :Help not found"])
