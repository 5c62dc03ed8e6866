"""The full-screen client in tmux: its scrollback, and characters of unusual width."""

import shutil

import pytest

from tests.helpers.multiplexers import SECRET, Tmux
from tests.helpers.multiplexers import MultiplexerCase as _MultiplexerCase
from tests.helpers.processes import wait_for


@pytest.mark.slow
class TmuxTests(_MultiplexerCase):
    """The full-screen client in tmux."""

    skip = None if shutil.which("tmux") else "tmux is not installed"

    def tmux(self, *, alternate_screen: bool = True) -> Tmux:
        """Start a tmux that ends with the test."""
        tmux = Tmux(self.home, alternate_screen=alternate_screen)
        self.addCleanup(tmux.close)
        return tmux

    def test_timed_message(self) -> None:
        """On the alternate screen a timed message leaves no copy."""
        self.check_timed(self.tmux())

    def test_timed_message_without_alternate_screen(self) -> None:
        """Without an alternate screen a timed message leaves no copy."""
        self.check_timed(self.tmux(alternate_screen=False))

    def test_deleted_messages(self) -> None:
        """A deleted message is in no scrollback, full-screen or plain, and can be neither recalled nor pasted."""
        bob = self.bot("bob")
        tmux = self.tmux(alternate_screen=False)
        for options in "", " --plain":
            self.enter(tmux, options, "!help shows" if options else "F1: help")
            tmux.type(SECRET)
            sent = bob.event("message")["seq"]
            bob.ask(type="send", chat="GLOBAL", text=f"{SECRET} of bob")
            tmux.expect(f"{SECRET} of bob")
            for number in range(30):
                bob.ask(type="send", chat="GLOBAL", text=f"after {number}")
            tmux.expect("after 29")
            if not options:
                tmux.press("\x1b[5~\x1b[F")
                tmux.press(f"#{sent}= {SECRET} again\x15")  # cut, and not sent
            bob.ask(type="amend", chat="GLOBAL", seq=sent + 1, delete=True)
            tmux.type(f"#{sent}-")
            self.assertTrue(bob.event("amended")["deleted"])
            wait_for(lambda: SECRET not in tmux.everything(), "the deleted text to go", tmux.everything)
            if not options:
                tmux.press("\x19!")
                tmux.expect("GLOBAL> !")
                tmux.press("\x15\x1b[A\x1b[A")
                tmux.expect(f"GLOBAL> #{sent}-")
                tmux.press("\x15")
            tmux.type("exit")
            tmux.expect("$")
            self.assertNotIn(SECRET, tmux.everything())

    def test_control(self) -> None:
        """A naive clear leaves a copy, which proves that the other tests would find one."""
        self.check_control(self.tmux(alternate_screen=False))

    def test_emoji_and_right_to_left(self) -> None:
        """Emoji of several code points, wide and right-to-left letters leave nothing behind when they are erased."""
        bob = self.bot("דוד")
        bob.ask(type="send", chat="GLOBAL", text="first")
        tmux = self.tmux()
        self.enter(tmux)
        bob.ask(type="send", chat="@alice", text="👩‍💻🇩🇪✌️ שלום 日本語 " * 5)
        tmux.expect("1 unread")
        tmux.run("send-keys", "M-0")
        tmux.expect("▸ @דוד")
        tmux.type("")
        tmux.expect("שלום")
        tmux.type("plain")
        tmux.expect("alice ┃ plain")
        tmux.run("send-keys", "M-0")
        screen = tmux.expect("Nothing unread")
        self.assertNotRegex(screen, "[👩💻✌日ש│┃]")

    def test_bell(self) -> None:
        """A message that alerts rings the bell of tmux, also in a window that is not shown."""
        bob = self.bot("bob")
        tmux = self.tmux()
        self.enter(tmux)
        tmux.run("new-window", "sh")
        self.assertEqual(tmux.run("list-windows", "-F", "#{window_bell_flag}").split(), ["0", "0"])
        bob.ask(type="send", chat="@alice", text="hi")
        wait_for(
            lambda: tmux.run("list-windows", "-F", "#{window_bell_flag}").split() == ["1", "0"], "the bell", tmux.text
        )
