"""Reading in the browser: the first unread message, pages of history, search and links."""

import re

import pytest

from tests.helpers.browser import BrowserCase as _BrowserCase
from tests.helpers.browser import line, open_chat, row, say


@pytest.mark.slow
class ReadingTests(_BrowserCase):
    """A chat with more messages than a page."""

    def wrote(self, name: str, reader: str, count: int) -> None:
        """Let a user write many private messages."""
        bot = self.bot(name)
        bot.post(*({"type": "send", "chat": f"@{reader}", "text": f"message number {n}."} for n in range(1, count + 1)))
        bot.ask(type="chats")

    def test_first_unread(self) -> None:
        """A chat opens at its first unread message; what is below is counted, and read only when it was seen."""
        page = self.sign_up("alice")
        self.wrote("bob", "alice", 120)
        entry = page.locator("#chats .entry", has_text="@bob")
        self.see(entry.locator(".badge"), "120")
        self.assertEqual(page.title(), "(120) IRChat alice")
        open_chat(page, "@bob")
        self.see(page.locator(".divider.fresh"))
        self.see(row(page, "number 1."))
        self.see(page.locator("#to-end"), " new")
        left = int(page.locator("#to-end").inner_text().split()[0])
        self.assertTrue(60 < left < 120, left)
        self.see(entry.locator(".badge"), str(left))
        page.locator("#to-end").click()
        self.see(row(page, "number 120."))
        self.see_no(entry.locator(".badge"))
        self.see_no(page.locator("#to-end:visible"))

    def test_first_unread_at_sign_in(self) -> None:
        """So does the chat of all after the sign-in: what was not seen stays unread."""
        self.bot("nora")
        writer = self.bot("olaf")
        writer.post(*({"type": "send", "chat": "GLOBAL", "text": f"the news {n} of today"} for n in range(1, 81)))
        writer.ask(type="chats")
        page = self.visit()
        self.fill_door(page, "nora")
        page.get_by_role("button", name="Sign in").click()
        self.see(page.locator(".divider.fresh"))
        self.see(row(page, "the news 1 of"))
        self.see(page.locator("#to-end"), re.compile(r"^[2-7]\d new"))

    def test_pages_and_new_ones(self) -> None:
        """Older pages come on scrolling without a jump. At the end new messages show, else a button counts them."""
        page = self.sign_up("carol")
        self.wrote("dave", "carol", 160)
        open_chat(page, "@dave")
        page.locator("#to-end").click()
        self.see(row(page, "number 160."))
        scroller = page.locator("#scroller")
        seen = 0
        while not row(page, "number 1.").count():
            # In one step of the page: it draws the rows again at any time.
            first, key, before = scroller.evaluate(
                "element => { element.scrollTop = 300; const rows = [...element.querySelectorAll('.message')];"
                " const top = element.getBoundingClientRect().top;"
                " const seen = rows.find((row) => row.getBoundingClientRect().bottom > top);"
                " return [rows[0].dataset.key, seen.dataset.key, seen.getBoundingClientRect().y]; }"
            )
            self.until(lambda key=first: page.locator("#log .message").first.get_attribute("data-key") != key, page)
            after = scroller.evaluate(
                "(element, key) => element.querySelector(`[data-key=${key}]`).getBoundingClientRect().y", key
            )
            self.assertLess(abs(after - before), 3)
            seen += 1
        self.assertGreaterEqual(seen, 1)
        say(page, "*dave -> team")
        open_chat(page, "@dave")
        to_top = "element => { element.scrollTop = 0; return !document.getElementById('to-end').hidden; }"
        self.until(lambda: scroller.evaluate(to_top), page)
        self.see(page.locator("#to-end"), "To the end")
        other = self.visit()
        self.fill_door(other, "dave")
        other.get_by_role("button", name="Sign in").click()
        open_chat(other, "@carol")
        say(other, "a late one")
        self.see(page.locator("#to-end"), "1 new")
        page.locator("#to-end").click()
        self.see(row(page, "a late one"))
        say(other, "a later one")
        self.see(row(page, "a later one"))
        self.see_no(page.locator("#to-end:visible"))
        say(page, "!help")
        self.see(page.locator("#notice"))
        last, end = row(page, "a later one"), page.locator("#notice")
        self.until(lambda: last.bounding_box()["y"] + last.bounding_box()["height"] <= end.bounding_box()["y"], page)

    def test_search(self) -> None:
        """Search finds a message, also by its mark, and a click goes to it. Sending from there goes to the end."""
        page = self.sign_up("emil")
        self.wrote("frida", "emil", 130)
        open_chat(page, "@frida")
        self.see(row(page, "number 1."))
        page.get_by_role("button", name="Search messages").click()
        page.get_by_label("Words to search for").fill("number 57")
        page.get_by_label("Words to search for").press("Enter")
        page.locator("#search-results .result", has_text="number 57.").click()
        self.see(page.locator(".message:focus"), "number 57.")
        say(page, "sent from the middle")
        self.see(row(page, "sent from the middle"))
        self.see(row(page, "number 130."))
        say(page, "#57+ok")
        page.get_by_role("button", name="Search messages").click()
        page.get_by_label("Words to search for").fill("+ok")
        page.get_by_role("button", name="Search", exact=True).click()
        page.locator("#search-results .result", has_text="number 57.").click()
        self.see(row(page, "number 57.").locator(".mark"), "ok 1")
        page.get_by_role("button", name="Search messages").click()
        page.get_by_role("button", name="Mentions of me").click()
        self.see(page.locator("#search-results"), "Nothing found.")

    def test_links(self) -> None:
        """Web addresses are links that tell nothing, and references go to their message."""
        page = self.sign_up("gustav")
        say(page, "see https://example.org/a?b=1&c=(2), or javascript:alert(1)")
        link = page.locator("#log .body a")
        self.see(link, "https://example.org/a?b=1&c=(2)")
        self.assertEqual(link.get_attribute("href"), "https://example.org/a?b=1&c=(2)")
        self.assertEqual(link.get_attribute("rel"), "noopener noreferrer nofollow")
        seq = row(page, "see https").locator(".seq").inner_text()
        say(page, f"as I said in GLOBAL{seq} before")
        row(page, "as I said").locator(".reference").click()
        self.see(page.locator(".message:focus"), "see https")
        line(page).fill("done")
        say(page, "and *nowhere#3 too")
        row(page, "and *nowhere").locator(".reference").click()
        self.see(page.locator("#notice"), "not in *nowhere")
        self.see_no(page.locator("#chats .entry", has_text="nowhere"))
