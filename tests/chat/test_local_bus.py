"""The bus of a single node."""

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.local_bus import LocalBus
from irchat.interfaces.bus import Bus, Publication
from irchat.protocol.events import Ok


class LocalBusTests(SynchronousTestCase):
    """`LocalBus`."""

    def test_subscriber(self) -> None:
        """The subscriber gets the published list itself, within the call. Without a subscriber it is dropped."""
        local = LocalBus()
        bus: Bus = local
        publications = [Publication(Ok(), None)]
        bus.publish(publications)
        got: list[Sequence[Publication]] = []
        local.subscribe(got.append)
        bus.publish(publications)
        self.assertEqual(len(got), 1)
        self.assertIs(got[0], publications)

    def test_asides(self) -> None:
        """Asides go to their own subscriber. Without one they are dropped."""
        local = LocalBus()
        published: list[Publication] = []
        asides: list[Publication] = []
        aside = Publication(Ok(), None)
        local.publish_asides([aside])
        local.subscribe(published.extend)
        local.publish_asides([aside])
        local.subscribe(published.extend, asides.extend)
        local.publish_asides([aside])
        self.assertEqual((published, asides), ([], [aside]))
