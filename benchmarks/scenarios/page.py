"""The page in Chromium: frames while somebody scrolls through a long chat, and the memory of the tab."""

from pathlib import Path
from typing import Any

from benchmarks import database, measure
from benchmarks.bench import Bench, Curve, Row, against
from benchmarks.servers import HOST, IRChat

_CHROMIUM = "/usr/bin/chromium"
_MESSAGES = 10_000
_USERS = 20
_MOST_MS = 50
_PATIENCE_MS = 300_000
# Scrolls in one direction, 600 pixels a frame, until the wanted message is drawn. Returns the ms between frames.
_SCROLL = """([step, key]) => new Promise((done) => {
    const scroller = document.getElementById("scroller");
    const frames = [];
    let last = performance.now();
    const frame = (now) => {
        frames.push(now - last);
        last = now;
        if (document.querySelector(`[data-key="${key}"]`)) done(frames.slice(1));
        else {
            scroller.scrollTop += step;
            requestAnimationFrame(frame);
        }
    };
    requestAnimationFrame(frame);
})"""


def page(bench: Bench) -> list[Row | Curve]:
    """The page in Chromium: frames while scrolling through a long chat, up and down, and the memory of the tab."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- it may be missing
    except ImportError:
        bench.say("playwright is not installed")
        return []
    count = bench.scaled(_MESSAGES)
    with bench.place() as (folder, _, servers), sync_playwright() as playwright:
        database.talk(folder / "data", _USERS, count)
        servers.append(IRChat(folder / "irchat", folder / "data", tls=True))
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        try:
            return _scrolled(bench, browser, servers[0].port, count)
        finally:
            browser.close()


def _scrolled(bench: Bench, browser: Any, port: int, count: int) -> list[Row | Curve]:
    """Return the rows of one visit."""
    tab = browser.new_context(ignore_https_errors=True, viewport={"width": 1200, "height": 800}).new_page()
    tab.set_default_timeout(_PATIENCE_MS)
    tab.goto(f"https://{HOST}:{port}/")
    tab.get_by_label("Name").fill(database.user_name(0))
    tab.get_by_role("button", name="Sign in").click()
    end = tab.locator(f"[data-key=s{count}]")
    tab.locator("#log .message").first.wait_for()
    if tab.locator("#to-end").is_visible():
        tab.locator("#to-end").click()
    end.wait_for()
    before = _memory(browser)
    rows: list[Row | Curve] = []
    for way, step, key in ("up", -600, "s1"), ("down", 600, f"s{count}"):
        bench.say(f"{count} messages {way}")
        frames = tab.evaluate(_SCROLL, [step, key])
        p99, most = (measure.percentile(frames, share) for share in (0.99, 1.0))
        rows.append(Row("page", f"{count:,} messages, {way}: a frame, p99", "ms", {"IRChat": p99}))
        rows.append(against("page", f"{count:,} messages, {way}: longest", "ms", most, most=_MOST_MS))
    rows.append(Row("page", "rows that are drawn at the end", "", {"IRChat": tab.locator("#log .message").count()}))
    rows.append(Row("page", "memory of the tab before", "MiB", {"IRChat": before}))
    rows.append(Row("page", "memory of the tab after", "MiB", {"IRChat": _memory(browser)}))
    return rows


def _memory(browser: Any) -> float:
    """Return the MiB of all processes that draw pages."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pids = [int(one["id"]) for one in processes if one["type"] == "renderer" and Path(f"/proc/{one['id']}").exists()]
    return sum(measure.memory_bytes(pid) for pid in pids) / 2**20
