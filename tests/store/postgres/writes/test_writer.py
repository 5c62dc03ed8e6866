"""The writer, beyond what the contract of the stores and the tests of the log prove."""

from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import (
    GroupCreated,
    MarkSet,
    MessageAdded,
    MessageEdited,
    SessionsEnded,
    UserCreated,
    Write,
)
from irchat.store.postgres.writes.writer import _DO
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import NOW, message


def _kinds(base: type) -> set[type]:
    kinds = base.__subclasses__()
    return {kind for kind in kinds if not kind.__name__.startswith("Write")}.union(*map(_kinds, kinds))


class WriterTests(NodesCase):
    """The writer of a node."""

    def test_all_writes(self) -> None:
        """It knows every write."""
        self.assertEqual(set(_DO), {kind for kind in _kinds(Write) if kind.__module__ == Write.__module__})

    def test_numbers(self) -> None:
        """Each change has a number after the last position, messages among others too; a lone message is its commit."""
        head = self.a.log.position
        kick = SessionsEnded(1, "bye")
        position = self.commit(self.a, message(GLOBAL, 1), kick, message(GLOBAL, 1), kick).position
        self.assertEqual(position, head + 4)
        self.assertEqual(self.sql("SELECT id FROM messages ORDER BY id"), [(head + 1,), (head + 3,)])
        self.assertEqual(self.sql("SELECT id FROM changes WHERE id > %s ORDER BY id", head), [(head + 2,), (head + 4,)])
        alone = self.commit(self.a, message(GLOBAL, 1)).position
        self.assertEqual(self.sql("SELECT max(id) FROM messages"), [(alone,)])

    def test_refused_changes(self) -> None:
        """A refused change is not told to other nodes."""
        self.commit(self.a, MessageEdited(GLOBAL, 1, 1, "x", NOW, 0))
        self.assertEqual(self.follow(self.b)[-1].entries, ())

    def test_secrets(self) -> None:
        """The log has no password hash, no token and no text of a message."""
        self.commit(self.a, UserCreated("dave", "dave", "$hash", NOW, b"t0ken"), message(GLOBAL, 1, "text"))
        told = b"".join(what for (what,) in self.sql("SELECT what FROM changes"))
        for secret in b"$hash", b"t0ken", b"text":
            self.assertNotIn(secret, told)

    def test_mentions_most(self) -> None:
        """A message mentions twenty users at most, without its sender and who is hidden."""
        count = 30
        users = [UserCreated(f"u{number}", f"u{number}", None, NOW, None) for number in range(count)]
        ids = tuple(self.successResultOf(self.a.commit(users)))
        to = (1, *ids)
        done = self.commit(self.a, MessageAdded(GLOBAL, 1, "x", NOW, None, 0, to, None, frozenset(ids[:2])))
        self.assertEqual(done.results[0].to, ids[2:22])  # type: ignore[attr-defined]

    def test_odd_texts(self) -> None:
        """Texts with quotes, backslashes, braces, percent signs and other characters are stored as they are."""
        odd = "'\"\\{},%s %(a)s NULL \u2400\U0001f600\u202e"
        self.commit(self.a, *(message(GLOBAL, 1, text) for text in (odd, "NULL", "{}", "")))
        self.commit(self.a, GroupCreated(odd, odd, (1,), NOW), MarkSet(GLOBAL, 1, 1, odd, odd, True, NOW))
        self.assertEqual(self.sql("SELECT text FROM messages ORDER BY seq"), [(odd,), ("NULL",), ("{}",), ("",)])
        self.assertEqual(self.sql("SELECT key, mark FROM marks"), [(odd, odd)])
        self.assertEqual(self.a.snapshot().groups[0].key, odd)
        self.assertEqual(self.follow(self.b)[0].entries[0].write.text, odd)  # type: ignore[attr-defined]
