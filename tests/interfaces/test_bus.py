"""Publications as plain values."""

import gc

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import MemberIds, Publication, sign_in_id
from irchat.protocol.events import Ok


class PublicationTests(SynchronousTestCase):
    """`Publication` and `MemberIds`."""

    def test_value(self) -> None:
        """A publication compares by value and costs the garbage collector nothing."""
        publication = Publication(Ok(), (1, 2), origin=3)
        self.assertEqual(publication, Publication(Ok(), (1, 2), origin=3))
        self.assertFalse(gc.is_tracked(publication))

    def test_sign_in_id(self) -> None:
        """Each token has an id of its own, which does not contain it."""
        ids = [sign_in_id(token) for token in (b"a" * 32, b"b" * 32)]
        self.assertEqual([len(one) for one in {*ids}], [16, 16])
        self.assertNotIn((b"a" * 32).hex()[:16], ids)

    def test_member_ids(self) -> None:
        """The ids of a group are found again in a cache when they are the same, whichever object they are."""
        self.assertEqual({MemberIds({1, 2}): "cached"}[MemberIds([2, 1])], "cached")
