"""The command ``irchat``."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.client import __main__, options, wiring
from irchat.client.terminal import full_screen_run
from irchat.system import clock, core_dumps


class MainTests(SynchronousTestCase):
    """The exit status."""

    def setUp(self) -> None:
        """Do not run the full screen; keep the memory of the test process accessible."""
        self.ran: list[str] = []
        self.patch(core_dumps, "forbid_memory_access", lambda: None)
        self.patch(__main__, "_install_asyncio_reactor", lambda: self.ran.append("asyncio"))
        self.patch(clock, "install_forward_clock", lambda reactor: None)
        self.patch(full_screen_run, "run_full_screen", lambda reactor, *chosen: self.ran.append("full screen") or 3)
        self.patch(wiring, "run_plain", lambda reactor, *chosen: self.ran.append("plain") or 4)
        self.folder = Path(self.mktemp()).absolute()
        (self.folder / "irchat").mkdir(parents=True)
        for name in "XDG_CONFIG_HOME", "XDG_STATE_HOME":
            self.patch(os, "environ", {**os.environ, name: str(self.folder)})

    def status(self, *arguments: str) -> object:
        """Run the command. Return its exit status."""
        return self.assertRaises(SystemExit, __main__.main, arguments).code

    def test_full_screen(self) -> None:
        """On a terminal the full screen runs, and its status is the exit status."""
        self.patch(options, "wants_full_screen", lambda chosen, environment: True)
        self.assertEqual((self.status("host"), self.ran), (3, ["asyncio", "full screen"]))

    def test_plain(self) -> None:
        """Elsewhere the plain client runs, and its status is the exit status."""
        self.patch(options, "wants_full_screen", lambda chosen, environment: False)
        self.assertEqual((self.status("host"), self.ran), (4, ["plain"]))

    def test_interrupted(self) -> None:
        """Ctrl-C before the reactor runs ends in good order."""

        def interrupt(*chosen: object) -> int:
            raise KeyboardInterrupt

        self.patch(options, "wants_full_screen", lambda chosen, environment: True)
        self.patch(full_screen_run, "run_full_screen", interrupt)
        self.assertEqual(self.status("host"), 0)

    def test_settings(self) -> None:
        """The settings are read, and wrong entries passed on. ``--no-bell`` turns off notifications as well."""
        (self.folder / "irchat" / "client.toml").write_text('server = "chat"\nloud = true\n[keys]\nhome = "c-@@"\n')
        ran: list[tuple[object, ...]] = []
        self.patch(options, "wants_full_screen", lambda chosen, environment: True)
        self.patch(full_screen_run, "run_full_screen", lambda reactor, *chosen: ran.append(chosen) or 0)
        self.assertEqual(self.status("--no-bell"), 0)
        ((chosen, settings, problems),) = ran
        self.assertEqual((chosen.address, settings.bell, settings.notify), ("chat", False, False))
        self.assertEqual(
            [problem.split(":")[0] for problem in problems], ["client.toml, line 2", "client.toml, line 4"]
        )
