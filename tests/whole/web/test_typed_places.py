"""Typed text in the browser: it goes where the page says, and is not lost."""

from typing import Any

import pytest

from tests.helpers.browser import PASSWORD, line, menu, open_chat, row, say
from tests.helpers.browser import BrowserCase as _BrowserCase
from tests.helpers.processes import JSONClient


@pytest.mark.slow
class PlacesTests(_BrowserCase):
    """Text that is being typed while something happens."""

    server_options = (*_BrowserCase.server_options, "--per-user", "2")

    def hold(self, page: Any) -> tuple[list[Any], list[Any]]:
        """Put a person between a page and the server: what the server sends is kept while the first list is not empty.

        The second list has what is kept. The page has to connect anew.
        """
        holds: list[Any] = []
        kept: list[Any] = []

        def between(socket: Any) -> None:
            server = socket.connect_to_server()
            socket.on_message(server.send)
            server.on_message(lambda data: kept.append((socket, data)) if holds else socket.send(data))

        page.route_web_socket("**/ws", between)
        page.reload()
        return holds, kept

    def release(self, holds: list[Any], kept: list[Any], page: Any) -> None:
        """Let the server's answer through, once it is there."""
        self.until(lambda: kept, page)
        holds.clear()
        for socket, data in kept:
            socket.send(data)
        kept.clear()

    def test_answers(self) -> None:
        """The answer to a command does not change the chat under a line that is being typed."""
        self.bot("bob").ask(type="send", chat="GLOBAL", text="hello")
        page = self.sign_up("alice")
        say(page, "@bob hi")
        self.see(page.locator("#notice"), "@bob: sent")
        holds, kept = self.hold(page)
        self.see(row(page, "hello"))
        for command, shown in (("*bob -> team", "*team: "), ("ls @bob", "@bob is loaded"), ("ls", "*team")):
            holds.append(True)
            say(page, command)
            line(page).fill("for all")
            self.release(holds, kept, page)
            self.see(page.locator("#notice"), shown)
            self.assertEqual(line(page).input_value(), "for all")
            self.see(page.locator("#chat-name"), "GLOBAL")
        line(page).fill("")
        say(page, "ls @bob")
        self.see(page.locator("#chat-name"), "@bob")

    def test_another_group_of_that_name(self) -> None:
        """Text typed for a group does not reach a new group of the same name, and is shown."""
        carol, dave = self.bot("carol"), self.bot("dave")
        page = self.sign_up("anna")
        carol.ask(type="create_group", name="team2", members=["anna"])
        open_chat(page, "*team2")
        line(page).fill("of us alone")
        carol.ask(type="remove_member", group="team2", name="anna")
        self.see(page.locator("#notice"), "carol removed anna")
        self.assertEqual(line(page).input_value(), "of us alone")
        carol.ask(type="remove_member", group="team2", name="carol")
        dave.ask(type="create_group", name="team2", members=["anna"])
        self.see(page.locator("#notice"), "Not sent: of us alone")
        self.assertEqual(line(page).input_value(), "")
        say(page, "of all")
        self.see(row(page, "of all"))
        self.assertEqual(dave.event("message")["text"], "of all")  # the page shows it before it is stored
        history = dave.ask(type="history", chat="*team2")
        self.assertEqual([message["text"] for message in history["messages"]], ["of all"])

    def test_drafts(self) -> None:
        """The menu of a message keeps what is typed, and so does leaving the first time. A refused line comes back."""
        page = self.sign_up("emma")
        say(page, "the first")
        line(page).fill("I agree")
        menu(page, "the first", "Edit")
        self.see(page.locator("#notice"), "Send or clear")
        menu(page, "the first", "Answer")
        self.assertRegex(line(page).input_value(), r"^#\d+ I agree$")
        page.get_by_role("button", name="Sign out").click()
        self.see(page.locator("#notice"), "Not sent yet: GLOBAL")
        say(page, "*30@nobody the code is 4711")
        self.see(page.locator("#notice"), "There is no user")
        self.assertNotIn("4711", page.locator("#notice").text_content())
        self.assertEqual(line(page).input_value(), "*30@nobody the code is 4711")
        self.see(page.locator("#chats .entry", has_text="GLOBAL"))
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign out").click()
        self.see(page.get_by_label("Name"))

    def test_refused_for_now(self) -> None:
        """A page whose token is refused for now says why, and signs in when there is room."""
        page = self.sign_up("fred")
        page.goto("about:blank")
        others = [JSONClient(self.server, tls=False) for _ in range(2)]
        for other in others:
            self.addCleanup(other.close)
            self.until(lambda: other.ask(type="login", name="fred", password=PASSWORD)["type"] == "welcome", page)  # noqa: B023
        page.goto(self.address)
        self.see(page.locator("#state"), "The limit of 2 sessions")
        others[0].close()
        self.see(page.locator("#me"), "fred")
