"""The contract of these reads, on PostgreSQL, and what is its own: blocks come from the snapshot of each read."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import BlockSet
from irchat.store.postgres.reads import reading
from tests.helpers.stores import PostgresHands, message
from tests.store.sqlite.test_reading import EndsContract


class EndsTests(EndsContract, PostgresHands, SynchronousTestCase):
    """PostgreSQL does what every store must."""

    characters_of_places = reading, "_CHARACTERS"


class ReadingTests(PostgresHands, SynchronousTestCase):
    """Reads of a store with three users."""

    def test_blocks(self) -> None:
        """A block hides both users from each other in every read, without that the core names them, until it ends."""
        self.write(message(GLOBAL, self.alice, "word"), message(GLOBAL, self.bob, "word"))
        for block in BlockSet(self.alice, self.bob, True), BlockSet(self.bob, self.alice, True):
            self.write(block)
            for user, other in (self.alice, self.bob), (self.bob, self.alice):
                (own,) = self.page(user, GLOBAL).messages
                self.assertEqual(own.sender, user)
                self.assertEqual([one.sender for one in self.found(user, "word")[0]], [user])
                self.assertEqual(self.page(user, GLOBAL).end, own.seq)
                self.assertEqual((self.chats(user)[0].last_seq, self.unread(user, GLOBAL)), (own.seq, 0))
                self.mark(GLOBAL, 1, other)
                self.assertEqual(self.found(user, mark="ok")[0], [])
                self.mark(GLOBAL, 1, other, on=False)
            self.assertEqual(len(self.page(self.carol, GLOBAL).messages), 2)
            self.write(BlockSet(block.blocker, block.blocked_user, False))
            self.assertEqual(len(self.page(self.alice, GLOBAL).messages), 2)

    def test_name_with_a_null(self) -> None:
        """PostgreSQL has no null characters: the list of accounts continues after the name without them."""
        accounts = self.successResultOf(self.store.accounts("a\0lice\0", 9))
        self.assertEqual([account.key for account in accounts], ["bob", "carol"])

    def test_parts(self) -> None:
        """A page that is fetched in many parts has all of its messages once, in order, in both directions."""
        self.patch(reading, "_FIRST_PART", 2)
        self.patch(reading, "_LARGEST_PART", 3)
        self.write(*(message(GLOBAL, (self.alice, self.bob)[number % 2]) for number in range(40)))
        self.assertEqual(self.seqs(self.carol, GLOBAL, after=0), (list(range(1, 41)), False))
        self.assertEqual(self.seqs(self.carol, GLOBAL, 39), (list(range(2, 41)), True))
        self.assertEqual(self.seqs(self.carol, GLOBAL, 20, hidden=[self.bob]), (list(range(1, 41, 2)), False))
        self.assertEqual(self.seqs(self.carol, GLOBAL, 40), (list(range(1, 41)), False))
