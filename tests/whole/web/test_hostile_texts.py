"""Texts and names that try to become code in the browser."""

import re

import pytest

from tests.helpers.browser import BrowserCase as _BrowserCase
from tests.helpers.browser import open_chat, say

_SCRIPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "'-alert(1)-'",
    "</textarea><script>alert(1)</script>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'>",
    "javascript:alert(1) JaVaScRiPt://%0aalert(1) data:text/html,<script>alert(1)</script>",
    'http://x"onmouseover=alert(1) https://x.example/<script>alert(1)</script>',
    "https://[::1 http://%00 https://user:word@x.example/'%22><b>",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)} <%= 7*7 %> [[7*7]]",
    "<a href=javascript:alert(1)>x</a><base href=//x.example><meta http-equiv=refresh content=0>",
    "<style>@import url(//x.example)</style><link rel=stylesheet href=//x.example>",
    "<math><mtext></p><style><!--</style><img src=x onerror=alert(1)>--></style>",
    "<form action=//x.example><button>x</button><input name=attributes>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#x3c;b&#x3e; %3Cscript%3E",
    "\N{RIGHT-TO-LEFT MARK}txt.exe \N{ARABIC LETTER ALEF} <b>",
    "#1 <img src=x onerror=alert(1)>",
    "A\N{COMBINING GRAVE ACCENT}" + "\N{COMBINING ACUTE ACCENT}" * 60,
    "__proto__ constructor toString hasOwnProperty",
)
_NAMES = ("constructor", "__proto__", "hasOwnProperty", "javascript", "alert.1", "$`%^", "a" * 32)


@pytest.mark.slow
class HostileTextTests(_BrowserCase):
    """A corpus of texts and names."""

    def test_corpus(self) -> None:
        """Each text stays the text that it is: no script runs, nothing is loaded, no element comes of it."""
        reached: list[str] = []
        page = self.sign_up("alice")
        page.on("dialog", lambda dialog: (reached.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: reached.append(request.url))
        bots = []
        for name in _NAMES:
            bot = self.bot(name)
            bots.append(bot)
            self.assertEqual(bot.ask(type="send", chat="@alice", text=f"from {name}")["type"], "sent", name)
            group = bot.ask(type="create_group", name=f"g{name}"[:32], members=["alice"])
            self.assertEqual(group["type"], "group", group)
        for text in _SCRIPTS:
            self.assertEqual(bots[0].ask(type="send", chat="GLOBAL", text=text)["type"], "sent")
        bots[0].ask(type="mark", chat="GLOBAL", seq=1, mark="<b>\"'")
        bodies = page.locator("#log .message > .body")
        self.until(lambda: bodies.count() == len(_SCRIPTS), page)
        self.assertEqual(
            [shown.removesuffix(" (edited)") for shown in bodies.all_text_contents()],
            [text.removeprefix("#1 ") for text in _SCRIPTS],
        )
        self.see(page.locator(".mark"), "<b>\"'")
        for element in [
            "script",
            "img",
            "svg",
            "iframe",
            "style",
            "link",
            "form",
            "b",
            "base",
            "meta",
            "input",
            "math",
        ]:
            self.assertEqual(page.locator(f"#log .body {element}").count(), 0, element)
        for link in page.locator("#log a").all():
            self.assertRegex(link.get_attribute("href"), r"^https?://")
        for name in _NAMES:
            open_chat(page, f"@{name}")
            self.see(page.locator("#log .author"), name)
            open_chat(page, f"*g{name}"[:33])
            self.see(page.locator("#chat-about"), "2 members")
        bots[0].ask(type="send", chat="GLOBAL", text="alert\nGLOBAL#9 alice: a false line")
        say(page, "?alert")
        found = page.locator("#search-results .result")
        self.see(found.first, re.compile("constructor *GLOBAL.*alert\nGLOBAL#9 alice: a false line", re.DOTALL))
        self.see_no(page.locator("#notice:visible"))
        self.assertEqual(page.locator("#search-results :is(script, img, svg, iframe, style)").count(), 0)
        self.assertEqual(reached, [])
