"""The full screen in GNU screen: what is left in its scrollback."""

import shutil

import pytest

from tests.helpers.multiplexers import GnuScreen
from tests.helpers.multiplexers import MultiplexerCase as _MultiplexerCase


@pytest.mark.slow
class GnuScreenTests(_MultiplexerCase):
    """In GNU screen."""

    skip = None if shutil.which("screen") else "GNU screen is not installed"

    def gnu_screen(self, *, alternate_screen: bool = False) -> GnuScreen:
        """A session that ends with the test; without an alternate screen, as GNU screen is by default."""
        screen = GnuScreen(self.home, alternate_screen=alternate_screen)
        self.addCleanup(screen.close)
        return screen

    def test_timed_message(self) -> None:
        """On the one screen that there is a timed message leaves no copy."""
        self.check_timed(self.gnu_screen())

    def test_timed_message_on_alternate_screen(self) -> None:
        """With an alternate screen it leaves none either."""
        self.check_timed(self.gnu_screen(alternate_screen=True))

    def test_control(self) -> None:
        """A naive clear does leave a copy: the tests beside this one would notice it."""
        self.check_control(self.gnu_screen())
