"""The table of errors, row by row."""

from irchat.protocol import events
from irchat.protocol.errors import Code
from irchat.server.protocols.irc.refusals import refused
from tests.helpers.irc import IRCTestCase


class RefusalTests(IRCTestCase):
    """`refused`."""

    def setUp(self) -> None:
        """Sign in."""
        super().setUp()
        self.protocol = self.irc("alice").connection.session.protocol

    def said(self, code: Code, command: str, *context: str) -> str:
        """Return the beginning of the answer, up to its text."""
        line = refused(self.protocol, command, events.Error(code=code.value, text="Why."), *context).decode()
        return line.removeprefix(":irchat ").partition(" :")[0].rstrip("\r\n")

    def test_table(self) -> None:
        """Each code is said as the contract lists it."""
        for code, command, context, expected in (
            (Code.NO_SUCH_USER, "PRIVMSG", ("bob",), "401 alice bob"),
            (Code.NO_SUCH_GROUP, "PRIVMSG", ("#x",), "403 alice #x"),
            (Code.NO_SUCH_CHAT, "PRIVMSG", ("#x",), "403 alice #x"),
            (Code.NO_SUCH_GROUP, "KICK", ("bob", "#x"), "403 alice #x"),
            (Code.NO_SUCH_GROUP, "PART", ("#x",), "442 alice #x"),
            (Code.NO_SUCH_GROUP, "INVITE", ("bob", "#x"), "442 alice #x"),
            (Code.GROUP_EXISTS, "JOIN", ("#x",), "473 alice #x"),
            (Code.BAD_NAME, "NICK", ("a-b",), "432 alice a-b"),
            (Code.BAD_NAME, "JOIN", ("#a-b",), "403 alice #a-b"),
            (Code.EMPTY_TEXT, "PRIVMSG", ("bob",), "412 alice"),
            (Code.TEXT_TOO_LONG, "PRIVMSG", ("bob",), "FAIL PRIVMSG TEXT_TOO_LONG bob"),
            (Code.BAD_ENCODING, "PRIVMSG", (), "FAIL PRIVMSG INVALID_UTF8"),
            (Code.LINE_TOO_LONG, "*", (), "417 alice"),
            (Code.BAD_REQUEST, "INVITE", ("bob",), "461 alice INVITE"),
            (Code.NOT_LOGGED_IN, "JOIN", (), "451 alice"),
            (Code.BANNED, "PASS", (), "465 alice"),
            (Code.ALREADY_A_MEMBER, "INVITE", ("bob", "#x"), "443 alice bob #x"),
            (Code.NOT_A_MEMBER, "KICK", ("bob", "#x"), "441 alice bob #x"),
            (Code.NOT_THE_OWNER, "KICK", ("bob", "#x"), "482 alice #x"),
            (Code.BLOCKED, "PRIVMSG", ("bob",), "531 alice bob"),
            (Code.YOURSELF, "PRIVMSG", ("alice",), "531 alice alice"),
            (Code.BLOCKED, "INVITE", ("bob", "#x"), "FAIL INVITE BLOCKED bob #x"),
            (Code.TOO_MANY, "JOIN", ("#x",), "405 alice #x"),
            (Code.TOO_MANY, "INVITE", ("bob", "#x"), "FAIL INVITE TOO_MANY bob #x"),
            (Code.UNAVAILABLE, "PRIVMSG", ("bob",), "FAIL PRIVMSG UNAVAILABLE bob"),
            (Code.INTERNAL, "KICK", ("bob", "#x"), "400 alice KICK"),
            (Code.BAD_CREDENTIALS, "PASS", (), "464 alice"),
            (Code.TOO_MANY_TRIES, "PASS", (), "464 alice"),
            (Code.ALREADY_LOGGED_IN, "PASS", (), "462 alice"),
            (Code.NO_SUCH_MESSAGE, "REDACT", ("#x", "g-1"), "FAIL REDACT UNKNOWN_MSGID #x g-1"),
            (Code.NOT_YOURS, "REDACT", ("#x", "g-1"), "FAIL REDACT REDACT_FORBIDDEN #x g-1"),
            (Code.TOO_LATE, "REDACT", ("#x", "g-1"), "FAIL REDACT REDACT_WINDOW_EXPIRED #x g-1"),
        ):
            self.assertEqual(self.said(code, command, *context), expected, code)

    def test_texts(self) -> None:
        """Where the usual text of a numeric does not say why, the answer says it."""
        for code, command, is_said in (
            (Code.BAD_NAME, "NICK", True), (Code.BANNED, "PASS", True), (Code.TOO_MANY, "JOIN", True),
            (Code.INTERNAL, "KICK", True), (Code.NO_SUCH_USER, "PRIVMSG", False), (Code.BLOCKED, "PRIVMSG", False),
        ):  # fmt: skip
            line = refused(self.protocol, command, events.Error(code=code.value, text="Why."), "x").decode()
            self.assertEqual(line.endswith(" :Why.\r\n"), is_said, line)

    def test_every_code(self) -> None:
        """No code is without an answer."""
        for code in Code:
            self.assertRegex(self.said(code, "X", "y"), r"\A([0-9]{3} alice|FAIL X [A-Z_0-9]+)")
