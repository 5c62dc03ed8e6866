"""The commands that change, mark and show a message, from the typed line to the core."""

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands import REGISTRY
from irchat.commands.amendments import Delete, Edit, PutMark, ShowMessage, TakeMark
from irchat.protocol import events, requests


class _Calls:
    """Records calls by name, each as its arguments."""

    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> events.Event:
            self.made.append((name, *arguments, named))
            return events.Ok()

        return call


class AmendingCommandTests(SynchronousTestCase):
    """The calls of the commands to the core, for an administrator with the session 7."""

    def asked(self, request: requests.Request) -> tuple[Any, ...]:
        """Run the command of ``request`` and return the call that it makes."""
        calls = _Calls()
        services = SimpleNamespace(chat=SimpleNamespace(amendments=calls, reading=calls))
        caller = SimpleNamespace(user="alice", id=7, is_admin=True)
        self.assertEqual(REGISTRY.for_request(request).run(services, caller, request), events.Ok())
        (call,) = calls.made
        return call

    def test_amend(self) -> None:
        """An edit, a deletion and the taking back of a timed message name the message, the session and the rights."""
        for line, fields in (
            ("*team #17= new", {"seq": 17, "message_id": None, "text": "new", "delete": False}),
            ("*team #17-", {"seq": 17, "message_id": None, "text": None, "delete": True}),
        ):
            call = self.asked(REGISTRY.read(line)[1])
            self.assertEqual(call, ("to_amend", "alice", "*team", {**fields, "origin": 7, "is_admin": True}))
        request = requests.Amend(chat="@bob", id="t1", delete=True)
        self.assertEqual(self.asked(request)[-1]["message_id"], "t1")

    def test_amend_last(self) -> None:
        """An edit of the last message has its text, taking it back has none."""
        for line, text in ("@bob #= new", "new"), ("@bob #-", None):
            call = self.asked(REGISTRY.read(line)[1])
            self.assertEqual(call, ("to_amend_last", "alice", "@bob", text, {"origin": 7}))

    def test_mark(self) -> None:
        """A typed mark is put on or taken off; a request can toggle it."""
        for line, on in ("#17+ok", True), ("#17-ok", False):
            call = self.asked(REGISTRY.read(line)[1])
            self.assertEqual(call, ("to_mark", "alice", "GLOBAL", 17, "ok", on, {"origin": 7}))
        self.assertIsNone(self.asked(requests.Mark(chat="GLOBAL", seq=17, mark="ok"))[5])

    def test_begin(self) -> None:
        """The line about a message begins with its number, and has the sign of the command."""
        commands = (ShowMessage, Edit, Delete, PutMark, TakeMark)
        self.assertEqual([command.begin(17) for command in commands], ["#17", "#17= ", "#17-", "#17+", "#17-"])

    def test_show(self) -> None:
        """A number alone requests the page around the message, and marks nothing as read."""
        name, *who, fields = self.asked(REGISTRY.read("@bob #17")[1])
        self.assertEqual((name, who), ("history", ["alice", "@bob"]))
        self.assertEqual((fields["around"], fields["limit"], fields["mark_read"]), (17, 11, False))
