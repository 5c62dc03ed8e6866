"""The rows of a commit, which are read and written together."""

from irchat.interfaces.stored import GLOBAL, Stored
from irchat.interfaces.writes import GroupCreated, MarkerMoved, MessageAdded, NonceSought
from irchat.store.postgres.connecting import Connection
from irchat.store.postgres.writes.gathered import columns, nonce_bytes
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import NOW, message


class GatheredTests(NodesCase):
    """Commits of messages, nonces and markers."""

    def statements(self, *writes: object) -> int:
        """Commit, and return the statements that it took in its turn."""
        count = 0
        real = Connection.execute

        def execute(*args: object, **kwargs: object) -> object:
            nonlocal count
            count += 1
            return real(*args, **kwargs)  # type: ignore[arg-type]

        self.follow(self.a, self.a.log.begin())
        self.patch(Connection, "execute", execute)
        committed = self.successResultOf(self.a.log.commit(writes))
        self.patch(Connection, "execute", real)
        self.a.log.note_applied(committed.position)
        return count

    def test_few_statements(self) -> None:
        """A commit of many messages takes as many statements as one of few."""
        self.commit(self.a, message((1, 2), 1), message((1, 3), 1), GroupCreated("team", "team", (1, 2), NOW))

        def many(count: int) -> list[object]:
            return [
                write
                for number in range(count)
                for write in (
                    message(GLOBAL, 1, nonce=f"{count} {number}"), message((1, 2), 2), message((1, 3), 3),
                    MarkerMoved(3, GLOBAL, number), MarkerMoved(2, (1, 2), number), NonceSought(1, "x", 0),
                )
            ]  # fmt: skip

        few = self.statements(*many(2))
        self.assertEqual((few, self.statements(*many(80))), (8, 8))

    def test_only_what_is_needed(self) -> None:
        """Rows of a kind that no write needs are not read. A nonce costs a read, and a marker also a write."""
        self.commit(self.a, message((1, 2), 1))
        plain = self.statements(message(GLOBAL, 1))
        self.assertEqual(self.statements(message((1, 2), 1)), plain)
        self.assertEqual(self.statements(message(GLOBAL, 1), message((1, 2), 1)), plain + 1)
        self.assertEqual(self.statements(message(GLOBAL, 1), NonceSought(1, "x", 0)), plain + 1)
        self.assertEqual(self.statements(message(GLOBAL, 1), MarkerMoved(3, GLOBAL, 1)), plain + 2)

    def test_nonces_within(self) -> None:
        """A nonce that is used twice in a commit counts once, and an old one can be used again."""
        first = message(GLOBAL, 1, nonce="n")
        again = message(GLOBAL, 1, nonce="n", at=NOW + 600_001)
        done = self.commit(self.a, first, first, again, again, NonceSought(1, "n", NOW + 1))
        places = [(stored.seq, stored.repeated) for stored in done.results if isinstance(stored, Stored)]
        self.assertEqual(places, [(1, False), (1, True), (2, False), (2, True), (2, True)])
        self.assertEqual(self.sql("SELECT seq FROM nonces"), [(2,)])

    def test_nonces_among_others(self) -> None:
        """The same holds in a commit with a rare change."""
        first = message(GLOBAL, 1, nonce="n")
        done = self.commit(self.a, first, first, GroupCreated("team", "team", (1,), NOW), first)
        self.assertEqual([done.results[index].repeated for index in (0, 1, 3)], [False, True, True])  # type: ignore[attr-defined]

    def test_reply_within(self) -> None:
        """An answer to a message of the same commit mentions its sender."""
        answer = MessageAdded(GLOBAL, 2, "#1 yes", NOW, None, 0, (), 1)
        done = self.commit(self.a, message(GLOBAL, 1), answer, message(GLOBAL, 3))
        self.assertEqual([stored.to for stored in done.results], [(), (1,), ()])  # type: ignore[attr-defined]
        self.assertEqual(self.sql("SELECT user_id, seq FROM mentions"), [(1, 2)])

    def test_helpers(self) -> None:
        """Rows become columns, also none, and nonces bytes, whatever they hold."""
        rows = [(1, 'a "b"', b"\0'"), (None, "\\{,} NULL", b"")]
        self.assertEqual(columns(rows, 3)[0], "{1,NULL}")
        found = self.sql("SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bytea[])", *columns(rows, 3))
        self.assertEqual(found, rows)
        self.assertEqual(columns([], 2), ["{}", "{}"])
        self.assertEqual(nonce_bytes("\0\ud800"), b"\0\xed\xa0\x80")
