"""The commands of administrators, as typed."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands import REGISTRY
from irchat.protocol.errors import Refusal
from irchat.protocol.requests import Ban, Kick, Unban


class ModerationTests(SynchronousTestCase):
    """Typed lines. Their effects are tested in tests/server/sessions/test_moderation.py."""

    def test_lines(self) -> None:
        """Administrators' lines are parsed with their arguments."""
        for line, request in (
            ("!kick bob", Kick(name="bob")),
            ("!ban bob", Ban(name="bob", end=None)),
            ("!ban bob 2h", Ban(name="bob", end="2h")),
            ("!unban bob", Unban(name="bob")),
        ):
            self.assertEqual(REGISTRY.read(line, is_admin=True)[1], request)

    def test_no_trace(self) -> None:
        """For others they are wrong usage of the sign, and neither the error nor the manual names them."""
        for line in "!kick bob", "!ban bob", "!unban bob":
            refusal = self.assertRaises(Refusal, REGISTRY.read, line)
            self.assertNotIn(line.split()[0], str(refusal.usage))
            self.assertIn("!help [<prefix>]\n", str(refusal.usage))
        self.assertNotIn("kick", REGISTRY.manual(None))
