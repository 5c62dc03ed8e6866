"""Timed messages in the browser leave no trace."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.browser import CHROMIUM, OPTIONS, line, menu, open_chat, row, say
from tests.helpers.browser import BrowserCase as _BrowserCase

_SECRET = "xylophonequartz"
_KEPT = "() => JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie, location.href, document.title])"


@pytest.mark.slow
class TimedTests(_BrowserCase):
    """Timed messages."""

    def assert_gone(self, page: Any) -> None:
        """Check that the page and what it keeps hold no trace of the text."""
        self.see_no(page.locator("#log .message.timed"))
        self.assertNotIn(_SECRET, page.content())
        self.assertNotIn(_SECRET, page.evaluate(_KEPT))
        self.assertNotIn(_SECRET, line(page).input_value())

    def test_ends(self) -> None:
        """A timed message counts down, ends on both sides, and may be taken back."""
        alice, bob = self.sign_up("alice"), self.sign_up("bob")
        say(alice, f"*6*hi {_SECRET}")
        self.see(alice.locator("#notice.error"))
        alice.get_by_role("button", name="Timed message").click()
        alice.get_by_role("button", name="30 seconds").click()
        self.assertTrue(line(alice).input_value().startswith("*30* "))
        say(alice, f"*8* hi {_SECRET}")
        self.see(row(bob, _SECRET).locator(".left"), "s left")
        self.see(row(alice, _SECRET).locator(".countdown"), "reached 1 of 1")
        shown = row(bob, _SECRET).locator(".left").inner_text()
        self.until(lambda: row(bob, _SECRET).locator(".left").inner_text() != shown, bob)
        for page in alice, bob:
            self.assert_gone(page)
        say(alice, f"*600@bob {_SECRET}")
        open_chat(bob, "@alice")
        self.see(row(bob, _SECRET))
        self.assertNotIn(_SECRET, bob.title())
        open_chat(alice, "@bob")
        menu(alice, _SECRET, "Take back")
        for page in alice, bob:
            self.assert_gone(page)

    def test_own_clock(self) -> None:
        """Without a connection a message ends by the clock of the browser, also one that jumps."""
        page = self.sign_up("carol")
        page.clock.install()
        page.reload()
        self.see(page.locator("#me"), "carol")
        self.bot("eva").ask(type="send", chat="@carol", text="hi")
        open_chat(page, "@eva")
        say(page, f"*600@eva {_SECRET}")
        self.see(row(page, _SECRET))
        page.context.set_offline(True)
        page.clock.run_for(590_000)
        self.see(row(page, _SECRET))
        page.clock.run_for(12_000)
        self.assert_gone(page)

    def test_while_loading(self) -> None:
        """A timed message that is said while the page of its chat is on its way is shown after it."""
        held: list[tuple[Any, str]] = []
        passed: list[str] = []

        def route(page_side: Any) -> None:
            def take(text: str) -> None:
                if not passed and '"type":"history"' in text:
                    held.append((page_side, text))
                else:
                    page_side.send(text)
                    passed.extend([text] if _SECRET in text else [])

            page_side.connect_to_server().on_message(take)

        eve = self.bot("eve")
        context = self.browser.new_context()
        self.addCleanup(context.close)
        context.route_web_socket("**", route)
        page = self.sign_up("fay", context=context)
        self.until(lambda: bool(held), page)
        eve.ask(type="line", line=f"*600* {_SECRET}")
        self.until(lambda: bool(passed), page)
        for page_side, text in held:
            page_side.send(text)
        self.see(row(page, _SECRET))

    def test_no_file(self) -> None:
        """No file of the browser's profile holds the text, after reload, navigation, back and the end."""
        profile = self.home / "profile"
        context = self.playwright.chromium.launch_persistent_context(
            str(profile), executable_path=CHROMIUM, args=OPTIONS
        )
        try:
            page = self.sign_up("dora", context=context)
            page.locator("#log").wait_for()
            say(page, f"*600* {_SECRET}")
            self.see(row(page, _SECRET))
            page.reload()
            self.see(row(page, _SECRET))
            line(page).fill(f"*600* draft {_SECRET}")
            page.goto("about:blank")
            page.go_back()
            self.see(row(page, _SECRET))
            self.assertEqual(line(page).input_value(), "")
            page.goto("about:blank")
            page.wait_for_timeout(500)
        finally:
            context.close()
        files = [file for file in Path(profile).rglob("*") if file.is_file()]
        self.assertGreater(len(files), 20)
        for encoding in "utf-8", "utf-16-le":
            text = _SECRET.encode(encoding)
            self.assertEqual([str(file) for file in files if text in file.read_bytes()], [])
