"""Entries as bytes."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces import writes
from irchat.interfaces.entry_codec import LOGGED, VERSION, UnknownEntry, decode, encode, is_logged, version_of
from irchat.interfaces.stored import Marker, PlacedMark, Stored, StoredBan, StoredChange
from irchat.interfaces.writes import Entry
from irchat.protocol.errors import Code

_CHANGE = StoredChange(3, 2, 1, 10, 9, True, True, frozenset({5}))
_ENTRIES = [
    Entry(writes.UserCreated("Bob", "bob", None, 1, None), 7),
    Entry(writes.PasswordSet(1, "", None, "goodbye")),
    Entry(writes.MessageEdited((1, 2), 3, 1, "new", 10, 0, frozenset({4})), _CHANGE),
    Entry(writes.MessageDeleted(1, None, None, 10, True), _CHANGE),
    Entry(writes.MarkSet(1, 3, 1, "+1", "+1", None, 10), _CHANGE),
    Entry(writes.AlertSet((1, 2), 1, "none")),
    Entry(writes.MarkerMoved(1, (1, 2), 9, 8), Marker(9, 9, True)),
    Entry(writes.GroupCreated("Team", "team", (2, 1), 1), 4),
    Entry(writes.MemberAdded(4, 3, 1)),
    Entry(writes.MemberRemoved(4, 3, 1, 1)),
    Entry(writes.GroupRemoved(4)),
    Entry(writes.BlockSet(1, 2, True)),
    Entry(writes.UserRemoved(1, "a#1", "a#1", 1, ((4, None), (5, 2)))),
    Entry(writes.SessionsEnded(1, "goodbye")),
    Entry(writes.BanSet(StoredBan(None, "192.0.2.0/24", None, "spam"), 1)),
    Entry(writes.BanRemoved(1, None)),
    Entry(writes.MarksRemoved((PlacedMark((1, 2), 3, 1, "OK", "ok"),), 10), (_CHANGE,)),
    Entry(writes.SignInEnded(1, b"", "0123456789abcdef", "goodbye")),
    Entry(writes.OtherSignInsEnded(1, None, "goodbye")),
    Entry(writes.KeyRemoved(1, "SHA256:x", "0123456789abcdef", "goodbye"), True),
]


class CodecTests(SynchronousTestCase):
    """The codec of the log."""

    def test_all(self) -> None:
        """Every logged entry is decoded as it was encoded."""
        self.assertEqual({type(entry.write) for entry in _ENTRIES}, set(LOGGED))
        for entry in _ENTRIES:
            self.assertTrue(is_logged(entry), entry)
            decoded = decode(encode(entry))
            self.assertEqual(decoded, entry)
            self.assertEqual(type(decoded.result), type(entry.result))

    def test_versions(self) -> None:
        """Each kind of entry has the version that brought it: one without is written to nodes that cannot read it."""
        versions = [version_of(write) for write in LOGGED]
        self.assertEqual((versions, VERSION), ([1] * 17 + [2, 2, 3], 3))

    def test_secrets(self) -> None:
        """No password hash and no token is in the log."""
        created: Any = encode(Entry(writes.UserCreated("b", "b", "$hash", 1, b"s3cr3t"), 1))
        changed = encode(Entry(writes.PasswordSet(1, "$hash", b"s3cr3t", "")))
        ended = encode(Entry(writes.SignInEnded(1, b"s3cr3t", "id", "")))
        others = encode(Entry(writes.OtherSignInsEnded(1, b"s3cr3t", "")))
        for secret in b"$hash", b"s3cr3t":
            self.assertNotIn(secret, created + changed + ended + others)

    def test_not_logged(self) -> None:
        """Messages, tokens, refused changes and markers that stayed are not entries of the log."""
        for entry in (
            Entry(writes.MessageAdded(1, 1, "x", 1, None, 0), Stored(1, 1, 1, False)),
            Entry(writes.TokenRemoved(b"t")),
            Entry(writes.KeyUsed(1, "SHA256:x", 1), True),
            Entry(writes.KeyRemoved(1, "SHA256:x", "id", "goodbye"), False),
            Entry(writes.MarkerMoved(1, 1, 1), Marker(1, 1, False)),
            Entry(writes.MessageDeleted(1, 1, 1, 1), StoredChange(refusal=Code.NOT_YOURS)),
            Entry(writes.MarkSet(1, 3, 1, "+1", "+1", True, 10), StoredChange(is_new=False)),
        ):
            self.assertFalse(is_logged(entry), entry)

    def test_newer(self) -> None:
        """An unknown or unreadable entry is refused."""
        for data in b"", b"\xff", encode(_ENTRIES[0])[:1], encode(_ENTRIES[0])[:-1]:
            self.assertRaises(UnknownEntry, decode, data)
