"""tmux and GNU screen for tests: a shell of 80 by 24, its screen, and the scrollback."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from tests.helpers.processes import PATIENCE, environment, wait_for
from tests.whole.terminals.test_terminal import FullScreenCase as _FullScreenCase

SECRET = "the secret word"
_SIZE = 80, 24
# Tries of a query to GNU screen.
_QUERIES = 6


class Multiplexer:
    """Base of both multiplexers."""

    def press(self, text: str) -> None:
        """Press keys."""
        raise NotImplementedError

    def text(self) -> str:
        """Return the screen."""
        raise NotImplementedError

    def everything(self) -> str:
        """Return the screen and everything else that is kept."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop the multiplexer."""
        raise NotImplementedError

    def type(self, text: str) -> None:
        """Type a text and Enter."""
        self.press(f"{text}\r")

    def expect(self, wanted: str) -> str:
        """Wait until the screen shows ``wanted``."""
        return wait_for(lambda: text if wanted in (text := self.text()) else None, f"{wanted!r}", self.text)

    def expect_gone(self, unwanted: str) -> None:
        """Wait until the screen does not show ``unwanted``."""
        wait_for(lambda: unwanted not in self.text(), f"{unwanted!r} to go", self.text)


class Tmux(Multiplexer):
    """A tmux server of its own."""

    def __init__(self, home: Path, *, alternate_screen: bool) -> None:
        self._home = home
        self._socket = home / "tmux"
        (home / "tmux.conf").write_text(
            f"set -g alternate-screen {'on' if alternate_screen else 'off'}\nset -g history-limit 5000\n"
        )
        columns, lines = map(str, _SIZE)
        shell = "env PS1='$ ' sh -i"
        self.run("-f", str(home / "tmux.conf"), "new-session", "-d", "-x", columns, "-y", lines, shell)

    def run(self, *arguments: str) -> str:
        """Run a tmux command. Return its output."""
        command = ["tmux", "-u", "-S", str(self._socket), *arguments]
        env = {**environment(self._home), "LC_ALL": "C.UTF-8"}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout

    def press(self, text: str) -> None:
        """Press keys."""
        self.run("send-keys", "-l", text)

    def text(self) -> str:
        """Return the screen."""
        return self.run("capture-pane", "-p")

    def everything(self) -> str:
        """Return the screen, the scrollback, and the alternate screen if there is one."""
        everything = self.run("capture-pane", "-p", "-S", "-")
        with contextlib.suppress(subprocess.CalledProcessError):  # there is no alternate screen
            everything += self.run("capture-pane", "-p", "-a", "-S", "-", "-q")
        return everything

    def close(self) -> None:
        """Stop the multiplexer."""
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], check=False, capture_output=True)


class GnuScreen(Multiplexer):
    """A detached session of GNU screen."""

    def __init__(self, home: Path, *, alternate_screen: bool) -> None:
        self._copy = home / "hardcopy"
        sockets = home / "screen"
        sockets.mkdir(mode=0o700)
        (home / "screenrc").write_text(
            f"altscreen {'on' if alternate_screen else 'off'}\ndefscrollback 5000\ndefutf8 on\nstartup_message off\n"
        )
        self._env = {**environment(home), "LC_ALL": "C.UTF-8", "SCREENDIR": str(sockets), "PS1": "$ "}
        # In the foreground, so that it is our child. Its shell leads a session of its own.
        command = ["screen", "-D", "-m", "-S", "test", "-c", str(home / "screenrc"), "sh", "-i"]
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        self._process = subprocess.Popen(command, cwd=home, env=self._env, **streams)
        wait_for(lambda: os.listdir(sockets), "GNU screen to start")

    def run(self, *arguments: str, timeout: float = PATIENCE) -> None:
        """Have the session run a command (-X) or answer a query (-Q)."""
        command = ["screen", "-S", "test", "-p", "0", *arguments]
        subprocess.run(command, env=self._env, check=True, capture_output=True, timeout=timeout)

    def press(self, text: str) -> None:
        """Press keys."""
        self.run("-X", "stuff", text.replace("\\", "\\\\").replace("^", "\\^").replace("$", "\\$"))

    def text(self) -> str:
        """Return the screen."""
        return self._hardcopy()

    def everything(self) -> str:
        """Return the screen and the scrollback."""
        return self._hardcopy("-h")

    def close(self) -> None:
        """Stop the multiplexer."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _wait_until_done(self) -> None:
        """Wait for the answer to a query, which comes after everything before it is done. Screen can lose a query."""
        for _ in range(_QUERIES):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.run("-Q", "number", timeout=PATIENCE / _QUERIES)
                return
        raise AssertionError("GNU screen answers no query")

    def _hardcopy(self, *options: str) -> str:
        self._copy.unlink(missing_ok=True)
        self.run("-X", "hardcopy", *options, str(self._copy))
        self._wait_until_done()
        return self._copy.read_bytes().decode("utf-8", "replace")


class MultiplexerCase(_FullScreenCase):
    """The client inside a multiplexer."""

    def enter(self, terminal: Multiplexer, options: str = "", shown: str = "F1: help") -> None:
        """Start the client, as alice, and wait until ``shown`` is on the screen."""
        terminal.expect("$")
        terminal.type(f"{sys.executable} -m irchat.client --no-tls{options} alice@127.0.0.1:{self.server.port}")
        terminal.expect(shown)

    def check_timed(self, terminal: Multiplexer) -> None:
        """Check that a timed message is shown, erased in time, and nowhere after the client has ended."""
        bob = self.bot("bob")
        self.enter(terminal)
        terminal.type("hello")
        terminal.expect("hello")
        for number in range(60):
            bob.ask(type="send", chat="GLOBAL", text=f"before {number}")
        bob.ask(type="send", chat="GLOBAL", text=SECRET, expires_in=3)
        terminal.expect(SECRET)
        for number in range(10):
            bob.ask(type="send", chat="GLOBAL", text=f"after {number}")
        terminal.press("\x1b[5~")
        terminal.expect("below: End")
        terminal.press("\x1b[F")
        terminal.expect("after 9")
        terminal.expect_gone(SECRET)
        self.assertNotIn(SECRET, terminal.everything())
        terminal.type("exit")
        terminal.expect("$")
        everything = terminal.everything()
        self.assertNotIn(SECRET, everything)
        self.assertNotIn("before", everything)

    def check_control(self, terminal: Multiplexer) -> None:
        """Check that a naive clear does leave a copy."""
        terminal.expect("$")
        terminal.type(f"printf '{SECRET}\\n'; sleep 0.2; printf '\\033[H\\033[2J'; echo do''ne")
        terminal.expect("done")  # which is not what was typed
        terminal.expect_gone(SECRET)
        self.assertIn(f"\n{SECRET}\n", terminal.everything())
