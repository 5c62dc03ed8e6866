"""A real Chromium with the page of a real server.

A test that needs it is skipped where Chromium or playwright is not installed, unless IRCHAT_TEST_SERVICES is set: there
that is an error.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.helpers.processes import JSONClient, ServerProcess
from tests.helpers.services import free_port

PASSWORD = "correct horse"
PATIENCE_MS = 60_000.0
DESKTOP, PHONE = (1200, 800), (390, 844)
CHROMIUM = "/usr/bin/chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def start_playwright() -> Any:
    """Return a running playwright. Raises SkipTest."""
    try:
        from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 -- it may be missing
    except ImportError:
        _missing("playwright")
    if not Path(CHROMIUM).exists():
        _missing("Chromium")
    expect.set_options(timeout=PATIENCE_MS)
    return sync_playwright().start()


def start_axe() -> Any:
    """Return axe-core, which checks a page. Raises SkipTest."""
    try:
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 -- it may be missing
    except ImportError:
        _missing("axe-playwright-python")
    return Axe()


def _missing(what: str) -> None:
    text = f"{what} is not installed"
    if os.environ.get("IRCHAT_TEST_SERVICES"):
        raise AssertionError(f"{text}, and IRCHAT_TEST_SERVICES asks for all services")
    raise SkipTest(text)


class BrowserCase(SynchronousTestCase):
    """Starts Chromium once for each class, and a server. A page with an error in its console fails its test."""

    server_options: tuple[str, ...] = ("--no-tls", "--rate", "0", "--registrations", "0")

    @classmethod
    def setUpClass(cls) -> None:
        """Start Chromium and a server that all tests of the class share."""
        cls.playwright = start_playwright()
        cls.browser = cls.playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        cls.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        cls.web_port = free_port()
        cls.start_server()

    @classmethod
    def tearDownClass(cls) -> None:
        """End both."""
        cls.browser.close()
        cls.playwright.stop()
        cls.stop_server()
        shutil.rmtree(cls.home, ignore_errors=True)

    @classmethod
    def start_server(cls) -> None:
        """Start the server, on the web port that the pages know."""
        cls.server = ServerProcess(cls.home, "--web-port", str(cls.web_port), *cls.server_options)
        cls.address = f"http://localhost:{cls.web_port}/"

    @classmethod
    def stop_server(cls) -> None:
        """End the server, if it runs."""
        if cls.server.process.poll() is None:
            cls.server.kill()

    def setUp(self) -> None:
        """Begin without trouble."""
        self.trouble: list[str] = []
        self.allowed = re.compile(r"WebSocket connection to|net::ERR_")

    def tearDown(self) -> None:
        """Check that no page has reported an error or a violation of its policy."""
        self.assertEqual([text for text in self.trouble if not self.allowed.search(text)], [])

    # Users.

    def bot(self, name: str) -> JSONClient:
        """Sign up a JSON client."""
        client = JSONClient(self.server, tls="--no-tls" not in self.server_options)
        self.addCleanup(client.close)
        self.assertEqual(client.ask(type="register", name=name, password=PASSWORD)["type"], "welcome")
        return client

    def visit(self, size: tuple[int, int] = DESKTOP, context: Any = None, **options: Any) -> Any:
        """Return a page in a new context: a browser without a past."""
        if context is None:
            width, height = size
            context = self.browser.new_context(viewport={"width": width, "height": height}, **options)
            self.addCleanup(context.close)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: self.trouble.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.goto(self.address)
        return page

    def fill_door(self, page: Any, name: str, password: str = PASSWORD) -> None:
        """Fill in the form of the door."""
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password", exact=True).fill(password)

    def sign_up(self, name: str, size: tuple[int, int] = DESKTOP, context: Any = None, **options: Any) -> Any:
        """Return a page with a new user."""
        page = self.visit(size, context, **options)
        self.fill_door(page, name)
        page.get_by_role("button", name="Create an account").click()
        self.see(page.locator("#me"), name, hidden=True)
        return page

    # What a page shows.

    def see(self, locator: Any, text: str | re.Pattern[str] | None = None, *, hidden: bool = False) -> None:
        """Wait until an element is there, and holds ``text``."""
        from playwright.sync_api import expect  # noqa: PLC0415 -- it may be missing

        if not hidden:
            expect(locator).to_be_visible()
        if text is not None:
            expect(locator).to_contain_text(text)

    def see_no(self, locator: Any) -> None:
        """Wait until no such element is shown."""
        from playwright.sync_api import expect  # noqa: PLC0415 -- it may be missing

        expect(locator).to_have_count(0)

    def until(self, look: Callable[[], object], page: Any) -> None:
        """Wait until ``look`` returns something true. The page goes on meanwhile."""
        for _ in range(int(PATIENCE_MS / 50)):
            if look():
                return
            page.wait_for_timeout(50)
        self.fail("waited in vain")


def row(page: Any, text: str) -> Any:
    """Return the row of a message with that text."""
    return page.locator("#log .message").filter(has=page.locator(".body", has_text=text))


def line(page: Any) -> Any:
    """Return the input."""
    return page.get_by_role("textbox", name="Message", exact=True)


def say(page: Any, text: str) -> None:
    """Type a line and Enter."""
    line(page).fill(text)
    line(page).press("Enter")


def open_chat(page: Any, name: str) -> None:
    """Open a chat from the list."""
    page.locator("#chats .entry").filter(has=page.get_by_text(name, exact=True)).click()


def menu(page: Any, text: str, entry: str) -> None:
    """Choose an entry of the menu of a message."""
    row(page, text).hover()
    row(page, text).get_by_role("button", name="What to do with this message").click()
    page.get_by_role("menuitem", name=entry, exact=True).click()
