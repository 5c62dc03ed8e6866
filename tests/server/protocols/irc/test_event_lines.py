"""The table of events."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events
from irchat.server.protocols.irc.event_lines import EVENT_LINES


class EventLinesTests(SynchronousTestCase):
    """The events that IRC sessions show."""

    def test_published(self) -> None:
        """All that is published for groups, users, messages and markers is shown, and no list of another protocol."""
        shown = {
            events.Added, events.Removed, events.Presence, events.Personas, events.Message, events.Notice,
            events.Amended, events.Read,
        }  # fmt: skip
        self.assertLessEqual(shown, EVENT_LINES.keys())
        self.assertTrue(EVENT_LINES.keys().isdisjoint({events.Blocks, events.Alert, events.Chats, events.Users}))
