"""Signing in, and talking in the browser."""

import re

import pytest

from tests.helpers.browser import BrowserCase as _BrowserCase
from tests.helpers.browser import line, menu, open_chat, row, say

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKm+SWkmErx8FrQlKgTzoZz/JeQ4M9QZgYGysGvtQyGh"


@pytest.mark.slow
class SigningInTests(_BrowserCase):
    """The door of the page."""

    def test_sign_up_out_and_in(self) -> None:
        """A new user signs up, signs out, is refused with a wrong password, and signs in with the right one."""
        page = self.sign_up("alice")
        page.get_by_role("button", name="Sign out").click()
        self.fill_door(page, "alice", "wrong password")
        page.get_by_role("button", name="Sign in").click()
        self.see(page.get_by_role("alert"), re.compile("password", re.IGNORECASE))
        self.fill_door(page, "alice")
        page.get_by_role("button", name="Sign in").click()
        self.see(page.locator("#me"), "alice")

    def test_taken_and_empty(self) -> None:
        """A taken name, and a form that is not filled in, are answered beside the form."""
        self.bot("carol")
        page = self.visit()
        page.get_by_role("button", name="Create an account").click()
        self.see(page.get_by_role("alert"), "name")
        self.fill_door(page, "carol")
        page.get_by_role("button", name="Create an account").click()
        self.see(page.get_by_role("alert"), "taken")

    def test_reload(self) -> None:
        """After a reload the tab is still signed in, a new tab is not, unless the user stays signed in."""
        page = self.sign_up("dora")
        page.reload()
        self.see(page.locator("#me"), "dora")
        other = self.visit(context=page.context)
        self.see(other.get_by_label("Name"))
        self.fill_door(other, "dora")
        other.get_by_label("Stay signed in").check()
        other.get_by_role("button", name="Sign in").click()
        self.see(other.locator("#me"), "dora")
        third = self.visit(context=page.context)
        self.see(third.locator("#me"), "dora")
        third.get_by_role("button", name="Sign out").click()
        self.see(third.get_by_label("Name"))
        self.see(self.visit(context=page.context).get_by_label("Name"))

    def test_two_users(self) -> None:
        """A user who signs out leaves another one of the same browser, who stays signed in, alone."""
        page = self.sign_up("hanna")
        page.get_by_role("button", name="Sign out").click()
        self.fill_door(page, "hanna")
        page.get_by_label("Stay signed in").check()
        page.get_by_role("button", name="Sign in").click()
        self.see(page.locator("#me"), "hanna")
        other = self.visit(context=page.context)
        self.see(other.locator("#me"), "hanna")
        other.evaluate("sessionStorage.setItem('irchat-token', 'of nobody')")
        other.reload()
        self.see(other.get_by_label("Name"))
        self.see(self.visit(context=page.context).locator("#me"), "hanna")

    def test_without_storage(self) -> None:
        """Where the browser forbids storage, the page works until it is left."""
        context = self.browser.new_context()
        self.addCleanup(context.close)
        forbid = "Object.defineProperty(window, '%s', { get() { throw new DOMException('no', 'SecurityError'); } });"
        context.add_init_script("".join(forbid % name for name in ("localStorage", "sessionStorage")))
        page = self.sign_up("ida", context=context)
        say(page, "without storage")
        self.see(row(page, "without storage"))
        page.get_by_role("button", name="Settings").click()
        page.get_by_label("Dark").check()
        self.see(page.locator("[data-theme=dark] #settings"))
        page.keyboard.press("Escape")
        page.reload()
        self.see(page.get_by_label("Name"))

    def test_next_user(self) -> None:
        """A session that was ended elsewhere shows the door, and the next user sees nothing of it."""
        page = self.sign_up("emil")
        say(page, "of emil alone")
        self.see(row(page, "of emil alone"))
        line(page).fill("a draft of emil")
        other = self.visit()
        self.fill_door(other, "emil")
        other.get_by_role("button", name="Sign in").click()
        other.get_by_role("button", name="Settings").click()
        other.get_by_label("Old password").fill("correct horse")
        other.get_by_label("New password").fill("another horse")
        other.get_by_role("button", name="Change it").click()
        self.see(other.locator("#password-said"), "changed")
        self.see(page.get_by_label("Name"))
        self.assertNotIn("of emil", page.content())
        self.bot("fritz").ask(type="send", chat="GLOBAL", text="hello of fritz")
        self.fill_door(page, "greta")
        page.get_by_role("button", name="Create an account").click()
        self.see(page.locator("#me"), "greta")
        self.see(row(page, "hello of fritz"))
        self.assertEqual(line(page).input_value(), "")


@pytest.mark.slow
class TalkingTests(_BrowserCase):
    """Messages, and what can be done with them."""

    def test_all_chats(self) -> None:
        """Messages to everyone, to one user and to a group reach those alone."""
        alice, bob = self.sign_up("alice"), self.sign_up("bob")
        dora = self.sign_up("dora")
        say(alice, "hello all")
        for page in alice, bob, dora:
            self.see(row(page, "hello all"))
        say(alice, "@bob hello bob")
        open_chat(bob, "@alice")
        self.see(row(bob, "hello bob"))
        say(bob, "hello alice")
        open_chat(alice, "@bob")
        self.see(row(alice, "hello alice"))
        say(alice, "*bob -> team")
        self.see(alice.locator("#chat-name"), "*team")
        self.see(alice.locator("#chat-about"), "2 members, owner alice")
        say(alice, "hello team")
        open_chat(bob, "*team")
        self.see(row(bob, "hello team"))
        self.see_no(dora.locator("#chats .entry", has_text="team"))
        alice.get_by_role("button", name="Members").click()
        alice.get_by_label("Add a user").fill("dora")
        alice.get_by_role("button", name="Add", exact=True).click()
        self.see(alice.locator("#member-list"), "dora")
        open_chat(dora, "*team")
        alice.get_by_role("listitem").filter(has_text="bob").get_by_role("button", name="Remove").click()
        self.see_no(alice.locator("#member-list li", has_text="bob"))

    def test_changes(self) -> None:
        """Replies show what they answer; edits, marks and deletions are seen by others."""
        kurt, lena = self.sign_up("kurt"), self.sign_up("lena")
        say(kurt, "lunch at noon?")
        menu(lena, "lunch at noon?", "Answer")
        line(lena).press_sequentially("gladly")
        self.see(lena.locator("#about-line"), "kurt: lunch at noon?")
        line(lena).press("Enter")
        self.see(row(kurt, "gladly").locator(".quote"), "kurt lunch at noon?")
        self.see(row(kurt, "gladly").and_(kurt.locator(".calls-me")))
        menu(kurt, "lunch at noon?", "Edit")
        line(kurt).press_sequentially(" or one?")
        line(kurt).press("Enter")
        self.see(row(lena, "lunch at noon? or one?"), "(edited)")
        self.see(row(lena, "gladly").locator(".quote"), "or one?")
        menu(lena, "lunch at noon?", "👍")
        self.see(row(kurt, "lunch at noon?").locator(".mark"), "1")
        row(kurt, "lunch at noon?").locator(".mark").click()
        self.see(row(lena, "lunch at noon?").locator(".mark"), "2")
        row(kurt, "lunch at noon?").locator(".mark").click()
        self.see(row(lena, "lunch at noon?").locator(".mark"), "1")
        menu(kurt, "lunch at noon?", "Delete")
        self.see_no(lena.locator("#log .message > .body", has_text="lunch at noon?"))
        self.see(row(lena, "gladly").locator(".quote"), "not there")
        say(lena, "#= gladly tomorrow")
        self.see(row(kurt, "gladly tomorrow"))
        say(lena, "#-")
        self.see_no(kurt.locator("#log .message", has_text="gladly"))

    def test_mentions_and_blocks(self) -> None:
        """A mention is counted and marked; a blocked user is not seen; help and errors are shown."""
        mona, nils = self.sign_up("mona"), self.sign_up("nils")
        say(mona, "@nils come here")
        open_chat(nils, "@mona")
        say(mona, "all listen to @nils please")
        self.see(nils.locator("#chats .entry", has_text="GLOBAL").locator(".call"), "@1")
        open_chat(nils, "GLOBAL")
        self.see(row(nils, "all listen").locator("mark"), "@nils")
        say(nils, "~mona")
        self.see(nils.locator("#notice"), "mona")
        self.see_no(row(nils, "all listen"))
        say(mona, "nobody hears me")
        say(nils, "!help")
        self.see(nils.locator("#notice"), "*<group_name> <message>")
        self.see_no(nils.locator("#log .message", has_text="nobody hears me"))
        say(nils, "!sessions")
        self.see(nils.locator("#notice"), "this session")
        say(nils, "!keys")
        self.see(nils.locator("#notice"), "No keys for SSH")
        say(nils, f"!keys add {_KEY} <b>of nils</b>")
        self.see(nils.locator("#notice"), re.compile(r"SHA256:\S+\s+<b>of nils</b>"))
        say(nils, "*nosuchgroup hi")
        self.see(nils.locator("#notice.error"))
        self.assertEqual(line(nils).input_value(), "*nosuchgroup hi")

    def test_drafts_and_typed_lines(self) -> None:
        """Each chat has a draft. Up recalls typed lines, but no timed ones."""
        page = self.sign_up("otto")
        self.bot("pia").ask(type="send", chat="@otto", text="hi")
        say(page, "first line")
        say(page, "*60* the timed line")
        self.see(row(page, "the timed line"))
        say(page, "second line")
        self.see(row(page, "second line"))
        for wanted in "second line", "first line", "first line":
            line(page).press("ArrowUp")
            self.assertEqual(line(page).input_value(), wanted)
        line(page).fill("draft for all")
        open_chat(page, "@pia")
        self.assertEqual(line(page).input_value(), "")
        line(page).fill("draft for pia")
        open_chat(page, "GLOBAL")
        self.assertEqual(line(page).input_value(), "draft for all")
        for key, wanted in (
            ("Home", "draft for all"),
            ("ArrowUp", "second line"),
            ("End", "second line"),
            ("ArrowDown", "draft for all"),
        ):
            line(page).press(key)
            self.assertEqual(line(page).input_value(), wanted)
        open_chat(page, "@pia")
        self.assertEqual(line(page).input_value(), "draft for pia")
        line(page).fill("@pi")
        line(page).press("Tab")
        self.assertEqual(line(page).input_value(), "@pia ")
        self.bot("rene\u0301")
        line(page).fill("@ren\u00e9")
        line(page).press("Tab")
        self.assertEqual(line(page).input_value(), "@rene\u0301 ")

    def test_two_tabs(self) -> None:
        """Two tabs of one user show the same, and what one has read is read in the other."""
        one = self.sign_up("quin")
        two = self.visit()
        self.fill_door(two, "quin")
        two.get_by_role("button", name="Sign in").click()
        self.see(two.locator("#me"), "quin")
        say(one, "from the first tab")
        self.see(row(two, "from the first tab"))
        self.bot("rosa").ask(type="send", chat="@quin", text="to both")
        entry = two.locator("#chats .entry", has_text="@rosa")
        self.see(entry.locator(".badge"), "1")
        open_chat(one, "@rosa")
        self.see_no(entry.locator(".badge"))
