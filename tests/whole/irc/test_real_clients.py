"""weechat and irssi in a pseudo-terminal: signing up, talking, missing messages, groups, blocks, a killed server."""

import pytest

from tests.helpers.irc_clients import PASSWORD, IRCTerminal, Irssi, Weechat
from tests.helpers.irc_clients import IRCClientCase as _IRCClientCase
from tests.helpers.processes import JSONClient

SECRET = "the secret word"


class _RealClient:
    """The tests of both clients."""

    def signed_in(self, name: str) -> IRCTerminal:
        """Return a client that has signed in by SASL."""
        client = self.client(name)
        client.join(name, PASSWORD)
        client.expect_logged("global", name)
        return client

    def heard(self, bot: JSONClient, chat: str, text: str) -> None:
        """Check that the next message that the bot gets is this."""
        message = bot.event("message")
        self.assertEqual((message["chat"], message["text"]), (chat, text))

    def test_sign_up_and_talk(self) -> None:
        """A user signs up by NickServ and talks in all kinds of chats. A timed message is nowhere, only a notice."""
        bob = self.bot("bob")
        alice = self.client("alice")
        alice.join("alice")
        alice.expect("REGISTER")
        alice.enter(f"/msg NickServ REGISTER {PASSWORD}")
        bob.event("presence")
        bob.ask(type="send", chat="GLOBAL", text="to all")
        bob.ask(type="send", chat="@alice", text="to one")
        alice.expect_logged("global", "to all")
        alice.expect_logged("bob", "to one")
        alice.enter("/msg #global hello all", "/msg bob hello bob", "/join #team", "/invite bob #team")
        self.heard(bob, "GLOBAL", "hello all")
        self.heard(bob, "@alice", "hello bob")
        self.assertEqual(bob.event("added")["group"], "*team")
        alice.enter("/msg #team hello team")
        self.heard(bob, "*team", "hello team")
        bob.ask(type="send", chat="*team", text="first line\nsecond line")
        alice.expect_logged("team", "first line")
        alice.expect_logged("team", "second line")
        alice.enter("/msg *irchat +team")
        alice.expect("*team, owner alice")
        bob.ask(type="send", chat="@alice", text=SECRET, expires_in=3600)
        alice.expect_logged("", "A timed message waits")
        bob.ask(type="send", chat="@alice", text="after it")
        alice.expect_logged("bob", "after it")
        self.assertNotIn(SECRET, alice.everything())

    def test_missed_and_killed(self) -> None:
        """Messages of an absence are played at sign-in. After a kill of the server nothing is missing or repeated."""
        self.bot("alice").close()
        bob = self.bot("bob")
        bob.ask(type="send", chat="GLOBAL", text="missed by all")
        bob.ask(type="send", chat="@alice", text="missed by one")
        alice = self.signed_in("alice")
        alice.expect_logged("global", "missed by all")
        alice.expect_logged("bob", "missed by one")
        alice.enter("/msg bob before the kill")
        self.heard(bob, "@alice", "before the kill")
        self.server.kill()
        self.start_server(self.server.port)
        bob = JSONClient(self.server)
        self.addCleanup(bob.close)
        bob.ask(type="login", name="bob", password=PASSWORD)
        bob.ask(type="send", chat="@alice", text="after the kill")
        alice.reconnect()
        log = alice.expect_logged("bob", "after the kill")
        for text in "missed by one", "before the kill", "after the kill":
            self.assertEqual(log.count(text), 1, text)

    def test_window_block_and_kick(self) -> None:
        """A closed window costs nothing, a block hides, and a kick shows who it was."""
        self.bot("alice").close()
        bob, carol = self.bot("bob"), self.bot("carol")
        bob.ask(type="create_group", name="team", members=["alice"])
        alice = self.signed_in("alice")
        bob.ask(type="send", chat="*team", text="one")
        alice.expect_logged("team", "one")
        alice.show("#team")
        alice.close_window()
        alice.enter("/msg bob closed")
        self.heard(bob, "@alice", "closed")
        bob.ask(type="send", chat="*team", text="two")
        alice.enter("/join #team")
        alice.expect_logged("team", "two")
        self.assertIn("alice", bob.ask(type="members", group="team")["members"])
        alice.enter("/quote SILENCE +bob", "/msg #global blocked")
        self.heard(carol, "GLOBAL", "blocked")
        bob.ask(type="send", chat="*team", text="hidden")
        alice.enter("/quote SILENCE -bob", "/msg bob unblocked")
        self.heard(bob, "@alice", "unblocked")
        bob.ask(type="send", chat="*team", text="shown")
        self.assertNotIn("hidden", alice.expect_logged("team", "shown"))
        bob.ask(type="remove_member", group="team", name="alice")
        alice.expect_logged("team", "kick")


@pytest.mark.slow
class WeechatTests(_RealClient, _IRCClientCase):
    """weechat."""

    terminal = Weechat


@pytest.mark.slow
class IrssiTests(_RealClient, _IRCClientCase):
    """irssi."""

    terminal = Irssi
