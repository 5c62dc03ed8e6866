"""Publications as plain values."""

import gc

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import MemberIds, Publication
from irchat.protocol.events import Ok


class PublicationTests(SynchronousTestCase):
    """`Publication` and `MemberIds`."""

    def test_value(self) -> None:
        """A publication compares by value and costs the garbage collector nothing."""
        publication = Publication(Ok(), (1, 2), origin=3)
        self.assertEqual(publication, Publication(Ok(), (1, 2), origin=3))
        self.assertFalse(gc.is_tracked(publication))

    def test_member_ids(self) -> None:
        """The ids of a group are found again in a cache when they are the same, whichever object they are."""
        self.assertEqual({MemberIds({1, 2}): "cached"}[MemberIds([2, 1])], "cached")
