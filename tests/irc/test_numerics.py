"""Numerics and the lines of the server."""

from twisted.trial.unittest import SynchronousTestCase
from twisted.words.protocols.irc import symbolic_to_numeric

from irchat.irc.numerics import TEXTS, Numeric, ServerLines, service_prefix

# Names that later standards use otherwise than RFC 2812.
_OTHERWISE = {"RPL_INVITELIST", "RPL_ENDOFINVITELIST"}


class NumericTests(SynchronousTestCase):
    """The table of numerics."""

    def test_names(self) -> None:
        """Numerics known to RFC 2812 have the numbers that they have there."""
        known = {one.name for one in Numeric} & symbolic_to_numeric.keys()
        self.assertGreater(len(known), 60)
        self.assertEqual(
            {name: Numeric[name].value for name in known - _OTHERWISE},
            {name: symbolic_to_numeric[name] for name in known - _OTHERWISE},
        )

    def test_numbers(self) -> None:
        """Each has three digits, and no two are the same."""
        self.assertEqual(len(Numeric.__members__), len(set(Numeric)))
        self.assertTrue(all(len(one) == 3 and one.isdecimal() for one in Numeric))

    def test_texts(self) -> None:
        """Each error has a text of its own, except two that need one each time."""
        lacking = {one.name for one in Numeric if one.name.startswith("ERR_") and one not in TEXTS}
        self.assertEqual(lacking, {"ERR_UNKNOWNERROR"})


class ServerLinesTests(SynchronousTestCase):
    """The lines of a server."""

    def setUp(self) -> None:
        """Name the server."""
        self.lines = ServerLines("irchat")

    def test_numeric(self) -> None:
        """A numeric has its usual text, another, or none."""
        self.assertEqual(
            self.lines.numeric(Numeric.ERR_NOSUCHNICK, "alice", "bob"), b":irchat 401 alice bob :No such nick\r\n"
        )
        self.assertEqual(self.lines.numeric(Numeric.ERR_NOSUCHNICK, "a", "b c", text="x"), b":irchat 401 a * :x\r\n")
        self.assertEqual(self.lines.numeric(Numeric.RPL_UMODEIS, "alice", "+i"), b":irchat 221 alice +i\r\n")

    def test_failure(self) -> None:
        """FAIL names the command, the code and their context."""
        self.assertEqual(
            self.lines.fail("BATCH", "TIMEOUT", "x", text="late"), b":irchat FAIL BATCH TIMEOUT x :late\r\n"
        )

    def test_notices(self) -> None:
        """Long texts are cut, empty ones are a blank, line ends are harmless."""
        data = self.lines.notices(service_prefix("*irchat"), "alice", ["a\nb", "", "x" * 700])
        self.assertEqual(
            data.split(b"\r\n"),
            [
                b":*irchat!irchat@irchat NOTICE alice :a\xe2\x90\x8ab",
                b":*irchat!irchat@irchat NOTICE alice : ",
                b":*irchat!irchat@irchat NOTICE alice :" + b"x" * 500,
                b":*irchat!irchat@irchat NOTICE alice :" + b"x" * 200,
                b"",
            ],
        )

    def test_others(self) -> None:
        """The last line has no source; other lines have the server's."""
        self.assertEqual(self.lines.error("bye"), b"ERROR :bye\r\n")
        self.assertEqual(self.lines.line("PONG", "irchat", text="x y"), b":irchat PONG irchat :x y\r\n")
