"""Ids of messages that do not depend on the reader."""

from hypothesis import given
from hypothesis import strategies as st

from irchat.chat.state.directory import Directory
from irchat.chat.state.message_ids import find_message, message_id, read_message_id
from irchat.interfaces.stored import GLOBAL, ChatKey, Snapshot, StoredUser
from tests.helpers.chat import WorldTestCase

_NUMBERS = st.integers(1, 10**18 - 1)
_CHATS = _NUMBERS | st.tuples(_NUMBERS, _NUMBERS).filter(lambda pair: pair[0] < pair[1])


class MessageIdTests(WorldTestCase):
    """`message_id`, `read_message_id` and `find_message`, with three users and a group of two."""

    def test_forms(self) -> None:
        """GLOBAL is g, a group its number, a private chat the numbers of its users, ascending."""
        ids = [message_id(chat, seq) for chat, seq in ((GLOBAL, 882), (12, 5), ((3, 7), 17))]
        self.assertEqual(ids, ["g-882", "12-5", "3.7-17"])

    @given(_CHATS, _NUMBERS)
    def test_back(self, chat: ChatKey, seq: int) -> None:
        """An id names one message."""
        self.assertEqual(read_message_id(message_id(chat, seq)), (chat, seq))

    def test_none(self) -> None:
        """Any other text is no id, also in another spelling."""
        for text in (
            "", "g", "g-", "g-0", "g-01", "G-1", "-1", "1-1", "02-1", "7.3-1", "3.3-1", "3.7", "3.7.9-1", "g-1 ",
            " g-1",
            "g-1\n", "g-\u0661", "2-" + "9" * 19, "12345678901234567890-1", "2--1",
        ):  # fmt: skip
            self.assertIsNone(read_message_id(text), text)

    @given(st.text("g-.0123456789", max_size=12))
    def test_canonical(self, text: str) -> None:
        """A valid id is spelled as it is written."""
        found = read_message_id(text)
        if found is not None:
            self.assertEqual(message_id(*found), text)

    def test_only_two_users(self) -> None:
        """The only two users have a private chat, and each other one would need an unknown user."""
        directory = Directory(Snapshot([StoredUser(3, "alice", "alice"), StoredUser(7, "bob", "bob")], [], []))
        found = find_message(directory, directory.users[3], "3.7-1")
        assert found is not None
        self.assertEqual((found[0].key, found[1]), ((3, 7), 1))
        self.assertIsNone(find_message(directory, directory.users[3], "3.8-1"))

    def test_found(self) -> None:
        """A reader finds messages of its own chats. Others look like chats that do not exist."""
        self.done(self.world.chat.groups.create(self.world["alice"], "team", ["bob"], None))
        (team,) = self.world["alice"].groups
        directory = self.world.directory
        alice, bob, carol = (self.world[name] for name in self.names)
        pair = f"{alice.id}.{bob.id}-3"
        for reader in alice, bob:
            for text, key in (("g-9", GLOBAL), (f"{team}-4", team), (pair, (alice.id, bob.id))):
                found = find_message(directory, reader, text)
                assert found is not None
                self.assertEqual((found[0].key, message_id(found[0].key, found[1])), (key, text))
        for text in f"{team}-4", pair, "77-1", f"{carol.id}.99-1", "nonsense":
            self.assertIsNone(find_message(directory, carol, text), text)
