"""Parts of names, look-alike names, and new names that are refused."""

import unicodedata

from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.accounts.accounts import Accounts
from irchat.interfaces.stored import Snapshot, StoredGroup, StoredUser
from irchat.interfaces.writes import Entry, UserRemoved
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import fold_name
from irchat.text.names import Lookalikes, check_new_name, fold_part, rank, same_name, skeleton
from tests.helpers.chat import WorldTestCase

_NAME_LIKE = st.text(st.characters(categories=["L", "M", "N", "P"]), max_size=12)
# Pairs of names that look alike, or nearly so.
_ALIKE = (
    ("alice", "ali\u0307ce"),
    ("alice", "ALİCE"),
    ("alice", "a\u033flice"),
    ("alice", "al\u064eice"),
    ("alice", "alice\u302a"),
    ("café", "cafe\u0301\u0307"),
    ("श्री", "श्\u200dरी"),
    ("श्री", "श्\u200cरी"),
    ("नमन", "नमन\u0951"),
    ("हिंदी", "हिंंदी"),
    ("รัก", "รััก"),
    ("نیکنام", "نیک\u200cنام"),
    ("محمد", "مُحَمَّد"),
    ("בראשית", "ב\u0301ראשית"),
    ("太郎", "太\u3099郎"),
)
# Real names in many languages.
_LEGITIMATE = (
    "José", "Nguyễn", "Øyvind", "İsmail", "Işık", "Ọ̀ṣun", "Łukasz", "Ольга", "Йосип", "Ελένη", "Ἀθηνᾶ", "علی",
    "نیک\u200cنام", "مُحَمَّد", "שָׁלוֹם", "श्री", "প্রিয়াঙ্কা", "ශ්\u200dරී", "കൃഷ്ണൻ", "தமிழ்ச்செல்வி", "เกรียงไกร", "ວຽງ", "မြွှေး",
    "ព្រះស្រី", "བསྟནའཛིན",
    "山田太郎", "たなか", "セ\u309a", "김민준", "Խաչատուր", "გიორგი", "አበበ",
)  # fmt: skip


_fired = Deferred.fromCoroutine


class PartTests(SynchronousTestCase):
    """Matching of parts of names."""

    @given(_NAME_LIKE)
    def test_as_the_server_folds(self, name: str) -> None:
        """A complete name folds to the server's key."""
        try:
            key = fold_name(name)
        except Refusal:
            return
        self.assertEqual(fold_part(name), key)
        self.assertTrue(same_name(name, key))

    def test_rank(self) -> None:
        """A name is ranked as equal, by its beginning, or by a part. A prefix sign must match."""
        for typed, name, expected in (
            ("*g1", "*g1", 0), ("*g1", "*g18", 1), ("*g1", "@g1", None), ("g1", "@g1", 0), ("1", "*g18", 2),
            ("*1", "*g18", 2), ("@", "@bob", 1), ("@", "*bob", None), ("", "GLOBAL", 1), ("global", "GLOBAL", 0),
            ("＠ＢＯ", "@bob", 1), ("jose\u0301", "@José", 0), ("JOSÉ", "Jose\u0301", 0), ("x", "@bob", None),
            (" bob ", "@bob", 0),
        ):  # fmt: skip
            self.assertEqual(rank(typed, name), expected, (typed, name))


class SkeletonTests(SynchronousTestCase):
    """Look-alike names."""

    def test_alike(self) -> None:
        """Look-alike names share one skeleton."""
        for one, other in _ALIKE:
            self.assertNotEqual(fold_name(one), fold_name(other))
            self.assertEqual(skeleton(fold_name(one)), skeleton(fold_name(other)), other)

    def test_legitimate(self) -> None:
        """Real names in many languages are accepted, and no two of them share a skeleton."""
        keys = [check_new_name(name) for name in _LEGITIMATE]
        self.assertEqual(len({skeleton(key) for key in keys}), len(_LEGITIMATE))
        for name in _LEGITIMATE:
            self.assertEqual(check_new_name(unicodedata.normalize("NFD", name)), fold_name(name))

    def test_heaped_marks(self) -> None:
        """New names with a heap of marks on a letter are refused, but existing ones still fold."""
        for name in "a\u0305\u0306\u0307", "שְֱֲֳִֵֶַ", "a\u0305\u0306b\u0305\u0306\u0307":
            fold_name(name)
            self.assertEqual(self.assertRaises(Refusal, check_new_name, name).code, Code.BAD_NAME)

    def test_counted(self) -> None:
        """A skeleton is in use as long as one of its names is."""
        names = Lookalikes()
        for key in "alice", "ali\u0307ce", "a\u0305lice":
            names.add(key)
        self.assertIn("alice", names)
        names.remove("alice")
        names.remove("ali\u0307ce")
        self.assertIn("alice", names)
        names.remove("a\u0305lice")
        self.assertNotIn("alice", names)


class CreationTests(WorldTestCase):
    """New users and groups."""

    names = ("alice", "श्री")

    def test_users(self) -> None:
        """A name that looks like that of another user is refused, with and without passwords."""
        world = self.world
        for passwords in True, False:
            accounts = Accounts(
                world.directory, world.chat.queue, world.store, maybeDeferred, world.wall_ms,
                passwords=passwords, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
            )  # fmt: skip
            for name in "ali\u0307ce", "श्\u200dरी", "ALİCE":
                ask = accounts.register if passwords else accounts.login
                refusal = self.refused(Code.BAD_NAME, _fired, ask(name, "longenough"))
                self.assertIn("looks like a name in use", refusal.text)

    def test_groups(self) -> None:
        """A group may have the name of a user, but not one that looks like another group's."""
        groups = self.world.chat.groups
        alice = self.world["alice"]
        self.done(groups.create(alice, "ali\u0307ce", [], None))
        for name in "alice", "ALİCE", "ali\u0305ce":
            self.refused(Code.GROUP_EXISTS, groups.create, alice, name, [], None)
        self.done(groups.remove(alice, "ali\u0307ce", "alice", None))
        self.done(groups.create(alice, "alice", [], None))

    def test_prefix(self) -> None:
        """Users are listed by the start of their name, and GLOBAL is found, in any composition, case and width."""
        self.world.add_user("José")
        for prefix in "jose\u0301", "ＪＯＳÉ", "Jos":
            self.assertEqual(self.world.chat.users(prefix, 9).offline, ["José"], prefix)
        for prefix in "josex", "É" * 30_000:
            self.assertEqual(self.world.chat.users(prefix, 9).offline, [])
        everyone = self.world.directory.chat(self.world["alice"], "GLOBAL")
        for name in "global", "ＧＬＯＢＡＬ":
            self.assertIdentical(self.world.directory.chat(self.world["alice"], name), everyone)

    def test_there_already(self) -> None:
        """Existing users and groups keep working, whatever their names."""
        keys = [fold_name(name) for name in ("alice", "ali\u0307ce", "a\u0305\u0306\u0307b")]
        users = [StoredUser(number, key, key, False) for number, key in enumerate(keys, 1)]
        snapshot = Snapshot(users, [StoredGroup(7, keys[1], keys[1], 1, [1, 2])], [], [])
        directory = type(self.world.directory)(snapshot)
        for user in users:
            self.assertEqual(directory.user(user.name).id, user.id)
        self.assertEqual(directory.group(directory.users[1], keys[1]).id, 7)
        self.assertEqual([user.id for user in directory.users_by_name("a")], [1, 2, 3])
        directory.apply(Entry(UserRemoved(1, "alice#1", "alice#1", 0, ((7, 2),))))
        directory.apply(Entry(UserRemoved(2, "x#2", "x#2", 0, ((7, None),))))
        self.assertEqual(directory.new_user_key("alice"), "alice")
