"""Take ``docs/page.png`` and ``docs/phone.png``, the pictures of the page: ``python -m docs.web_pictures``.

The run is that of ``docs/picture.py``: a real server, the same users, and Alice in Chromium. It needs ``playwright``.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from docs.picture import TYPED, Scene
from tests.helpers.services import free_port

_CHROMIUM = "/usr/bin/chromium"
_FOLDER = Path(__file__).parent
_DESKTOP: Any = {"viewport": {"width": 1000, "height": 640}, "color_scheme": "dark"}
_PHONE: Any = {"viewport": {"width": 390, "height": 700}, "color_scheme": "light", "has_touch": True, "is_mobile": True}


def take(scene: Scene, address: str, browser: Browser) -> None:
    """Take both pictures while the timed message lives."""
    scene.talk()
    desktop, phone = (_visit(browser, address, options) for options in (_DESKTOP, _PHONE))
    text = scene.tell_code(300)
    scene.thank()
    for page, name in (desktop, "page.png"), (phone, "phone.png"):
        expect(page.get_by_text(text)).to_be_visible()
        page.get_by_label("Message", exact=True).fill(TYPED)
        page.screenshot(path=_FOLDER / name)


def _visit(browser: Browser, address: str, options: Any) -> Page:
    """Sign in as Alice, and open the chat of the group."""
    page = browser.new_context(timezone_id="UTC", locale="en-GB", **options).new_page()
    page.goto(address)
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password", exact=True).fill("not needed")
    page.get_by_role("button", name="Sign in").click()
    if "is_mobile" in options:
        page.get_by_role("button", name="Chats").click()
    page.get_by_text("*garden").first.click()
    expect(page.get_by_text("gate").last).to_be_visible()
    return page


def main() -> int:
    """Take the pictures. Return the exit status."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="irchat-") as folder, sync_playwright() as playwright:
        scene = Scene(Path(folder), "--web-port", str(port))
        try:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
            take(scene, f"http://localhost:{port}/", browser)
            browser.close()
        finally:
            scene.server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
