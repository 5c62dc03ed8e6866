"""The full screen in tmux: what is left in its scrollback, and what a real terminal makes of odd letters."""

import contextlib
import subprocess
import sys
from pathlib import Path

from tests.processes import environment, wait_for
from tests.test_terminal_full_screen import FullScreenCase as _FullScreenCase

_SECRET = "the secret word"


class Tmux:
    """A tmux server of our own with a shell in a pane of 80 by 24."""

    def __init__(self, home: Path, *, alternate_screen: bool) -> None:
        self._home = home
        self._socket = home / "tmux"
        (home / "tmux.conf").write_text(
            f"set -g alternate-screen {'on' if alternate_screen else 'off'}\nset -g history-limit 5000\n"
        )
        self.run("-f", str(home / "tmux.conf"), "new-session", "-d", "-x", "80", "-y", "24", "env PS1='$ ' sh -i")

    def run(self, *arguments: str) -> str:
        """Run a command of tmux; gives what it prints."""
        command = ["tmux", "-u", "-S", str(self._socket), *arguments]
        env = {**environment(self._home), "LC_ALL": "C.UTF-8"}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout

    def type(self, text: str) -> None:
        """Type a text and Enter."""
        self.run("send-keys", "-l", text)
        self.run("send-keys", "Enter")

    def text(self) -> str:
        """The screen."""
        return self.run("capture-pane", "-p")

    def everything(self) -> str:
        """The screen, the scrollback, and the other screen where there is one."""
        everything = self.run("capture-pane", "-p", "-S", "-")
        with contextlib.suppress(subprocess.CalledProcessError):  # there is no other screen
            everything += self.run("capture-pane", "-p", "-a", "-S", "-", "-q")
        return everything

    def expect(self, wanted: str) -> str:
        """Wait until the screen shows ``wanted``."""
        return wait_for(lambda: text if wanted in (text := self.text()) else None, f"{wanted!r}", self.text)

    def expect_gone(self, unwanted: str) -> None:
        """Wait until the screen does not show ``unwanted``."""
        wait_for(lambda: unwanted not in self.text(), f"{unwanted!r} to go", self.text)

    def close(self) -> None:
        """End it."""
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], check=False, capture_output=True)


class TmuxTests(_FullScreenCase):
    """In tmux."""

    def tmux(self, *, alternate_screen: bool = True) -> Tmux:
        """A tmux that ends with the test, the client in it."""
        tmux = Tmux(self.home, alternate_screen=alternate_screen)
        self.addCleanup(tmux.close)
        tmux.expect("$")
        return tmux

    def enter(self, tmux: Tmux) -> None:
        """Start the client, as alice."""
        tmux.type(f"{sys.executable} -m irchat.client --no-tls alice@127.0.0.1:{self.server.port}")
        tmux.expect("F1: help")

    def check_timed(self, *, alternate_screen: bool) -> None:
        """A timed message among many others is shown, gone in time, and nowhere when the client has ended."""
        bob = self.bot("bob")
        tmux = self.tmux(alternate_screen=alternate_screen)
        self.enter(tmux)
        tmux.type("hello")
        tmux.expect("alice ┃ hello")
        for number in range(60):
            bob.ask(type="send", chat="GLOBAL", text=f"before {number}")
        bob.ask(type="send", chat="GLOBAL", text=_SECRET, expires_in=3)
        tmux.expect(_SECRET)
        for number in range(10):
            bob.ask(type="send", chat="GLOBAL", text=f"after {number}")
        tmux.run("send-keys", "PageUp")
        tmux.expect("below: End")
        tmux.run("send-keys", "End")
        tmux.expect("after 9")
        tmux.expect_gone(_SECRET)
        self.assertNotIn(_SECRET, tmux.everything())
        tmux.type("exit")
        tmux.expect("$")
        everything = tmux.everything()
        self.assertNotIn(_SECRET, everything)
        self.assertNotIn("before", everything)

    def test_timed_message(self) -> None:
        """On the alternate screen a timed message leaves no copy."""
        self.check_timed(alternate_screen=True)

    def test_timed_message_without_alternate_screen(self) -> None:
        """Where there is no alternate screen it leaves none either."""
        self.check_timed(alternate_screen=False)

    def test_control(self) -> None:
        """A naive clear does leave a copy: the tests beside this one would notice it."""
        tmux = self.tmux(alternate_screen=False)
        tmux.type(f"printf '{_SECRET}\\n'; sleep 0.2; printf '\\033[H\\033[2J'")
        tmux.expect_gone(_SECRET)
        self.assertIn(f"\n{_SECRET}\n", tmux.everything())

    def test_emoji_and_right_to_left(self) -> None:
        """Emoji of several code points, wide and right-to-left letters leave nothing of themselves when they go."""
        bob = self.bot("דוד")
        bob.ask(type="send", chat="GLOBAL", text="first")
        tmux = self.tmux()
        self.enter(tmux)
        bob.ask(type="send", chat="@alice", text="👩‍💻🇩🇪✌️ שלום 日本語 " * 5)
        tmux.expect("@דוד")
        tmux.type("")
        tmux.expect("שלום")
        tmux.type("plain")
        tmux.expect("alice ┃ plain")
        tmux.run("send-keys", "M-0")
        screen = tmux.expect("Nothing unread")
        self.assertNotRegex(screen, "[👩💻✌日ש│┃]")
