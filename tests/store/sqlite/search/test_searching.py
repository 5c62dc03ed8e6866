"""The maximum cost of a search, and that the limits do not change its results."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL, StoredMessage
from irchat.interfaces.writes import UserCreated
from irchat.protocol.rules import line_bytes
from irchat.store.phrases import SIDE_BY_SIDE
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.search import searching
from irchat.store.sqlite.search.searching import StoreSearch
from irchat.store.threads import NoThreads
from tests.helpers.stores import NOW, message


class SearchTests(SynchronousTestCase):
    """A store with messages in GLOBAL, and a manual thread clock."""

    def setUp(self) -> None:
        """Open it."""
        self.seconds = 0.0
        self.patch(searching, "thread_seconds", lambda: self.seconds)
        self.store = SQLiteStore(Path(self.mktemp()), NoThreads(), lambda: NOW)
        self.addCleanup(self.store.close)
        self.successResultOf(self.store.commit([UserCreated(name, name, None, NOW, None) for name in ("a", "b", "c")]))

    def say(self, *texts: str) -> None:
        """Store messages."""
        self.successResultOf(self.store.commit([message(GLOBAL, 1, text) for text in texts]))

    def found(self, *wanted: str, limit: int = 50) -> tuple[list[int], bool]:
        """Return the seqs of the results, and whether there are more."""
        messages, more = self.successResultOf(self.store.search(SearchQuery(2, wanted, None, (), limit)))
        return [one.seq for one in messages], more

    def test_steps(self) -> None:
        """Steps find the same as a single query, newest first. A fast step is followed by a longer one."""
        self.say(*(f"word {number}" for number in range(900)))
        expected = list(range(900, 0, -1))
        self.assertEqual(self.found("word", limit=900), (expected, False))
        self.patch(searching, "_FIRST_STEP", 1)
        firsts: list[int] = []
        between = StoreSearch._between

        def noting(search: StoreSearch, connection: object, match: str, first: int, below: int) -> object:
            firsts.append(below - first)
            return between(search, connection, match, first, below)  # type: ignore[arg-type]

        self.patch(StoreSearch, "_between", noting)
        self.assertEqual(self.found("word", limit=900), (expected, False))
        self.assertEqual(firsts, [1, 4, 16, 64, 256, 1_024])
        self.assertEqual(self.found("word", limit=10), (expected[:10], True))
        self.assertEqual(self.found("0"), ([1], False))

    def test_takes_too_long(self) -> None:
        """A search ends at its time limit with its results so far, and the reply says so. Slow steps shrink."""
        self.say(*("word" for _ in range(900)))
        self.patch(searching, "_FIRST_STEP", 16)
        steps: list[int] = []
        look = StoreSearch._look

        def slow(search: StoreSearch, connection: object) -> None:
            steps.append(search._step)
            look(search, connection)  # type: ignore[arg-type]
            self.seconds += 0.06

        self.patch(StoreSearch, "_look", slow)
        self.assertEqual(self.found("word"), (list(range(900, 900 - 16 - 4 - 1 - 1 - 1, -1)), True))
        self.assertEqual(steps, [16, 4, 1, 1, 1])

    def test_steps_are_questions_of_their_own(self) -> None:
        """Between the steps of a search, other queries run and the journal may restart."""
        self.say(*("word" for _ in range(900)))
        asked: list[object] = []
        scan = self.store._threads.scan

        def noting(call: object, *args: object) -> object:
            asked.append(args)
            return scan(call, *args)  # type: ignore[arg-type]

        self.patch(self.store._threads, "scan", noting)
        self.found("none")
        self.assertEqual(len(asked), 2)

    def test_long_phrases(self) -> None:
        """Of a long phrase FTS5 compares only a few positions. The results still contain all of it."""
        run = "".join(chr(0x4E00 + number % 7) for number in range(100))
        self.say(run, run[:50] + "x" + run[50:], run[50:] + run[:50], f"so {run} it", run[:-1], "x")
        self.assertEqual(self.found(run), ([4, 1], False))
        self.assertEqual(self.found(run[:90], run[5:80], "it"), ([4], False))
        asked, is_exact = searching._match([tuple(run)])
        self.assertFalse(is_exact)
        sides = [len(phrase.split()) for phrase in asked.removeprefix("text:(").removesuffix(")").split(" AND ")]
        self.assertEqual((sides[0], set(sides[1:]), len(sides)), (SIDE_BY_SIDE, {1}, 8))

    def test_many_phrases(self) -> None:
        """Several phrases together compare no more positions than one."""
        phrases = [tuple(f"{number:x}{letter}" for letter in "abc") for number in range(30)]
        asked, is_exact = searching._match(phrases)
        lengths = [len(phrase.split()) for phrase in asked.removeprefix("text:(").removesuffix(")").split(" AND ")]
        self.assertLessEqual(sum(length for length in lengths if length > 1), SIDE_BY_SIDE)
        self.assertEqual((sum(lengths), is_exact), (90, False))
        backwards = [phrase[::-1] for phrase in phrases]
        self.say(*(" ".join(" ".join(phrase) for phrase in those) for those in (phrases, backwards)))
        self.assertEqual(self.found(*(".".join(phrase) for phrase in phrases)), ([1], False))

    def test_short_ones_are_left_to_fts(self) -> None:
        """Queries that FTS5 can answer alone are not verified again."""
        self.assertEqual(searching._match([("a", "b"), ("c",)]), ('text:("a b" AND "c")', True))

    def test_nothing_to_look_for(self) -> None:
        """Without a word nothing is searched."""
        self.say("...")
        self.assertEqual(self.found("...", "!"), ([], False))
        self.assertEqual(self.found("...", "none"), ([], False))

    def test_left_meanwhile(self) -> None:
        """A search that continues after its user left the chat finds nothing more."""
        search = StoreSearch(SearchQuery(99, ["word"], GLOBAL, (), 5))
        search.step(self.store._connection)
        self.assertEqual((search.is_over, search.found, search.more), (True, [], False))

    def test_room(self) -> None:
        """The first message is returned regardless of size."""
        self.say("word", "word")
        found, more = self.successResultOf(self.store.search(SearchQuery(2, ["word"], None, (), 5, 10, 5)))
        self.assertEqual((found, more), ([StoredMessage(GLOBAL, 2, 1, NOW + 1, "word")], True))

    def test_room_to_the_last_byte(self) -> None:
        """Messages are returned up to the exact size limit of texts and overhead."""
        self.say("word", "word", "word")
        two = 2 * (line_bytes("word") + 10)
        for room, count in ((two - 1, 1), (two, 2), (two + line_bytes("word") + 9, 2)):
            found, more = self.successResultOf(self.store.search(SearchQuery(2, ["word"], None, (), 5, 10, room)))
            self.assertEqual((len(found), more), (count, True))
        found, more = self.successResultOf(self.store.search(SearchQuery(2, ["word"], None, (), 3, 10, 2 * two)))
        self.assertEqual((len(found), more), (3, False))
