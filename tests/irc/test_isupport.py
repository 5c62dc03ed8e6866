"""The tokens of 005."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import parse
from irchat.irc.isupport import isupport_lines, tokens
from irchat.irc.numerics import ServerLines

_EXPECTED = r"""AWAYLEN=300 BOT=B CASEMAPPING=ascii CHANLIMIT=#: CHANMODES=,,,ins CHANNELLEN=33 CHANTYPES=#
CHATHISTORY=500 HOSTLEN=6 KICKLEN=300 MODES=1 MONITOR=100 MSGREFTYPES=msgid,timestamp NAMELEN=100
NETWORK=My\x20chat NICKLEN=32
PREFIX=(ov)@+ SILENCE=1000 TARGMAX=JOIN:,KICK:4,NAMES:1,NOTICE:4,PART:,PRIVMSG:4,TAGMSG:4,WHOIS:1 USERLEN=10
UTF8MAPPING=rfc8265 UTF8ONLY WHOX""".split()  # noqa: SIM905


class IsupportTests(SynchronousTestCase):
    """The lines after the welcome."""

    def test_tokens(self) -> None:
        """They are those of the documentation, with the description of the server."""
        self.assertEqual(tokens("My chat"), _EXPECTED)

    def test_lines(self) -> None:
        """Each line has at most 13 tokens and fits in a line, whatever the description."""
        for network in ("chat", "x" * 1_000, "漢" * 1_000, "a b\r\n\\=:\x7f"):
            found = []
            for data in isupport_lines(ServerLines("irchat"), "a" * 32, network).split(b"\r\n")[:-1]:
                self.assertLessEqual(len(data), 510)
                line = parse(data)
                assert line is not None
                self.assertEqual(line.params[-1], "are supported by this server")
                self.assertLessEqual(len(line.params) - 2, 13)
                found += line.params[1:-1]
            self.assertEqual(found, tokens(network))

    def test_escaping(self) -> None:
        """Characters that a value cannot have are escaped."""
        self.assertIn(r"NETWORK=a\x20b\x0D\x5C\x3D\x7F", tokens("a b\r\\=\x7f"))
