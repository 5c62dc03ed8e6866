"""The structs of replies and events."""

import inspect

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events
from tests.helpers.strategies import filled, members


class EventTests(SynchronousTestCase):
    """All events."""

    def setUp(self) -> None:
        """Find all event structs."""
        found = (one for _, one in inspect.getmembers(events, inspect.isclass) if issubclass(one, events.Event))
        self.every = {one for one in found if one is not events.Event}

    def test_any(self) -> None:
        """A program can decode every event that it can get. The others are for protocols other than JSON."""
        asides = {events.Signal, events.Personas}
        self.assertEqual(set(members(events.ANY)), self.every - asides - {events.Notice})

    def test_tags(self) -> None:
        """The type on the wire is the name in lower case, and is unique, but a notice is a message there."""
        tags = {one.__name__: one.__struct_config__.tag for one in self.every}
        self.assertEqual(tags.pop("Notice"), "message")
        self.assertEqual(tags, {name: name.lower() for name in tags})

    def test_frozen(self) -> None:
        """No event can be changed, because many sessions share it."""
        for one in self.every:
            event = filled(one, "x")
            for name in one.__struct_fields__:
                self.assertRaises(AttributeError, setattr, event, name, None)

    def test_message(self) -> None:
        """The sender is ``from`` on the wire, and a stored message has no fields of a timed one."""
        message = events.Message("GLOBAL", "alice", "2026-12-01T12:00:00.000Z", "hi", seq=7)
        self.assertEqual(
            msgspec.to_builtins(message),
            {"type": "message", "chat": "GLOBAL", "from": "alice", "at": message.at, "text": "hi", "seq": 7},
        )
