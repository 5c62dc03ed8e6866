"""The list of chats from rows."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import StoredChat
from irchat.store.listed_chats import ListedChat, chat_list, deleted_ends


class ChatListTests(SynchronousTestCase):
    """Ends and order."""

    def test_order_and_keys(self) -> None:
        """The latest chat is first, a private one has its users as key, and is left out if it is empty."""
        rows: list[ListedChat] = [
            (1, None, None, 0, 0, 0, None, 0, 0, 0, None),
            (2, 4, 5, 0, 2, 7, "all", 1, 1, 3, 30),
            (3, 4, 6, 3, 3, 0, None, 0, 0, 3, 40),
        ]
        self.assertEqual(
            chat_list(rows, {}), [StoredChat((4, 5), 3, 30, 2, 1, 7, 1, "all"), StoredChat(1, 0, None, 0, 0)]
        )

    def test_deleted_ends(self) -> None:
        """A chat ends with its last message that is not hidden, also if that was deleted, and markers end there."""
        ends = deleted_ends([(1, 7, 8, 80), (1, 9, 9, 90), (1, 6, 5, 50)], {9})
        self.assertEqual(ends, {1: (8, 80)})
        row: ListedChat = (1, None, None, 0, 9, 0, None, 0, 0, 4, 40)
        self.assertEqual(chat_list([row], ends), [StoredChat(1, 8, 80, 8, 0)])
        self.assertEqual(chat_list([row], {1: (3, 30)}), [StoredChat(1, 4, 40, 4, 0)])
        late: ListedChat = (1, None, None, 8, 9, 0, None, 0, 0, 4, 40)
        self.assertEqual(chat_list([late], ends), [StoredChat(1, 0, None, 0, 0)])
