"""The page without its server."""

import contextlib
import io

import pytest

from irchat.admin import main as admin
from tests.helpers.browser import BrowserCase as _BrowserCase
from tests.helpers.browser import line, open_chat, row, say


@pytest.mark.slow
class OutageTests(_BrowserCase):
    """A server that is killed, stopped, or not trusted."""

    def test_killed(self) -> None:
        """Messages typed while the server is away wait, and arrive once; the page catches up."""
        alice, bob = self.sign_up("alice"), self.sign_up("bob")
        say(alice, "before")
        self.see(row(bob, "before"))
        bob.context.set_offline(True)
        self.server.kill()
        self.see(alice.locator("#state"), "Not connected")
        say(alice, "typed meanwhile")
        self.see(row(alice, "typed meanwhile"), "not sent yet")
        say(alice, "~bob")
        self.see(alice.locator("#notice"), "commands do not wait")
        self.assertEqual(line(alice).input_value(), "~bob")
        line(alice).fill("a draft")
        self.start_server()
        bob.context.set_offline(False)
        for page in alice, bob:
            self.see_no(page.locator("#state:visible"))
            self.see(row(page, "typed meanwhile"))
            self.see_no(page.locator(".message.waits"))
            self.assertEqual(row(page, "typed meanwhile").count(), 1)
        self.assertEqual(line(alice).input_value(), "a draft")
        say(alice, "after")
        self.see(row(bob, "after"))

    def test_stopped(self) -> None:
        """An orderly restart of the server loses neither what is open nor drafts."""
        page = self.sign_up("carol")
        self.bot("dave").ask(type="send", chat="@carol", text="hi carol")
        open_chat(page, "@dave")
        self.see(row(page, "hi carol"))
        line(page).fill("a draft")
        self.server.stop()
        self.see(page.locator("#state"))
        self.start_server()
        self.see_no(page.locator("#state:visible"))
        self.see(row(page, "hi carol"))
        self.assertEqual(line(page).input_value(), "a draft")
        self.see(page.locator("#chat-name"), "@dave")

    def test_restored(self) -> None:
        """When the server's data went back to a backup, an open page shows what is there now, and what comes then."""
        page, other = self.sign_up("emma"), self.bot("fritz")
        other.ask(type="send", chat="@emma", text="in the backup")
        open_chat(page, "@fritz")
        self.see(row(page, "in the backup"))
        backup = str(self.home / "backup.sqlite")
        self.administer("backup", backup)
        say(page, "after the backup")
        self.see(row(page, "after the backup"))
        self.assertEqual(other.event("message")["text"], "after the backup")  # the page shows it before it is stored
        line(page).fill("a draft")
        self.server.stop()
        self.administer("restore", backup)
        self.start_server()
        self.see_no(row(page, "after the backup"))
        self.see(row(page, "in the backup"))
        self.assertEqual(line(page).input_value(), "a draft")
        line(page).press("Enter")
        self.see(row(page, "a draft"))

    def administer(self, *arguments: str) -> None:
        """Run a command of the administrator."""
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(admin.main(["--data", str(self.server.data), *arguments]), 0)


@pytest.mark.slow
class CertificateTests(_BrowserCase):
    """The page over TLS, with a certificate that the browser does not trust."""

    server_options = ("--rate", "0", "--registrations", "0")

    def test_untrusted(self) -> None:
        """The page works once the warning is passed. Where sockets never open, it says why."""
        self.address = f"https://localhost:{self.server.port}/"
        page = self.sign_up("emil", ignore_https_errors=True)
        say(page, "over TLS")
        self.see(row(page, "over TLS"))
        other = self.visit(ignore_https_errors=True)
        self.server.kill()
        self.fill_door(other, "emil")
        other.get_by_role("button", name="Sign in").click()
        self.see(other.get_by_role("alert"), "does not trust the certificate of the server")
