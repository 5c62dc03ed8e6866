"""Publications with one audience."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import wire
from irchat.server.delivery.run import Run
from tests.helpers.deliveries import message


def _encode(publication: Publication) -> bytes | None:
    return None if publication.origin == 9 else wire.encode(publication.event)


def _stored(seq: int, origin: int | None, hidden: frozenset[int] = frozenset()) -> Publication:
    return Publication(message(seq), None, hidden, origin, StoredPlace(GLOBAL, seq))


class RunTests(SynchronousTestCase):
    """`Run`."""

    def test_origins(self) -> None:
        """A run counts the publications of each session, and hides what is hidden from anyone."""
        run = Run([_stored(1, 5, frozenset({1})), _stored(2, None), _stored(3, 5, frozenset({2})), _stored(4, 6)])
        self.assertEqual((run.origins, run.hidden), ({5: 2, 6: 1}, {1, 2}))

    def test_kinds(self) -> None:
        """A run is stored if all of it is."""
        timed = Publication(message(2), None, place=TimedPlace(GLOBAL, 1))
        self.assertTrue(Run([_stored(1, 5), _stored(2, 5)]).is_stored)
        self.assertEqual(
            [(run.is_stored, TimedPlace in run.kinds) for run in (Run([_stored(1, 5), timed]), Run([timed]))],
            [(False, True)] * 2,
        )

    def test_of_others(self) -> None:
        """A session gets what others said, in the bytes of all; if one publication has none, there are none."""
        run = Run([_stored(1, 5), _stored(2, 6), _stored(3, 5)])
        said = b"".join(map(wire.encode, map(message, (1, 2, 3))))
        self.assertEqual(run.bytes_for(_encode), said)
        self.assertEqual(run.of_others(_encode, 5), (wire.encode(message(2)), [run.publications[1]]))
        self.assertIsNone(Run([_stored(1, 5), _stored(2, 9)]).of_others(_encode, 5))
