"""Refusals and their codes."""

import re

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.errors import Code, Refusal, unavailable

# The codes listed in the protocol.
_CODES = """
`banned`, `bad-request`, `bad-encoding`, `line-too-long`, `text-too-long`, `empty-text`, `not-logged-in`,
`already-logged-in`, `bad-name`, `name-taken`, `weak-password`, `bad-credentials`, `bad-token`,
`registration-closed`, `too-many-tries`, `no-such-user`, `no-such-group`, `no-such-chat`, `group-exists`,
`not-a-member`, `already-a-member`, `not-the-owner`, `yourself`, `blocked`, `bad-time`,
`no-such-message`, `not-yours`, `too-late`, `amend-off`, `too-fast`, `too-many`, `unavailable`, `internal`
"""


class CodeTests(SynchronousTestCase):
    """The codes are a contract with all clients."""

    def test_codes(self) -> None:
        """The codes are exactly those of the protocol."""
        self.assertEqual([str(code) for code in Code], re.findall("`(.+?)`", _CODES))


class RefusalTests(SynchronousTestCase):
    """`Refusal`."""

    def test_fields(self) -> None:
        """A refusal has a code, a text and a usage, and a traceback shows them."""
        refusal = Refusal(Code.BAD_TIME, "too long", "*<time>* <message>")
        self.assertEqual((refusal.code, refusal.text, refusal.usage), ("bad-time", "too long", "*<time>* <message>"))
        self.assertIn("too long", str(refusal))
        self.assertIsNone(Refusal(Code.BLOCKED, "x").usage)

    def test_unavailable(self) -> None:
        """The refusal for a failed store has the code ``unavailable`` and says that nothing was changed."""
        self.assertEqual((unavailable().code, unavailable().usage), (Code.UNAVAILABLE, None))
        self.assertIn("nothing was changed", unavailable().text)
