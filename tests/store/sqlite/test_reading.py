"""Where chats end for each of their readers, and the times of their messages: a part of what every store must do."""

from pathlib import Path
from types import ModuleType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import Store
from irchat.interfaces.stored import GLOBAL, ChatKey, Marker, StoredChat
from irchat.interfaces.writes import MarkerMoved, MemberAdded, MessagesDeleted, NonceSought, UserRemoved
from irchat.store.sqlite import reading
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from tests.helpers.stores import NOW, StoreHands, message


class EndsContract(StoreHands):
    """The contract of stores for reading, as `StoreHands` calls it.

    ``characters_of_places``: the module and the name of the limit of `Store.messages_of`.
    """

    characters_of_places: tuple[ModuleType, str] = reading, "DELETED_CHARACTERS"
    patch: Any

    def test_hidden_end(self) -> None:
        """The end of a chat, its time and its place in the list are those of the last message that is not hidden."""
        team = self.team(self.carol, self.alice, self.bob)
        self.write(
            message(GLOBAL, self.carol, at=NOW),
            message(team, self.carol, at=NOW + 10),
            message(GLOBAL, self.bob, at=NOW + 20),
            message(GLOBAL, self.bob, at=NOW + 30),
        )
        self.assertEqual([state.chat for state in self.chats(self.alice)], [GLOBAL, team])
        expected = [StoredChat(team, 1, NOW + 10, 0, 1), StoredChat(GLOBAL, 1, NOW, 0, 1)]
        self.assertEqual(self.chats(self.alice, [self.bob]), expected)
        self.write(message(GLOBAL, self.bob, at=NOW + 40), message(team, self.bob, at=NOW + 50))
        self.assertEqual(self.chats(self.alice, [self.bob]), expected)
        self.assertEqual(self.page(self.alice, GLOBAL, hidden=[self.bob]).end, 1)
        self.assertEqual(self.page(self.alice, GLOBAL).end, 4)
        self.write(message(team, self.carol, at=NOW + 60))
        self.assertEqual(self.chats(self.alice, [self.bob])[0], StoredChat(team, 3, NOW + 60, 0, 2))

    def test_nothing_but_hidden(self) -> None:
        """A chat in which all is hidden has no end, and a private one is not in the list."""
        self.write(message(self.pair, self.bob), message(GLOBAL, self.bob), MarkerMoved(self.alice, GLOBAL, 1))
        self.assertEqual(self.chats(self.alice, [self.bob]), [StoredChat(GLOBAL, 0, None, 0, 0)])
        self.assertEqual(self.page(self.alice, GLOBAL, hidden=[self.bob]).end, 0)
        self.assertEqual(len(self.chats(self.bob, [self.alice])), 2)

    def test_late_member(self) -> None:
        """To a member a group ends with what came since; before anything came it has no end."""
        team = self.team(self.alice)
        self.write(message(team, self.alice), MemberAdded(team, self.bob, self.alice))
        self.assertEqual(self.chats(self.bob)[1], StoredChat(team, 0, None, 0, 0))
        self.assertEqual(self.page(self.bob, team).end, 0)
        self.assertEqual(self.write(MarkerMoved(self.bob, team, 0)), [Marker(0, 0, False)])
        self.write(message(team, self.alice, at=NOW + 9))
        self.assertEqual(self.chats(self.bob)[0], StoredChat(team, 2, NOW + 9, 1, 1))
        self.assertEqual(self.write(MarkerMoved(self.bob, team, 1)), [Marker(1, 2, False)])

    def test_deletion_moves_no_end(self) -> None:
        """Where the last messages were deleted the ends of all readers stay, also where some are hidden from them."""
        self.write(
            *(
                message(GLOBAL, sender, at=NOW + number)
                for number, sender in enumerate((self.alice, self.carol, self.bob, self.carol, self.bob))
            )
        )
        readers = [(user, hidden) for user in (self.alice, self.bob) for hidden in ([], [self.bob], [self.carol])]
        before = [self.chats(*reader)[0][:3] for reader in readers]
        self.assertEqual([state[1] for state in before], [5, 4, 5] * 2)
        self.write(UserRemoved(self.carol, "carol#3", "carol#3", NOW, ()), MessagesDeleted(((GLOBAL, 2), (GLOBAL, 4))))
        self.assertEqual([self.chats(*reader)[0][:3] for reader in readers], before)
        self.write(MessagesDeleted(((GLOBAL, 5), (GLOBAL, 3))))
        self.reopen()
        self.assertEqual([self.chats(*reader)[0][:3] for reader in readers], before)
        self.assertEqual(self.page(self.alice, GLOBAL, hidden=[self.bob]).end, 4)

    # Times

    def test_times_rise(self) -> None:
        """Within a chat each message is later than the one before, also in one ms and where the clock goes back."""
        ats = [NOW, NOW, NOW - 500, NOW + 7, NOW + 7]
        stored = self.write(*(message(GLOBAL, self.alice, at=at) for at in ats), message(self.pair, self.alice))
        self.assertEqual([one.at - NOW for one in stored], [0, 1, 2, 7, 8, 0])
        self.reopen()
        (one,) = self.write(message(GLOBAL, self.bob, at=NOW - 500, nonce="n"))
        self.assertEqual((one.at, self.chats(self.alice)[0].last_at), (NOW + 9, NOW + 9))
        self.assertEqual([said.at - NOW for said in self.page(self.bob, GLOBAL).messages], [0, 1, 2, 7, 8, 9])
        self.assertEqual(self.write(NonceSought(self.bob, "n", NOW - 500)), [one._replace(repeated=True)])
        self.assertEqual(self.write(NonceSought(self.bob, "n", NOW - 499)), [None])

    def test_times_rise_behind_the_clock(self) -> None:
        """Times rise by a millisecond also where the clock was set back by hours, until it has come up to them."""
        ats = [NOW, NOW - 999, NOW - 9_000_000, NOW - 9_000_000, NOW + 1, NOW + 9]
        stored = self.write(*(message(GLOBAL, self.alice, at=at) for at in ats))
        self.assertEqual([one.at - NOW for one in stored], [0, 1, 2, 3, 4, 9])
        self.reopen()
        self.assertEqual(self.write(message(GLOBAL, self.alice, at=NOW))[0].at, NOW + 10)

    def test_places(self) -> None:
        """The place of a moment is that of the first message from then on, deleted and hidden ones included."""
        team = self.team(self.alice)
        self.write(*(message(chat, self.alice, at=NOW + 10 * number) for number in range(5) for chat in (GLOBAL, team)))
        self.write(MemberAdded(team, self.bob, self.alice), MessagesDeleted(((GLOBAL, 3),)))
        self.write(message(team, self.alice, at=NOW + 90))

        def places(user: int, chat: ChatKey, *ats: int) -> list[int]:
            return [self.successResultOf(self.store.place(user, chat, at)) for at in ats]

        ats = (0, NOW, NOW + 1, NOW + 20, NOW + 21, NOW + 40, NOW + 41, NOW + 90, 2**62)
        self.assertEqual(places(self.carol, GLOBAL, *ats), [1, 1, 2, 3, 3, 5, 6, 6, 6])
        self.assertEqual(places(self.alice, team, *ats), [1, 1, 2, 3, 4, 5, 6, 6, 7])
        self.assertEqual(places(self.bob, team, *ats), [6, 6, 6, 6, 6, 6, 6, 6, 7])
        self.assertEqual(places(self.carol, team, NOW), [1])
        self.assertEqual(places(self.carol, (self.bob, self.carol), NOW), [1])

    def test_characters_of_places(self) -> None:
        """Places are limited by the characters of their messages, but a longer message has a page of its own."""
        user, other = self.alice, self.bob
        self.patch(*self.characters_of_places, 10)
        for text in "five5", "6 more", "twelve twelv", "three", "12345":
            self.write(message(GLOBAL, user, text), message(GLOBAL, other, "long enough to count"))
        found, after = [], None
        for _ in range(9):
            part = self.successResultOf(self.store.messages_of(user, after, 9))
            found.append([seq for _, seq in part.places])
            if part.further is None:
                break
            after = part.further
        self.assertEqual(found, [[1], [3], [5], [7, 9]])

    # Nonces

    def test_nonce_of_a_deleted_message(self) -> None:
        """The nonce of a message that was deleted, or of a group that is no more, can be used again."""
        self.write(message(GLOBAL, self.alice, nonce="n"), MessagesDeleted(((GLOBAL, 1),)))
        first, second = self.write(message(GLOBAL, self.alice, nonce="n"), message(GLOBAL, self.alice, nonce="n"))
        self.assertEqual((first.seq, first.repeated, second), (2, False, first._replace(repeated=True)))


class EndsTests(EndsContract, SynchronousTestCase):
    """SQLite does what every store must."""

    def setUp(self) -> None:
        """Choose the file."""
        self.path = Path(self.mktemp())
        super().setUp()

    def open_store(self) -> Store:
        """Without threads every Deferred has fired."""
        return SQLiteStore(self.path, NoThreads(), lambda: NOW)
