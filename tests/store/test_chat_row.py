"""The row of a chat."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.store.chat_row import ChatRow


class ChatRowTests(SynchronousTestCase):
    """`ChatRow`."""

    def test_next_time(self) -> None:
        """Times rise, however far the clock is behind."""
        row = ChatRow(1, 1, 5_000, 0)
        self.assertEqual([row.next_at(now) for now in (5_002, 5_001, 5_000, 4_000, 0)], [5_002, *[5_001] * 4])
        self.assertEqual(ChatRow(1, 0, None, 0).next_at(7), 7)
