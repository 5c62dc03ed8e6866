"""The command ``irchat``."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client import __main__, options
from irchat.system import core_dumps


class MainTests(SynchronousTestCase):
    """The exit status."""

    def setUp(self) -> None:
        """The full screen does not really run; the memory of the test's process stays accessible."""
        self.ran: list[str] = []
        self.patch(core_dumps, "forbid_memory_access", lambda: None)
        self.patch(__main__, "_run_full_screen", lambda chosen: self.ran.append("full screen") or 3)

    def status(self, *arguments: str) -> object:
        """Run the command. Return the status that it exits with."""
        return self.assertRaises(SystemExit, __main__.main, arguments).code

    def test_full_screen(self) -> None:
        """On a terminal the full screen runs, and its status is the exit status."""
        self.patch(options, "wants_full_screen", lambda chosen, environment: True)
        self.assertEqual((self.status("host"), self.ran), (3, ["full screen"]))

    def test_interrupted(self) -> None:
        """Ctrl-C before the reactor runs is an orderly end."""

        def interrupt(chosen: object) -> int:
            raise KeyboardInterrupt

        self.patch(options, "wants_full_screen", lambda chosen, environment: True)
        self.patch(__main__, "_run_full_screen", interrupt)
        self.assertEqual(self.status("host"), 0)
