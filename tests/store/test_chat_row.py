"""The row of a chat."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.store.chat_row import ChatRow


class ChatRowTests(SynchronousTestCase):
    """`ChatRow`."""

    def test_next_time(self) -> None:
        """Times rise, but by a second at most beyond the clock."""
        row = ChatRow(1, 1, 5_000, 0)
        self.assertEqual([row.next_at(now) for now in (5_001, 5_000, 4_001, 4_000)], [5_001, 5_001, 5_001, 5_000])
        self.assertEqual(ChatRow(1, 0, None, 0).next_at(7), 7)
