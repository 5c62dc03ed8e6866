"""The full-screen client in GNU screen: its scrollback holds no timed message."""

import shutil

import pytest

from tests.helpers.multiplexers import GnuScreen
from tests.helpers.multiplexers import MultiplexerCase as _MultiplexerCase


@pytest.mark.slow
class GnuScreenTests(_MultiplexerCase):
    """The full-screen client in GNU screen."""

    skip = None if shutil.which("screen") else "GNU screen is not installed"

    def gnu_screen(self, *, alternate_screen: bool = False) -> GnuScreen:
        """Start a session that ends with the test. GNU screen has no alternate screen by default."""
        screen = GnuScreen(self.home, alternate_screen=alternate_screen)
        self.addCleanup(screen.close)
        return screen

    def test_timed_message(self) -> None:
        """Without an alternate screen a timed message leaves no copy."""
        self.check_timed(self.gnu_screen())

    def test_timed_message_on_alternate_screen(self) -> None:
        """With an alternate screen a timed message leaves no copy."""
        self.check_timed(self.gnu_screen(alternate_screen=True))

    def test_control(self) -> None:
        """A naive clear leaves a copy, which proves that the other tests would find one."""
        self.check_control(self.gnu_screen())
