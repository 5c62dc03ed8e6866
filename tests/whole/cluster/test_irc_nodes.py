"""IRC clients on several nodes: what is stored, and what crosses the bus."""

import re

import pytest

from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.cluster.talkers import SECRET
from tests.helpers.irc_socket import IRCSocket
from tests.helpers.nodes import Node, find_bytes

_CAPS = ("message-tags", "server-time", "echo-message", "away-notify", "setname", "batch", "draft/chathistory")
_REASON = "too loud, says ann"


class _RecordedSocket(IRCSocket):
    """An IRC client that keeps all that it got."""

    def __init__(self, node: Node, name: str) -> None:
        self.got: list[str] = []
        super().__init__(node, name, caps=_CAPS, tls=False)  # type: ignore[arg-type]

    def next(self) -> str:
        """Return the next line."""
        self.got.append(super().next())
        return self.got[-1]

    def line(self, wanted: str) -> str:
        """Return the next line that contains ``wanted``."""
        return self.until(wanted)[-1]


def _msgid(line: str) -> str:
    found = re.match(r"@(?:\S*;)?msgid=([^; ]+)", line)
    assert found is not None, line
    return found[1]


@pytest.mark.slow
class IRCNodesTests(ClusterTestCase):
    """Ann, bob and cid by IRC on three nodes, in the group of ann, and dan by JSON on the third."""

    def setUp(self) -> None:
        """Sign them in."""
        super().setUp()
        first, second, third = self.cluster.nodes
        self.ann, self.bob, self.cid = self.irc(first, "ann"), self.irc(second, "bob"), self.irc(third, "cid")
        self.dan = self.client(third, "dan")
        self.ann.send("JOIN #team", "INVITE bob #team", "INVITE cid #team")
        for client in self.bob, self.cid:
            client.line("JOIN #team")

    def irc(self, node: Node, name: str) -> _RecordedSocket:
        """Return a client that is signed in."""
        client = _RecordedSocket(node, name)
        self.addCleanup(client.close)
        client.line(" 001 ")
        return client

    def test_what_crosses(self) -> None:
        """Messages, notices, typing, absences and reasons are the same on all nodes. Timed messages reach none."""
        ann, bob, cid = self.ann, self.bob, self.cid
        ann.send("PRIVMSG #team :hello", "NOTICE #team :beep", "NOTICE #global :beep to all")
        lines = [client.line(":beep") for client in (ann, bob, cid)]
        for line in lines:
            self.assertIn(" NOTICE #team :beep", line)
        self.assertEqual(len({_msgid(line) for line in lines}), 1)
        self.assertEqual(self.dan.event("message")["text"], "beep to all")
        cid.send("CHATHISTORY LATEST #team * 10")
        page = [line for line in cid.until("BATCH -") if " #team :" in line and "batch=" in line]
        self.assertEqual([line.partition("!")[2].split(" ")[1] for line in page], ["PRIVMSG", "NOTICE"])
        self.assertEqual(_msgid(page[1]), _msgid(lines[0]))
        ann.send("@+typing=active TAGMSG #team")
        for client in bob, cid:
            self.assertIn("+typing=active", client.line("TAGMSG #team"))
        ann.send("AWAY :lunch", "SETNAME :Ann of the first node")
        for client in bob, cid:
            client.line("AWAY :lunch")
            client.line("SETNAME :Ann of the first node")
        cid.send("WHOIS ann")
        self.assertIn(":lunch", cid.line(" 301 "))
        sent = self.asked(self.dan, type="send", chat="GLOBAL", text=f"{SECRET} here", expires_in=30)
        self.assertEqual((sent["reached"], sent["of"]), (0, 3))
        for client in bob, cid:
            client.line("A timed message waits")
        ann.send(f"KICK #team bob :{_REASON}")
        for client in bob, cid:
            client.line(f"KICK #team bob :{_REASON}")
        self.assertEqual(find_bytes(self.cluster.folders(), _REASON.encode()), [])
        for client in ann, bob, cid:
            client.synced()
            self.assertNotIn(SECRET, "\n".join(client.got))

    def test_a_node_dies(self) -> None:
        """After ``kill -9`` of its node a user is offline on the others, and comes back there to all that was said."""
        ann, cid = self.ann, self.cid
        cid.send("WHOIS ann")
        cid.line(" 318 ")
        ann.send("AWAY :lunch")
        cid.line("AWAY :lunch")
        ann.send("PRIVMSG #team :the last words")
        line = ann.line("the last words")
        self.cluster.nodes[0].kill()
        cid.line(":ann!ann@irchat PART #global")
        back = self.irc(self.cluster.nodes[1], "ann")
        cid.line(":ann!ann@irchat JOIN #global")
        cid.send("WHOIS ann")
        self.assertEqual([one for one in cid.until(" 318 ") if " 301 " in one], [])
        back.send("CHATHISTORY LATEST #team * 10")
        page = [one for one in back.until("BATCH -") if "the last words" in one]
        self.assertEqual([_msgid(one) for one in page], [_msgid(line)])
