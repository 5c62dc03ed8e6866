"""The commands about settings of a chat, from the typed line to the core."""

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands import REGISTRY
from irchat.commands.chat_settings import SetAlert
from irchat.protocol import events


class AlertCommandTests(SynchronousTestCase):
    """``!set``"""

    def test_alert(self) -> None:
        """It shows the alert of a chat, or sets it, for the session's other sessions too."""
        reading = SimpleNamespace(alert=lambda *arguments: events.Alert(*map(str, arguments[1:3])))
        services = SimpleNamespace(chat=SimpleNamespace(reading=reading))
        for line, alert in ("!set *team", "None"), ("!set *team alert mentions", "mentions"):
            command, request = REGISTRY.read(line)
            reply = command.run(services, SimpleNamespace(user="alice", id=7), request)  # type: ignore[arg-type]
            self.assertEqual(reply, events.Alert("*team", alert))

    def test_begun(self) -> None:
        """A value that is none can no longer become valid."""
        for typed, may_begin in (("", True), ("m", True), ("none", True), ("loud", False), ("mx", False)):
            self.assertEqual(SetAlert.syntax.may_begin(f"!set *team alert {typed}"), may_begin, typed)
