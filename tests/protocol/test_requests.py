"""The structs of requests."""

import inspect

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import requests, wire
from irchat.protocol.rules import REASON_LENGTH
from tests.helpers.strategies import filled, members


class RequestTests(SynchronousTestCase):
    """All requests."""

    def setUp(self) -> None:
        """Find all request structs."""
        found = (one for _, one in inspect.getmembers(requests, inspect.isclass) if issubclass(one, requests.Request))
        self.every = {one for one in found if one is not requests.Request}

    def test_any(self) -> None:
        """A client can send every request except those that are only typed or made by other protocols."""
        typed = {requests.AmendLast, requests.EndListed, requests.Kick, requests.Ban, requests.Unban}
        others = {requests.Notice, requests.Signal}
        door = {requests.KeyOf, requests.Vouch}
        self.assertEqual(set(members(requests.ANY)), self.every - typed - others - door)
        self.assertEqual(set(members(requests.OF_SSH_DOOR)), self.every - typed - others)

    def test_tags(self) -> None:
        """The type on the wire is the name in lower case, with underscores between words, and is unique."""
        tags = {one.__name__: one.__struct_config__.tag for one in self.every}
        self.assertEqual((tags["CreateGroup"], tags["Send"]), ("create_group", "send"))
        self.assertEqual(len(set(tags.values())), len(self.every))
        for tag in tags.values():
            self.assertRegex(tag, "^[a-z]+(_[a-z]+)*$")

    def test_reason(self) -> None:
        """The reason of a removal has a limited length."""
        for length, fits in (REASON_LENGTH, True), (REASON_LENGTH + 1, False):
            line = wire.encode_request(requests.RemoveMember(group="team", name="bob", reason="x" * length))
            if fits:
                self.assertEqual(wire.encode_request(wire.decode_request(line)), line)
            else:
                self.assertRaises(wire.BadLine, wire.decode_request, line)

    def test_frozen(self) -> None:
        """No request can be changed, so the request that was charged is the one that runs."""
        for one in self.every:
            request = filled(one, "x")
            for name in one.__struct_fields__:
                self.assertRaises(AttributeError, setattr, request, name, None)

    def test_defaults_are_left_out(self) -> None:
        """Fields that are not given are not sent."""
        self.assertEqual(msgspec.to_builtins(requests.History(chat="GLOBAL")), {"type": "history", "chat": "GLOBAL"})
