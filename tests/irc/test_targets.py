"""Targets, msgids and masks."""

import fnmatch
import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.targets import (
    Mask,
    Msgid,
    chat_of,
    clean_realname,
    clean_user,
    is_channel,
    is_mask,
    nick_of_mask,
    parse_msgid,
    prefix,
    same_target,
    service_of,
    target_key,
    target_of,
)
from tests.helpers.strategies import hostile_text, is_hostile


class TargetTests(SynchronousTestCase):
    """Chats and their targets."""

    def test_both_ways(self) -> None:
        """Each kind of chat has its target, which names it again."""
        for chat, target in (
            ("GLOBAL", "#global"),
            ("*team", "#team"),
            ("@bob", "bob"),
            ("@bob#7", "bob#7"),
            ("*Ä", "#Ä"),
        ):
            self.assertEqual((target_of(chat), chat_of(target)), (target, chat))
            self.assertEqual(is_channel(target), chat[0] != "@")

    def test_any_case(self) -> None:
        """GLOBAL is found in any case; other names are left to the server."""
        self.assertEqual([chat_of(target) for target in ("#GLOBAL", "#Global", "#Team")], ["GLOBAL", "GLOBAL", "*Team"])

    def test_no_chat(self) -> None:
        """A target that no chat can have names none."""
        for target in ("", "#", "*", "*x", "@x", "&x", "$x", "+x", "!x", "%x", "*irchat", "NickServ", "x" * 201):
            self.assertIsNone(chat_of(target), target)

    def test_services(self) -> None:
        """Services are found in any case."""
        self.assertEqual([service_of(name) for name in ("*IRChat", "nickserv", "bob")], ["*irchat", "NickServ", None])

    def test_same(self) -> None:
        """Targets compare as names do, and channels with channels."""
        self.assertTrue(same_target("Bob", "bOB"))
        self.assertTrue(same_target("#ÄB", "#äb"))
        self.assertFalse(same_target("#bob", "bob"))
        self.assertFalse(same_target("bob", "rob"))
        self.assertEqual(target_key("#Team"), "#team")

    @given(hostile_text)
    def test_any_text(self, text: str) -> None:
        """Any target is a chat or none."""
        chat = chat_of(text)
        self.assertTrue(chat is None or chat == "GLOBAL" or chat[1:] in text)
        service_of(text)
        is_channel(text)


class PrefixTests(SynchronousTestCase):
    """Sources of lines."""

    @given(hostile_text)
    def test_user(self, text: str) -> None:
        """A user is one word of at most 10 characters that cannot be taken for another part of a prefix."""
        user = clean_user(text)
        self.assertTrue(1 <= len(user) <= 10)
        self.assertIsNone(re.search(r"[\s!@:*?]", user))
        self.assertFalse(any(map(is_hostile, user)))
        self.assertNotIn(" ", prefix("alice", user))

    def test_user_is_kept(self) -> None:
        """Usual users stay as they are."""
        self.assertEqual([clean_user(user) for user in ("alice", "~al", "a.b-c_d[1]", "", "@!", "x" * 11)],
                         ["alice", "~al", "a.b-c_d[1]"[:10], "user", "user", "x" * 10])  # fmt: skip

    @given(hostile_text)
    def test_realname(self, text: str) -> None:
        """A realname is one line of at most 100 characters that no terminal obeys."""
        realname = clean_realname(text)
        self.assertLessEqual(len(realname), 100)
        self.assertFalse(any(map(is_hostile, realname)))


class MsgidTests(SynchronousTestCase):
    """Places of messages."""

    def test_both_ways(self) -> None:
        """A msgid names its chat and its seq, in the three forms."""
        for text, place in (("g-882", ("g", 882)), ("12-5", ("12", 5)), ("3.7-17", ("3.7", 17))):
            self.assertEqual(parse_msgid(text), place)
            self.assertEqual(str(Msgid(*place)), text)

    def test_none(self) -> None:
        """Anything else is none of ours, however it is written."""
        for text in ("", "g", "g-", "g-0", "g-01", "G-1", "-1", "1-", "07-1", "7.3-1", "3.3-1", "3.-1", ".3-1",
                     "g-+1", "g- 1", "g-٣", "g-9223372036854775808", "1" * 19 + "-1", "x" * 4000, "1.2.3-4",
                     "g-1\n"):  # fmt: skip
            self.assertIsNone(parse_msgid(text), text)
        self.assertEqual(parse_msgid("g-9223372036854775807"), ("g", 2**63 - 1))


class MaskTests(SynchronousTestCase):
    """Masks."""

    @given(st.text(st.sampled_from("ab*?"), max_size=8), st.text(st.sampled_from("ab"), max_size=8))
    def test_matching(self, mask: str, name: str) -> None:
        """A mask matches what a pattern of a shell matches."""
        self.assertEqual(Mask(mask).matches(name), fnmatch.fnmatchcase(name, mask))

    def test_case(self) -> None:
        """Case does not matter."""
        self.assertTrue(Mask("AL*É").matches("alicé"))
        self.assertFalse(Mask("[a]*").matches("alice"))

    def test_hostile(self) -> None:
        """Many stars end at once."""
        self.assertFalse(Mask("*a" * 2000).matches("a" * 32))
        self.assertFalse(Mask("*" * 4000 + "b").matches("a" * 32))

    def test_parts(self) -> None:
        """The nick of a mask is what stands before its user and host."""
        self.assertEqual(
            [nick_of_mask(mask) for mask in ("bob!*@*", "bob", "bob@x", "*!*@*", "")], ["bob", "bob", "bob", "*", ""]
        )
        self.assertEqual([is_mask(mask) for mask in ("bob", "b*", "b?b")], [False, True, True])
