"""Writes and entries as plain values."""

import gc
from functools import reduce
from operator import or_
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import StoredBan
from irchat.interfaces.writes import BanSet, Entry, GroupCreated, MessageAdded, UserCreated, UserRemoved, Write


class WriteTests(SynchronousTestCase):
    """Writes as a log could hold them."""

    def test_encoded(self) -> None:
        """Each write can be told from all others and decoded from its bytes, alone among all kinds of them."""
        any_write: Any = reduce(or_, Write.__subclasses__())
        for write in (
            UserCreated("bob", "bob", None, 1, b"\0\xff"),
            GroupCreated("team", "team", (2, 1), 1),
            MessageAdded((1, 2), 1, "hi", 1, None, 0),
            BanSet(StoredBan(None, "192.0.2.0/24", None, "spam"), 1),
            UserRemoved(2, "bob#2", "bob#2", 1, ((7, None), (8, 1))),
        ):
            self.assertEqual(msgspec.msgpack.decode(msgspec.msgpack.encode(write), type=any_write), write)

    def test_values(self) -> None:
        """Writes and entries compare by value, cannot be changed, and cost the garbage collector nothing."""
        entry = Entry(GroupCreated("team", "team", (2, 1), 1), 7)
        self.assertEqual(entry, Entry(GroupCreated("team", "team", (2, 1), 1), 7))
        for value in entry, entry.write:
            self.assertFalse(gc.is_tracked(value))
            self.assertRaises(AttributeError, setattr, value, "name", "crew")
