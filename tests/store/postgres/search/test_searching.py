"""The maximum cost of a search, and that the limits do not change its results."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.store.postgres.connecting import Database
from irchat.store.postgres.reads.query import READER_SETTINGS, read
from irchat.store.postgres.search import indexing, searching
from irchat.store.postgres.search.searching import PostgresSearch
from tests.helpers.stores import PostgresHands, message


class SearchTests(PostgresHands, SynchronousTestCase):
    """A store with messages in GLOBAL, and a manual clock."""

    def setUp(self) -> None:
        """Open it."""
        super().setUp()
        self.seconds = 0.0
        self.patch(searching, "seconds", lambda: self.seconds)
        self.steps: list[str] = []
        for name in "_one_by_one", "_at_once":
            self.note_steps(name)

    def note_steps(self, name: str) -> None:
        """Note each step of a kind."""
        step = getattr(PostgresSearch, name)

        def noting(search: PostgresSearch, *args: Any) -> Any:
            self.steps.append(name)
            return step(search, *args)

        self.patch(PostgresSearch, name, noting)

    def say(self, *texts: str) -> None:
        """Store messages."""
        self.write(*(message(GLOBAL, self.alice, text) for text in texts))

    def seqs_found(self, *words: str, limit: int = 500, **how: Any) -> tuple[list[int], bool]:
        """Return the seqs of the results, and whether there are more."""
        messages, more = self.found(self.bob, *words, limit=limit, **how)
        return [one.seq for one in messages], more

    def test_steps(self) -> None:
        """The newest messages are searched one by one. A rare word is then found at once, a common one by steps."""
        self.say(*(f"word {number}" for number in range(100)))
        self.patch(searching, "_FIRST_STEP", 8)
        expected = list(range(100, 0, -1))
        self.assertEqual(self.seqs_found("word", limit=5), (expected[:5], True))
        self.assertEqual(self.steps, ["_one_by_one"])
        self.assertEqual(self.seqs_found("word", limit=100), (expected, False))
        self.assertEqual(self.steps[1:], ["_one_by_one", "_at_once"])
        self.assertEqual(self.seqs_found("0"), ([1], False))
        self.steps.clear()
        self.patch(searching, "_SORTED_MOST", 99)
        self.assertEqual(self.seqs_found("word", limit=99), (expected[:99], True))
        self.assertEqual(self.steps, ["_one_by_one", "_at_once", "_one_by_one"])
        self.patch(searching, "_SORTED_MOST", 100)
        self.steps.clear()
        self.assertEqual(self.seqs_found("word"), (expected, False))
        self.assertEqual(self.steps, ["_one_by_one", "_at_once"])

    def test_partitions(self) -> None:
        """Partitions are searched from the newest one on, each with its own decision."""
        self.patch(indexing, "PARTITION", 1_000)
        self.patch(searching, "PARTITION", 1_000)
        with Database(self.url).connect() as connection:
            connection.execute("DROP TABLE places_0")
            connection.execute("UPDATE properties SET value = '1' WHERE name = 'indexed'")
            connection.execute(
                "INSERT INTO messages (chat, seq, id, sender, at, text)"
                " SELECT 1, n, 100 * n, 1, n, CASE WHEN n % 7 = 0 THEN 'rare word' ELSE 'word' END"
                " FROM generate_series(1, 55) AS n"
            )
        self.patch(searching, "_FIRST_STEP", 500)
        for most in 20_000, 5:
            self.patch(searching, "_SORTED_MOST", most)
            self.assertEqual(self.seqs_found("word"), (list(range(55, 0, -1)), False), most)
            self.assertEqual(self.seqs_found("rare"), (list(range(49, 0, -7)), False))
            self.assertEqual(self.seqs_found("rare", "word", limit=3), ([49, 42, 35], True))
            self.assertEqual(self.seqs_found("none"), ([], False))

    def test_takes_too_long(self) -> None:
        """A search ends at its time limit with its results so far, and the reply says so. Slow steps shrink."""
        self.say(*("word" for _ in range(900)))
        self.patch(searching, "_FIRST_STEP", 64)
        self.patch(searching, "_SORTED_MOST", 0)
        self.patch(searching, "_SEARCH_SECONDS", 0.5)
        search = searching.PostgresSearch._search

        def slow(one: PostgresSearch, connection: Any) -> None:
            search(one, connection)
            self.seconds += 0.11

        self.patch(PostgresSearch, "_search", slow)
        found, more = self.seqs_found("word", limit=900)
        self.assertEqual((found, more), (list(range(900, 900 - 64 - 4 - 1 - 1, -1)), True))

    def test_slow_statement(self) -> None:
        """A statement that takes too long ends the search with what the steps before it found."""
        self.say(*("word" for _ in range(20)))
        self.patch(searching, "_FIRST_STEP", 8)
        self.patch(searching, "_AT_ONCE", "SELECT pg_sleep(60)")
        self.patch(searching, "_STATEMENT_SECONDS", 0.2)
        self.assertEqual(self.seqs_found("word"), (list(range(20, 12, -1)), True))

    def test_steps_are_reads_of_their_own(self) -> None:
        """Between the steps of a search, other queries run."""
        self.say(*("word" for _ in range(20)))
        self.patch(searching, "_FIRST_STEP", 8)
        with Database(self.url).connect() as connection:
            connection.execute(READER_SETTINGS)
            indexing.index_all(connection)
            search = PostgresSearch(SearchQuery(self.bob, ["word"], None, (), 50))
            read(connection, search.step)
            self.assertEqual((len(search.found), search.is_over), (8, False))
            read(connection, search.step)
            self.assertEqual((len(search.found), search.is_over, search.more), (20, True, False))

    def test_long_phrases(self) -> None:
        """Hits of phrases are compared with the whole phrase, also where others come before them."""
        run = "".join(chr(0x4E00 + number % 7) for number in range(100))
        self.say(run, run[:50] + "x" + run[50:], run[50:] + run[:50], f"so {run} it", run[:-1], "x")
        self.assertEqual(self.seqs_found(run), ([4, 1], False))
        self.assertEqual(self.seqs_found(run, limit=1), ([4], True))
        self.assertEqual(self.seqs_found(run[:90], run[5:80], "it"), ([4], False))

    def test_left_meanwhile(self) -> None:
        """A search that continues after its user left the chat finds nothing more."""
        self.say("word")
        search = PostgresSearch(SearchQuery(99, ["word"], GLOBAL, (), 5))
        with Database(self.url).connect() as connection:
            read(connection, search.step)
        self.assertEqual((search.is_over, search.found, search.more), (True, [], False))

    def test_nothing(self) -> None:
        """Nothing is found where there is no message, or no word."""
        self.assertEqual(self.seqs_found("word"), ([], False))
        self.say("...")
        self.assertEqual(self.seqs_found("...", "!"), ([], False))
