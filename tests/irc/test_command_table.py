"""The table of commands: parameters, and what is allowed when."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.command_table import COMMANDS, Phase, Treatment, Verdict, check
from irchat.irc.irc_lines import Line, parse
from irchat.irc.numerics import ServerLines

_LINES = ServerLines("irchat")


def _check(text: str, phase: Phase = Phase.SIGNED_IN) -> Verdict:
    line = parse(text.encode())
    assert line is not None
    return check(line, phase, "alice", _LINES)


def _words(text: str) -> set[str]:
    return set(text.split())


class CheckTests(SynchronousTestCase):
    """The check before a command runs."""

    def test_parameters(self) -> None:
        """Too few parameters are refused as IRC does it for each command."""
        for text, refusal in (
            ("JOIN", b"461 alice JOIN :Not enough parameters"),
            ("USER a b c", b"461 alice USER :Not enough parameters"),
            ("NICK", b"431 alice :No nickname given"),
            ("WHOIS", b"431 alice :No nickname given"),
            ("PRIVMSG", b"411 alice :No recipient given (PRIVMSG)"),
            ("PRIVMSG bob", b"412 alice :No text to send"),
            ("KICK #team", b"461 alice KICK :Not enough parameters"),
            ("INVITE bob", b"461 alice INVITE :Not enough parameters"),
            ("RENAME #a #b", b"421 alice RENAME :Unknown command"),
            ("STARTTLS", b"421 alice STARTTLS :Unknown command"),
            ("B:AD", b"421 alice B:AD :Unknown command"),
        ):
            self.assertEqual(_check(text), Verdict(False, b":irchat %b\r\n" % refusal), text)
        self.assertTrue(_check("INVITE").runs)
        self.assertEqual(_check("NOTICE"), Verdict(False), "a NOTICE is never answered")
        self.assertEqual(_check("NOTICE bob"), Verdict(False))

    def test_signed_in(self) -> None:
        """Each command runs with as many parameters as it needs."""
        for spec in COMMANDS.values():
            line = Line({}, "", spec.name, ["x"] * spec.fewest)
            self.assertTrue(check(line, Phase.SIGNED_IN, "alice", _LINES).runs, spec.name)

    def test_before(self) -> None:
        """Before registration the rest is 451, unknown commands too."""
        for text in ("JOIN :", "PRIVMSG bob :hi", "MOTD", "LUSERS", "NONE", "PRIVMSG", "WHO *"):
            self.assertEqual(
                _check(text, Phase.BEFORE).refusal, b":irchat 451 alice :You have not registered\r\n", text
            )
        names = {spec.name for spec in COMMANDS.values() if spec.before}
        self.assertEqual(
            names,
            _words("CAP NICK USER PASS AUTHENTICATE REGISTER VERIFY PING PONG QUIT ISUPPORT AWAY"),
        )

    def test_waiting_room(self) -> None:
        """In the waiting room some run, some are ignored, and the rest is 477."""
        by_treatment: dict[Treatment, set[str]] = {treatment: set() for treatment in Treatment}
        for spec in COMMANDS.values():
            by_treatment[spec.waiting].add(spec.name)
        self.assertEqual(
            by_treatment[Treatment.RUN],
            _words(
                "CAP NICK USER PASS PING PONG QUIT AUTHENTICATE REGISTER VERIFY AWAY ISUPPORT LUSERS MOTD VERSION TIME "
                "HELP HELPOP INFO ADMIN PRIVMSG NICKSERV NS"
            ),
        )
        self.assertEqual(
            by_treatment[Treatment.SWALLOW],
            _words("MODE WHO MONITOR USERHOST ISON NOTICE TAGMSG"),
        )
        self.assertEqual(_check("MODE alice +i", Phase.WAITING), Verdict(False))
        for text, context in (("JOIN #team", b"#team"), ("LIST", b"LIST"), ("NONE :a b", b"*")):
            self.assertEqual(
                _check(text, Phase.WAITING).refusal,
                b":irchat 477 alice %b :Sign in first: /msg NickServ HELP\r\n" % context,
            )
