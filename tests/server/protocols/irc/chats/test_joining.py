"""JOIN and INVITE."""

from irchat.interfaces.limits import Limits
from irchat.protocol.rules import PAGE_MAX
from tests.helpers.irc import IRCClient, IRCTestCase, numerics


class JoinTests(IRCTestCase):
    """JOIN."""

    def setUp(self) -> None:
        """Sign in two users."""
        super().setUp()
        self.alice, self.bob = self.irc("alice"), self.irc("bob")
        self.alice.got()

    def test_creates(self) -> None:
        """A new name creates the group, of oneself, who owns it. Again, it does nothing. Keys are ignored."""
        self.assertEqual(self.alice.ask("JOIN #Team key"), [
            ":alice!alice@irchat JOIN #Team",
            ":irchat 353 alice = #Team :@alice",
            ":irchat 366 alice #Team :End of /NAMES list",
        ])  # fmt: skip
        self.assertEqual(self.alice.ask("JOIN #team"), [])
        self.assertEqual(self.bob.got(), [])

    def test_several(self) -> None:
        """Several names are taken in turn, each once."""
        lines = self.alice.ask("JOIN #a1,#b1,,#a1 x,y")
        self.assertEqual([line for line in lines if "JOIN" in line], [
            ":alice!alice@irchat JOIN #a1",
            ":alice!alice@irchat JOIN #b1",
        ])  # fmt: skip
        self.assertEqual(self.alice.ask("JOIN #c1", "JOIN #C1", "PING x")[-1], ":irchat PONG irchat :x")

    def test_refusals(self) -> None:
        """A group of others is 473, a bad name 403, and JOIN 0 too."""
        self.alice.ask("JOIN #team")
        self.assertEqual(self.bob.ask("JOIN #TEAM"), [":irchat 473 bob #TEAM :Cannot join channel (+i)"])
        for name in "#a-b", "#", "0", "team", "&local", "#12":
            (line,) = self.bob.ask(f"JOIN {name}")
            self.assertEqual(line.split(" ")[1:4], ["403", "bob", name])
        self.assertEqual(numerics(self.bob.ask("JOIN")), ["461"])

    def test_too_many(self) -> None:
        """Over the limit of groups it is 405."""
        self.server = self.make_server(limits=Limits(per_address=0, per_user=0, timed=0, rate=0, groups=1))
        carol = self.irc("carol")
        carol.ask("JOIN #a1")
        self.assertEqual(numerics(carol.ask("JOIN #b1")), ["405"])

    def test_extended(self) -> None:
        """With extended-join the account and the realname come with it."""
        carol = self.irc("carol", "extended-join")
        self.assertEqual(carol.ask("JOIN #team")[0], ":carol!carol@irchat JOIN #team carol :carol")
        self.server.advance(2)
        self.assertEqual(self.alice.got(), [":carol!carol@irchat JOIN #global"])

    def test_no_implicit_names(self) -> None:
        """With no-implicit-names there are none."""
        carol = self.irc("carol", "no-implicit-names")
        self.assertEqual(carol.ask("JOIN #team"), [":carol!carol@irchat JOIN #team"])

    def test_read_marker(self) -> None:
        """With draft/read-marker the marker comes between JOIN and the names."""
        carol = self.irc("carol", "draft/read-marker")
        self.assertEqual(carol.ask("JOIN #team")[:2], [
            ":carol!carol@irchat JOIN #team",
            ":irchat MARKREAD #team *",
        ])  # fmt: skip

    def test_other_sessions(self) -> None:
        """The other sessions of the user get the burst, without an invitation."""
        other = self.irc("alice")
        self.alice.ask("JOIN #team")
        self.assertEqual(other.got()[0], ":alice!alice@irchat JOIN #team")


class HiddenTests(IRCTestCase):
    """JOIN of a chat that the session has left with PART."""

    def setUp(self) -> None:
        """A group of two users. Alice leaves it with PART."""
        super().setUp()
        self.alice, self.bob = self.irc("alice"), self.irc("bob")
        self.bob.ask("JOIN #team", "INVITE alice #team")
        self.alice.ask("PART #team")

    def say(self, *texts: str) -> None:
        """Let bob write to the group."""
        for text in texts:
            self.bob.ask(f"PRIVMSG #team :{text}")

    def joined(self, client: IRCClient) -> list[str]:
        """Join, and return the texts that come."""
        lines = client.ask("JOIN #team") + client.wait(*[0.1] * 20)
        self.assertIn("JOIN #team", lines[0])
        return [line.rpartition(" :")[2] for line in lines if "PRIVMSG" in line or "NOTICE" in line]

    def test_unseen(self) -> None:
        """What was said meanwhile comes after the names, in order and once, and then counts as read."""
        carol = self.irc("carol")
        self.alice.ask("SILENCE +carol")
        self.bob.ask("INVITE carol #team")
        self.say("one", "two")
        carol.ask("PRIVMSG #team :hidden")
        self.say("three")
        self.assertEqual(self.joined(self.alice), ["one", "two", "three"])
        self.say("four")
        self.assertEqual(self.alice.got(), [":bob!bob@irchat PRIVMSG #team :four"])
        self.alice.ask("PART #team")
        self.assertEqual(self.joined(self.alice), [])
        self.server.advance(12, 2)
        self.assertEqual(self.server.json("alice").welcome["unread"], [])

    def test_history(self) -> None:
        """A client that asks for history itself gets nothing."""
        other = self.irc("alice", "draft/chathistory")
        other.ask("PART #team")
        self.say("one")
        self.assertEqual(self.joined(other), [])

    def test_very_many(self) -> None:
        """The latest 500 come, and a notice that there are more."""
        for older in 3, 1, 0:
            self.say(*(str(number) for number in range(PAGE_MAX + older)))
            texts = self.joined(self.alice)
            note = f"#team: {older} older not shown; /msg *irchat ls team <day> shows a day"
            self.assertEqual(texts, [note] * bool(older) + [str(number) for number in range(older, PAGE_MAX + older)])
            self.alice.ask("PART #team")

    def test_behind(self) -> None:
        """A slow client gets all of it in order, when it has caught up with the other chats."""
        self.alice.socket.room = 0
        self.say("one")
        self.fall_behind(self.alice, self.bob)
        self.say("two")
        self.alice.type("JOIN #team")
        self.say("three")
        self.alice.socket.room = None
        lines = self.alice.wait(*[0.1] * 50)
        self.say("four")
        lines += self.alice.wait(0.1, 0.1)
        of_team = [line for line in lines if "#team" in line and " 35" not in line and " 366" not in line]
        self.assertEqual([line.split(" ")[1] for line in of_team], ["JOIN", *["PRIVMSG"] * 4])
        self.assertEqual([line.rpartition(":")[2] for line in of_team[1:]], ["one", "two", "three", "four"])

    def test_removed_meanwhile(self) -> None:
        """A client that waits to join a group, and is removed from it or leaves, gets nothing of it."""
        self.fall_behind(self.alice, self.bob)
        self.say("secret")
        self.alice.type("JOIN #team")
        self.bob.ask("KICK #team alice")
        self.alice.socket.room = None
        lines = "".join(self.alice.wait(*[0.1] * 50))
        self.assertTrue(":irchat 473 alice #team" in lines and "secret" not in lines)

    def test_removed_while_catching_up(self) -> None:
        """A client that is removed from a group while it catches up, its JOIN read already, gets nothing of it."""
        self.fall_behind(self.alice, self.bob)
        self.say("secret")
        self.alice.type("JOIN #team")
        self.server.threads.read.holds = True
        self.alice.socket.room = None
        self.server.turn()
        self.bob.ask("KICK #team alice")
        self.server.threads.read.release()
        lines = "".join(self.alice.wait(*[0.1] * 50))
        self.assertTrue(":irchat 403 alice #team" in lines and "secret" not in lines, lines[-99:])

    def test_gone_meanwhile(self) -> None:
        """A client that goes while its JOIN waits leaves nothing behind."""
        self.fall_behind(self.alice, self.bob)
        self.alice.type("JOIN #team")
        self.alice.leave()
        self.assertEqual(self.server.delivery.behind(), 0)


class InviteTests(IRCTestCase):
    """INVITE."""

    def setUp(self) -> None:
        """Create a group."""
        super().setUp()
        self.alice, self.bob, self.carol = self.irc("alice"), self.irc("bob"), self.irc("carol", "away-notify")
        self.alice.ask("JOIN #team", "INVITE carol #team")
        for client in self.bob, self.carol:
            client.got()

    def test_adds_at_once(self) -> None:
        """The user gets an INVITE, then the burst; members see a JOIN; the inviter also 341. Any member may invite."""
        self.assertEqual(self.carol.ask("INVITE BOB #TEAM"), [
            ":irchat 341 carol bob #team",
            ":bob!bob@irchat JOIN #team",
        ])  # fmt: skip
        self.assertEqual(self.bob.got(), [
            ":carol!carol@irchat INVITE bob #team",
            ":bob!bob@irchat JOIN #team",
            ":irchat 353 bob = #team :@alice carol bob",
            ":irchat 366 bob #team :End of /NAMES list",
        ])  # fmt: skip
        self.assertEqual(self.alice.got(), [":bob!bob@irchat JOIN #team"])

    def test_no_channel(self) -> None:
        """Without a channel it is 461."""
        self.assertEqual(numerics(self.alice.ask("INVITE bob")), ["461"])

    def test_offline(self) -> None:
        """A user that is offline is added too, and shows as away with away-notify."""
        self.irc("dave").leave()
        self.carol.got()
        lines = self.carol.ask("INVITE dave #team")
        self.assertEqual(lines[-1], ":dave!dave@irchat AWAY :offline: reads it later")
        self.assertEqual(lines[-2], ":dave!dave@irchat JOIN #team")
        self.irc("erin").leave()
        self.alice.got()
        self.assertEqual(self.alice.ask("INVITE erin #team")[1:], [":erin!erin@irchat JOIN #team"])

    def test_invite_notify(self) -> None:
        """Members with invite-notify see the invitation."""
        dave = self.irc("dave", "invite-notify")
        self.alice.ask("INVITE dave #team")
        dave.got()
        self.alice.ask("INVITE bob #team")
        self.assertEqual(dave.got()[0], ":alice!alice@irchat INVITE bob #team")

    def test_where_to(self) -> None:
        """Without a channel: 461."""
        (line,) = self.alice.ask("INVITE bob")
        self.assertTrue(line.startswith(":irchat 461 alice INVITE :"), line)

    def test_refusals(self) -> None:
        """401, 442 also where there is no such group, 443, and a block."""
        for line, expected in (
            ("INVITE nobody #team", "401 alice nobody"),
            ("INVITE bob #none", "442 alice #none"),
            ("INVITE carol #TEAM", "443 alice carol #team"),
            ("INVITE bob #global", "443 alice bob #global"),
            ("INVITE nobody #global", "401 alice nobody"),
            ("INVITE bob", "461 alice INVITE"),
        ):
            (said,) = self.alice.ask(line)
            self.assertTrue(said.startswith(f":irchat {expected} :"), (line, said))
        self.assertTrue(self.bob.ask("INVITE carol #team")[0].startswith(":irchat 442 bob #team :"))
        self.bob.ask("SILENCE +alice")
        self.assertTrue(self.alice.ask("INVITE bob #team")[0].startswith(":irchat FAIL INVITE BLOCKED bob #team :"))
        self.assertEqual(self.bob.got(), [])

    def test_too_many(self) -> None:
        """A full group is FAIL TOO_MANY."""
        self.server.chat.limits.group_members = 2
        self.assertTrue(self.alice.ask("INVITE bob #team")[0].startswith(":irchat FAIL INVITE TOO_MANY bob #team :"))

    def test_nothing_waits(self) -> None:
        """Without parameters there is nothing to list."""
        self.assertEqual(self.alice.ask("INVITE"), [":irchat 337 alice :End of /INVITE list"])
