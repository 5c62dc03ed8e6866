"""Messages as lines of IRC: tags by capabilities, long texts, texts of several lines, ACTION."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import TEXT_BYTES, parse
from irchat.irc.multiline import Piece
from irchat.server.protocols.irc.talk.message_lines import (
    Extras,
    Flavour,
    ShownMessage,
    flavour_of,
    is_short,
    message_lines,
    short_line,
)

AT = "2026-11-22T14:03:05.120Z"
ALL = Flavour(time=True, tags=True, account=True)


def shown(text: str, **fields: object) -> ShownMessage:
    """Return a message of alice to #team."""
    known = {"command": "PRIVMSG", "source": "alice!al@irchat", "sender": "alice", "target": "#team", "at": AT}
    return ShownMessage(**{**known, "text": text, "msgid": "12-5", **fields})  # type: ignore[arg-type]


def lines(text: str, flavour: Flavour = ALL, **fields: object) -> list[str]:
    """Return the lines of a message."""
    return message_lines(flavour, shown(text, **fields)).decode().split("\r\n")[:-1]


class FlavourTests(SynchronousTestCase):
    """The capabilities that count."""

    def test_caps(self) -> None:
        """Each capability is a field; multiline needs batch."""
        self.assertEqual(flavour_of({"sasl"}), Flavour())
        self.assertEqual(flavour_of({"server-time"}), Flavour(time=True))
        self.assertEqual(flavour_of({"message-tags"}), Flavour(tags=True))
        self.assertEqual(flavour_of({"account-tag"}), Flavour(account=True))
        self.assertEqual(flavour_of({"draft/multiline"}), Flavour())
        self.assertEqual(flavour_of({"draft/multiline", "batch"}), Flavour(multiline=True))

    def test_no_passwords(self) -> None:
        """A server without passwords claims no account."""
        self.assertEqual(flavour_of({"account-tag"}, claims_accounts=False), Flavour())


class OneLineTests(SynchronousTestCase):
    """A message that takes one line."""

    def test_eight_classes(self) -> None:
        """Tags appear by the capabilities, in eight ways, the id only with all tags."""
        time, account, msgid = f"time={AT}", "account=alice", "msgid=12-5"
        for flavour, tags in {
            Flavour(): [],
            Flavour(time=True): [time],
            Flavour(account=True): [account],
            Flavour(tags=True): [msgid],
            Flavour(time=True, account=True): [time, account],
            Flavour(time=True, tags=True): [time, msgid],
            Flavour(tags=True, account=True): [account, msgid],
            ALL: [time, account, msgid],
        }.items():
            head = f"@{';'.join(tags)} " if tags else ""
            self.assertEqual(lines("hi", flavour), [f"{head}:alice!al@irchat PRIVMSG #team :hi"])

    @given(st.text(min_size=1, max_size=130), st.tuples(*[st.booleans()] * 4), st.booleans())
    def test_short(self, text: str, caps: tuple[bool, bool, bool, bool], is_bot: bool) -> None:
        """The short way makes the same line of a short text as the long one."""
        message = shown(text, is_bot=is_bot)
        if is_short(text) and text.isprintable():
            fields = message.command, message.source, message.sender, message.target, message.at, text, message.msgid
            flavour = Flavour(*caps)
            self.assertEqual(short_line(flavour, *fields, is_bot), message_lines(flavour, message))

    def test_which_are_short(self) -> None:
        """Most texts are short, up to as many characters as fit on a line whatever they are."""
        for text in "hi", "a/me #17", "\U0001f44d" * 125:
            self.assertTrue(is_short(text), text)

    def test_not_short(self) -> None:
        """Actions, replies, and texts of several or long lines take the long way."""
        for text in "/me waves", "#17 yes", "a\nb", "x" * 126:
            self.assertFalse(is_short(text), text)

    def test_bot_reply_and_client_tags(self) -> None:
        """A bot, a reply and the tags of the sender's client are tags too, for clients with tags only."""
        fields = {"is_bot": True, "reply": "12-3", "extras": Extras({"+a": "b c"})}
        line = "@bot;+draft/reply=12-3;+a=b\\sc;msgid=12-5 :alice!al@irchat PRIVMSG #team :hi"
        self.assertEqual(lines("hi", Flavour(tags=True), **fields), [line])
        self.assertEqual(lines("hi", Flavour(), **fields), [":alice!al@irchat PRIVMSG #team :hi"])

    def test_no_message(self) -> None:
        """A line that is no message of its own has no id."""
        self.assertEqual(lines("hi", Flavour(tags=True), msgid=""), [":alice!al@irchat PRIVMSG #team :hi"])

    def test_notice(self) -> None:
        """A notice is a NOTICE."""
        self.assertEqual(lines("hi", Flavour(), command="NOTICE"), [":alice!al@irchat NOTICE #team :hi"])

    def test_action(self) -> None:
        """A text of one line that begins with /me is an ACTION, long ones several. A text of two lines is none."""
        self.assertEqual(lines("/me waves", Flavour()), [":alice!al@irchat PRIVMSG #team :\1ACTION waves\1"])
        self.assertEqual(lines("/mewaves", Flavour()), [":alice!al@irchat PRIVMSG #team :/mewaves"])
        long = lines("/me " + "word " * 150, Flavour())
        self.assertEqual(len(long), 2)
        for line in long:
            self.assertRegex(line, ":\1ACTION (word ?)+\1$")
            self.assertLessEqual(len(line.partition(" :")[2]), TEXT_BYTES)
        self.assertNotIn("\1", "".join(lines("/me waves\nand more", Flavour())))


class LongTests(SynchronousTestCase):
    """Messages that take several lines."""

    def test_line_feeds(self) -> None:
        """Without multiline each line of the text is one line, without empty ones. The id is on the first only."""
        self.assertEqual(
            lines("one\n\ntwo\n"),
            [
                f"@time={AT};account=alice;msgid=12-5 :alice!al@irchat PRIVMSG #team :one",
                f"@time={AT};account=alice :alice!al@irchat PRIVMSG #team :two",
            ],
        )

    def test_many_lines(self) -> None:
        """A text of thousands of lines takes few: it goes to many sessions, and each line has a prefix and tags."""
        for text in "x\n" * 2_000, "\n" * 3_999 + "x":
            for flavour in Flavour(), Flavour(multiline=True):
                found = lines(text, flavour)
                self.assertLess(len(found), 140)
                self.assertTrue(found[-1 - flavour.multiline].endswith(("x", "\u240a")))

    def test_long_tags(self) -> None:
        """Tags of a client are on each line, unless that would make a message much longer."""
        for size, repeated in (10, 100), (4_000, 1):
            found = lines("\n".join("x" * 100), ALL, extras=Extras({"+a": "y" * size}))
            self.assertEqual((len(found), sum(";+a=y" in line for line in found)), (100, repeated))

    def test_tags_for_clients_without_them(self) -> None:
        """Clients without tags get a text of many lines with none of the tags of its sender."""
        text, at = "\n".join("x" * 100), "9" * 200
        for flavour, head in (Flavour(), ":alice"), (Flavour(time=True), f"@time={at} :alice"):
            found = lines(text, flavour, at=at, extras=Extras({"+a": "y" * 200}))
            self.assertEqual((len(found), all(line.startswith(head) for line in found)), (100, True))
        self.assertEqual(len(lines(text, Flavour(tags=True))), 100)

    def test_cut(self) -> None:
        """A long line is cut at a space, inside no character."""
        found = lines("ä" * 200 + " " + "ö" * 200, Flavour())
        self.assertEqual([line.partition(" :")[2] for line in found], ["ä" * 200 + " ", "ö" * 200])

    @given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=4_000))
    def test_nothing_is_lost(self, text: str) -> None:
        """However a text is cut, its pieces are the text, and no line has more than 500 bytes of it."""
        pieces = []
        for line in message_lines(Flavour(), shown(f"x{text}")).split(b"\r\n")[:-1]:
            parsed = parse(line, 1_000)
            assert parsed is not None
            pieces.append(parsed.params[1])
            self.assertLessEqual(len(pieces[-1].encode()), TEXT_BYTES)
        self.assertEqual("".join(pieces), f"x{text}")

    def test_batch(self) -> None:
        """With multiline a text is one batch, with its tags on the first line."""
        self.assertEqual(
            lines(f"one\n\n{'x' * 600}", Flavour(tags=True, multiline=True), msgid="3.7-5", target="bob"),
            [
                "@msgid=3.7-5 :alice!al@irchat BATCH +m3-7-5 draft/multiline bob",
                "@batch=m3-7-5 :alice!al@irchat PRIVMSG bob :one",
                "@batch=m3-7-5 :alice!al@irchat PRIVMSG bob :",
                f"@batch=m3-7-5 :alice!al@irchat PRIVMSG bob :{'x' * 500}",
                f"@batch=m3-7-5;draft/multiline-concat :alice!al@irchat PRIVMSG bob :{'x' * 100}",
                ":alice!al@irchat BATCH -m3-7-5",
            ],
        )

    def test_longest_line(self) -> None:
        """A text of exactly one line is no batch, one of a byte more is, also if its characters are wide."""
        multiline = Flavour(multiline=True)
        for text in "x" * TEXT_BYTES, "ä" * (TEXT_BYTES // 2):
            self.assertEqual(lines(text, multiline), [f":alice!al@irchat PRIVMSG #team :{text}"])
            self.assertIn(" BATCH ", lines(f"{text}x", multiline)[0])

    def test_pieces(self) -> None:
        """The lines of a multiline message are kept as they were sent."""
        extras = Extras(pieces=[Piece("on"), Piece("e", True), Piece("two")])
        found = lines("one\ntwo", Flavour(multiline=True), extras=extras)
        self.assertEqual(found[0], ":alice!al@irchat BATCH +m12-5 draft/multiline #team")
        self.assertEqual(
            [line.partition(" :alice!al@irchat ")[0::2] for line in found[1:-1]],
            [
                ("@batch=m12-5", "PRIVMSG #team :on"),
                ("@batch=m12-5;draft/multiline-concat", "PRIVMSG #team :e"),
                ("@batch=m12-5", "PRIVMSG #team :two"),
            ],
        )

    def test_short_is_no_batch(self) -> None:
        """A message of one line, and an ACTION, is no batch."""
        self.assertEqual(lines("hi", Flavour(multiline=True)), [":alice!al@irchat PRIVMSG #team :hi"])
        self.assertNotIn("BATCH", "".join(lines("/me " + "word " * 150, Flavour(multiline=True))))
