"""The page on different devices: alerts, touch, input methods, files, and other media than a screen."""

from typing import Any

import pytest

from tests.helpers.browser import PHONE, line, row, say
from tests.helpers.browser import BrowserCase as _BrowserCase

# Stand-ins for what a test cannot see: notifications, sound, and the focus of the window.
_STAND_INS = """
    window.seen = [];
    window.looks = true;
    document.hasFocus = () => window.looks;
    window.Notification = class {
        static permission = "default";
        static async requestPermission() { window.seen.push("asked"); return (this.permission = "granted"); }
        constructor(title, { body }) { window.seen.push(`${title}: ${body}`); }
        close() {}
    };
    const node = { connect: (to) => to, frequency: {}, start() {}, stop() {} };
    node.gain = { setValueAtTime() {}, exponentialRampToValueAtTime() {} };
    window.AudioContext = class {
        constructor() { window.seen.push("sound"); }
        createOscillator() { return node; }
        createGain() { return node; }
    };
"""
_FILE = """(type) => {
    const carried = new DataTransfer();
    carried.items.add(new File(["x"], "x.txt"));
    const given = { bubbles: true, cancelable: true };
    const event = type === "paste"
        ? new ClipboardEvent(type, { ...given, clipboardData: carried })
        : new DragEvent(type, { ...given, dataTransfer: carried });
    return document.getElementById("line").dispatchEvent(event);
}"""
_PASTED = """(size) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", "x y ".repeat(size / 4));
    const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData });
    return document.getElementById("line").dispatchEvent(event);
}"""
_HELD = "it => it.dispatchEvent(new PointerEvent('contextmenu', { bubbles: true, cancelable: true }))"
_KEY = """([key, given]) => document.getElementById("line").dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...given }))"""


@pytest.mark.slow
class DeviceTests(_BrowserCase):
    """Alerts, touch, input and media."""

    def alerts(self, page: Any) -> list[str]:
        """Return the notifications so far, and forget them."""
        found: list[str] = page.evaluate("() => window.seen.splice(0)")
        return found

    def test_alerts(self) -> None:
        """Alerts are asked for by a click alone, follow the setting of each chat, and name no timed text."""
        context = self.browser.new_context()
        self.addCleanup(context.close)
        context.add_init_script(_STAND_INS)
        page = self.sign_up("alice", context=context)
        bob = self.bot("bob")
        bob.ask(type="send", chat="@alice", text="before")
        self.see(page.locator("#chats .entry", has_text="@bob"))
        self.assertEqual(self.alerts(page), [])
        page.get_by_role("button", name="Settings").click()
        page.get_by_role("button", name="Allow notifications").click()
        page.keyboard.press("Escape")
        page.evaluate("() => { window.looks = false; }")
        bob.ask(type="send", chat="@alice", text="a private one")
        bob.ask(type="send", chat="@alice", text="a secret", expires_in=600)
        bob.ask(type="send", chat="GLOBAL", text="to all")
        bob.ask(type="send", chat="GLOBAL", text="for @alice")
        self.see(row(page, "for @alice"))
        private = "New message from bob: "
        self.assertEqual(
            self.alerts(page),
            [
                "asked",
                f"{private}a private one",
                f"{private}timed message",
                "New message from bob in GLOBAL: for @alice",
            ],
        )
        page.locator("#chat-alert").click()
        self.see(page.locator("#chat-alert"), "none")
        bob.ask(type="send", chat="GLOBAL", text="again for @alice")
        say(page, "of my own")
        self.see(row(page, "of my own"))
        self.see(row(page, "again for @alice"))
        self.assertEqual(self.alerts(page), [])
        page.get_by_role("button", name="Settings").click()
        page.get_by_label("Sound").check()
        page.keyboard.press("Escape")
        self.assertEqual(self.alerts(page), ["sound"])
        bob.ask(type="send", chat="@alice", text="a loud one")
        self.until(lambda: page.evaluate("() => window.seen.length") == 2, page)
        self.assertEqual(self.alerts(page), ["sound", f"{private}a loud one"])
        # A page that nobody has used yet may not play.
        page.evaluate("Object.defineProperty(navigator, 'userActivation', { value: { hasBeenActive: false } })")
        bob.ask(type="send", chat="@alice", text="a silent one")
        bob.ask(type="send", chat="GLOBAL", text="the end")
        self.see(row(page, "the end"))
        self.assertEqual(self.alerts(page), [f"{private}a silent one"])

    def test_touch(self) -> None:
        """On a touch screen Enter begins a new line, a button sends, and the menu of a message can be reached."""
        page = self.sign_up("carol", PHONE, has_touch=True, is_mobile=True)
        line(page).fill("one")
        line(page).press("Enter")
        line(page).press_sequentially("two")
        self.assertEqual(line(page).get_attribute("enterkeyhint"), "enter")
        page.get_by_role("button", name="Send").tap()
        self.see(row(page, "two"), "one\ntwo")
        self.see_no(page.locator(".message.waits"))
        row(page, "two").locator(".row-more").tap()
        self.see(page.get_by_role("menu"))
        page.keyboard.press("Escape")
        self.see_no(page.locator("#row-menu:visible"))
        # What Chromium on Android reports after a long press. Without a screen it reports none.
        self.assertFalse(row(page, "two").locator(".body").evaluate(_HELD))
        page.get_by_role("menuitem", name="Answer").tap()
        self.assertRegex(line(page).input_value(), r"^#\d+ $")
        page.set_viewport_size({"width": PHONE[0], "height": 420})
        self.until(lambda: line(page).bounding_box()["y"] + line(page).bounding_box()["height"] <= 420, page)
        self.see(row(page, "two"))

    def test_zoomed(self) -> None:
        """On a desktop that is zoomed to 400 %, everything fits the width, and what is higher scrolls."""
        width, height = size = (320, 256)
        page = self.sign_up("frieda", size)
        for text in "w" * 300, "good evening", "!help":
            say(page, text)
        self.see(page.locator("#notice"), "#<number>")
        page.locator("#notice-close").click()
        row(page, "good evening").hover()
        row(page, "good evening").locator(".row-more").click()
        shown = [page.get_by_role("menu")]
        for button, dialog in ("Settings", "settings"), ("Search messages", "search"), ("Timed message", "time"):
            for one in shown:
                box = one.bounding_box()
                self.assertTrue(box["x"] >= 0 and box["x"] + box["width"] <= width, (dialog, box))
                self.assertTrue(box["y"] >= 0 and box["y"] + box["height"] <= height, (dialog, box))
                self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
            page.keyboard.press("Escape")
            if dialog != "time":
                page.get_by_role("button", name="Chats").click()
            page.get_by_role("button", name=button).click()
            shown = [page.locator(f"#{dialog}"), line(page)]
        page.get_by_role("button", name="Cancel").click()
        say(page, "still here")
        self.see(row(page, "still here"))

    def test_input(self) -> None:
        """An Enter of an input method sends nothing, a text that is too long comes back, and files stay out."""
        page = self.sign_up("dave")
        line(page).fill("unfinished")
        for given in {"isComposing": True}, {"keyCode": 229}:
            page.evaluate(_KEY, ["Enter", given])
        self.assertEqual(line(page).input_value(), "unfinished")
        self.see_no(row(page, "unfinished"))
        for text in "x" * 5_000, "y" * 200_000:
            line(page).fill(text)
            line(page).press("Enter")
            self.see(page.locator("#notice.error"))
            self.assertEqual(line(page).input_value(), text)
            self.see_no(page.locator(".message.waits"))
            page.locator("#notice-close").click()
        line(page).fill("a draft")
        for kind in "drop", "paste":
            self.assertFalse(page.evaluate(_FILE, kind), kind)
            self.see(page.locator("#notice"), "Files")
            page.locator("#notice-close").click()
        self.assertFalse(page.evaluate(_PASTED, 5_000_000))
        self.see(page.locator("#notice"), "too long")
        page.locator("#notice-close").click()
        self.assertTrue(page.evaluate(_PASTED, 100_000))
        line(page).press("Enter")
        self.see(row(page, "a draft"))

    def test_media(self) -> None:
        """Paper gets the messages alone, without timed ones. Forced colours and right-to-left texts are respected."""
        page = self.sign_up("emil")
        say(page, "*600* gone soon")
        say(page, "\N{ARABIC LETTER SEEN}\N{ARABIC LETTER LAM}\N{ARABIC LETTER ALEF}\N{ARABIC LETTER MEEM} 1")
        self.see(page.locator(".countdown"))
        self.see(row(page, " 1"))
        body = row(page, " 1").locator(".body")  # which the page may draw again at any time
        self.until(lambda: body.evaluate("it => getComputedStyle(it).direction") == "rtl", page)
        name = "\N{HEBREW LETTER SHIN}\N{HEBREW LETTER MEM}"
        self.bot(name).ask(type="send", chat="GLOBAL", text=f"@{name} hello to you")
        self.see(row(page, "hello to you"))
        self.assertEqual(row(page, "to you").locator(".body").evaluate("it => getComputedStyle(it).direction"), "ltr")
        page.emulate_media(media="print")
        self.see_no(page.locator(":is(.side, .composer, .timed):visible"))
        self.see(row(page, " 1"))
        page.emulate_media(media="screen", forced_colors="active", reduced_motion="reduce")
        self.assertEqual(page.locator(".entry.open").evaluate("it => getComputedStyle(it).outlineStyle"), "solid")
