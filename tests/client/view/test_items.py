"""The items in the pane of a chat."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.items import AFTER_ALL, Item, Kind


class ItemTests(SynchronousTestCase):
    """`Item`."""

    def test_talk(self) -> None:
        """Messages, also those on their way, are users' talk; the client's own lines are not."""
        talk = [kind for kind in Kind if Item(kind, (0, 0, 0), "text").is_talk]
        self.assertEqual(talk, [Kind.MESSAGE, Kind.PENDING])

    def test_equal_items(self) -> None:
        """Two items that are alike are not one: removing one leaves the other."""
        first, second = (Item(Kind.NOTE, (0, 0, 0), "connected") for _ in range(2))
        items = [first, second]
        items.remove(second)
        self.assertIs(items[0], first)

    def test_order(self) -> None:
        """The key after all sorts behind every stored message."""
        self.assertGreater((AFTER_ALL, 0, 0), (2**63 - 1, 2, 99))
