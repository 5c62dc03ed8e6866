"""Full screens over SSH, in real terminals."""

import os
import signal

import pytest

from tests.helpers.processes import wait_for
from tests.helpers.ssh_clients import PASSWORD, SSHCase

pytestmark = pytest.mark.slow

_CTRL_C, _CTRL_D, _CTRL_Z = b"\x03", b"\x04", b"\x1a"


class ScreenTests(SSHCase):
    """Users in the full screen."""

    def test_new_user(self) -> None:
        """A guest signs up on the screen with the SSH name as suggestion, chats, resizes, and leaves with status 0."""
        screen = self.screen("carol")
        screen.expect("Your name: carol")
        screen.press(b"\r")
        for question in "New password:", "New password again:":
            screen.expect(question)
            screen.press(PASSWORD.encode())
            screen.expect("*" * len(PASSWORD))
            screen.press(b"\r")
        screen.expect("Welcome to IRChat, carol!")
        screen.press("héllo 🎉\r".encode())
        message = self.alice.event("message")
        self.assertEqual((message["from"], message["text"]), ("carol", "héllo 🎉"))
        self.alice.ask(type="send", chat="GLOBAL", text="welcome, carol")
        screen.expect("welcome, carol")
        screen.resize(50, 12)
        screen.expect_gone("Online")
        screen.press(_CTRL_Z)
        screen.expect("no shell")
        screen.press(b"exit\r")
        self.assertEqual(screen.wait(), 0)
        self.assertIn(b"\x1b[?1049l", screen.output)
        self.assertNotIn("welcome, carol", "\n".join(screen.screen.display))

    def test_user_with_a_key(self) -> None:
        """A key signs in at once. Timed messages are shown and erased. Ctrl-D, Ctrl-C twice and a kill leave."""
        screen = self.screen("alice", key="alice")
        screen.expect("alice@")
        bob = self.json("bob")
        bob.ask(type="send", chat="@alice", text="this ends", expires_in=4)
        screen.expect("1 unread")
        screen.press(b"ls @bob\r")
        screen.expect("this ends")
        screen.expect_gone("this ends")
        screen.press(_CTRL_D)
        self.assertEqual(screen.wait(), 0)
        screen = self.screen("alice", key="alice")
        screen.expect("alice@")
        screen.press(_CTRL_C)
        screen.expect("Ctrl-C again")
        screen.press(_CTRL_C)
        self.assertEqual(screen.wait(), 0)
        self.alice.close()
        screen = self.screen("alice", key="alice")
        screen.expect("alice@")
        bob.events.clear()
        screen.process.kill()
        wait_for(lambda: "alice" in bob.event("presence")["offline"], "alice to be gone")

    def test_stalled_terminal(self) -> None:
        """While a client does not read, few frames are drawn for it, and others go on. It then shows the last one."""
        stalled, other = self.screen("alice", key="alice"), self.screen("alice", key="alice")
        for screen in stalled, other:
            screen.expect("alice@")
        os.kill(stalled.process.pid, signal.SIGSTOP)
        bob = self.json("bob")
        for number in range(300):
            bob.ask(type="send", chat="GLOBAL", text=f"{number} " + "x" * 30)
        other.expect("299 xxx")
        os.kill(stalled.process.pid, signal.SIGCONT)
        stalled.expect("299 xxx")
        stalled.press(b"still here\r")
        self.assertEqual(bob.event("message")["text"], "still here")

    def test_key_is_removed(self) -> None:
        """Removing a key ends its sessions with a line."""
        screen = self.screen("alice", key="alice")
        screen.expect("alice@")
        self.alice.ask(type="remove_key", number=1)
        self.assertEqual(screen.wait() != 0, True)
        self.assertEqual(self.run_ssh("alice", "ls", key="alice").returncode, 1)

    def test_many_screens(self) -> None:
        """Users who come and go leave nothing behind, and ten channels share a connection, but not eleven."""
        control = str(self.home / "control")
        master = self.screen("alice", "-M", "-S", control, key="alice")
        master.expect("alice@")
        others = []
        for _ in range(9):
            other = self.screen("alice", "-S", control, key="alice")
            others.append(other)
        for other in others:
            other.expect("alice@")
        refused = self.run_program("ssh", "-S", control, "-o", "BatchMode=yes", "-p", "1", "alice@127.0.0.1", "ls")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("refused", refused.stderr)
        for other in others:
            other.press(b"exit\r")
        for other in others:
            self.assertEqual(other.wait(), 0)
        master.press(b"still here\r")
        self.assertEqual(self.alice.event("message")["text"], "still here")
