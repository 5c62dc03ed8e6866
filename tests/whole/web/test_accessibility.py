"""The page for everyone: axe-core, the keyboard alone, and small screens."""

from typing import Any

import pytest

from tests.helpers.browser import DESKTOP, PHONE, line, menu, row, say, start_axe
from tests.helpers.browser import BrowserCase as _BrowserCase


@pytest.mark.slow
class AccessibilityTests(_BrowserCase):
    """Rules, keys and widths."""

    def assert_clean(self, page: Any, where: str) -> None:
        """Check the page as it is with axe-core."""
        found = start_axe().run(page).response["violations"]
        shown = [f"{item['id']}: {node['html']} {node['failureSummary']}" for item in found for node in item["nodes"]]
        self.assertEqual(shown, [], where)

    def test_axe(self) -> None:
        """Neither the door, the chat, its menu nor its dialogs violate a rule, light or dark, wide or narrow."""
        number = 0
        for size in DESKTOP, PHONE:
            for scheme in "light", "dark":
                number += 1
                where = f"{scheme} {size}"
                page = self.visit(size, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
                self.assert_clean(page, f"door {where}")
                self.fill_door(page, f"user{number}")
                page.get_by_role("button", name="Create an account").click()
                self.see(page.locator("#log"))
                for text in (
                    "hello, see https://example.org",
                    f"calls @user{number}",
                    "#1 an answer",
                    "*600* timed",
                    "#1+ok",
                ):
                    say(page, text)
                say(page, "!help *")
                self.see(page.locator(".countdown").last)
                self.see(page.locator("#notice"))
                self.assert_clean(page, f"chat {where}")
                page.locator("#notice-close").click()
                line(page).fill("!")
                self.see(page.locator("#offers"))
                self.assert_clean(page, f"offers {where}")
                line(page).fill("")
                page.locator(".row-more").last.click()
                self.see(page.get_by_role("menu"))
                self.assert_clean(page, f"menu {where}")
                page.keyboard.press("Escape")
                for button, dialog in (
                    ("Settings", "settings"),
                    ("Search messages", "search"),
                    ("Timed message", "time"),
                ):
                    if dialog != "time" and size == PHONE:
                        page.get_by_role("button", name="Chats").click()
                    page.get_by_role("button", name=button).click()
                    self.see(page.locator(f"#{dialog}"))
                    self.assert_clean(page, f"{dialog} {where}")
                    page.keyboard.press("Escape")
                page.context.close()

    def test_keyboard(self) -> None:
        """Everything works without a mouse: sign up, write, choose a message and its menu, a dialog, and back."""
        page = self.visit()
        keys = page.keyboard
        keys.type("karl")
        keys.press("Tab")
        keys.type("correct horse")
        for _ in range(3):
            keys.press("Tab")
        keys.press("Enter")
        self.see(line(page).and_(page.locator(":focus")))
        for text in "one", "two", "three":
            keys.type(text)
            keys.press("Enter")
            self.see(row(page, text))
        self.see_no(page.locator(".message.waits"))
        keys.press("Shift+Tab")
        self.see(page.locator(".message:focus"), "three")
        keys.press("ArrowUp")
        self.see(page.locator(".message:focus"), "two")
        keys.press("Enter")
        self.see(page.get_by_role("menuitem", name="Answer").and_(page.locator(":focus")))
        keys.press("Escape")
        self.see_no(page.locator("#row-menu:visible"))
        self.see(page.locator(".message:focus-within"), "two")
        keys.press("Enter")
        keys.press("ArrowDown")
        keys.press("Enter")
        self.see(row(page, "two").locator(".mark"), "1")
        self.see(page.locator(".message:focus-within"), "two")
        keys.press("Enter")
        keys.press("Enter")
        self.assertRegex(line(page).input_value(), r"^#\d+ $")
        keys.type("the answer")
        keys.press("Enter")
        self.see(row(page, "the answer").locator(".quote"), "two")
        stops = 0
        while not page.locator("#open-settings:focus").count():
            keys.press("Tab")
            stops += 1
            self.assertLess(stops, 20)
        keys.press("Enter")
        self.see(page.locator("#settings"))
        keys.press("Escape")
        self.see(page.locator("#open-settings:focus"))

    def test_narrow(self) -> None:
        """On a phone the list slides in, nothing is wider than the screen, and the input is below all."""
        self.bot("zoe")
        page = self.sign_up("lena", PHONE)
        say(page, "w" * 300)
        say(page, "https://example.org/" + "long/" * 60)
        self.see(row(page, "www"))
        self.see_no(page.locator("#side:visible"))
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), PHONE[0])
        menu(page, "www", "Answer")
        page.get_by_role("button", name="Chats").click()
        page.locator("#people .entry", has_text="zoe").click()
        self.see(page.locator("#chat-name"), "@zoe")
        self.see_no(page.locator("#side:visible"))
        box = line(page).bounding_box()
        self.assertLessEqual(box["y"] + box["height"], PHONE[1])
