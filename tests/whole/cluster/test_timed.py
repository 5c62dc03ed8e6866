"""Timed messages on several nodes."""

import time
from typing import Any

import pytest

from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.cluster.talkers import SECRET
from tests.helpers.nodes import find_bytes
from tests.helpers.processes import PATIENCE, wait_for

_TEXT = f"{SECRET} but in memory"
_SECONDS = 6


@pytest.mark.slow
class TimedTests(ClusterTestCase):
    """A timed message from a user of one node to users of others."""

    def find_text(self) -> list[Any]:
        """Return the files of all folders that contain the text."""
        return find_bytes(self.cluster.folders(), SECRET.encode())

    def assert_time(self, wanted: float) -> None:
        """Check that it is a certain time now, and on a busy machine not much later."""
        late = time.monotonic() - wanted
        self.assertGreater(late, -1)
        self.assertLess(late, PATIENCE)

    def assert_sent(self, sent: dict[str, Any], of: int) -> None:
        """Check the reply to a sender. A node that takes long to answer counts as one that has no user."""
        self.assertEqual(sent["of"], of)
        self.assertIn(sent["reached"], range(of + 1))

    def test_survives_its_node(self) -> None:
        """It reaches all nodes, survives the death of the sender's, and ends on time. No file has its text."""
        first, second, third = self.cluster.nodes
        ann, bob, cid = self.client(first, "ann"), self.client(second, "bob"), self.client(third, "cid")
        also_bob = self.client(third, "bob")
        begun = time.monotonic()
        sent = self.asked(ann, type="send", chat="GLOBAL", text=_TEXT, expires_in=_SECONDS, nonce="once")
        self.assert_sent(sent, 2)
        for client in bob, cid, also_bob:
            message = client.event("message")
            self.assertEqual((message["id"], message["text"], message["from"]), (sent["id"], _TEXT, "ann"))
        first.kill()
        self.assertEqual(self.find_text(), [])
        back = self.client(second, "ann")
        again = self.asked(back, type="send", chat="GLOBAL", text=_TEXT, expires_in=_SECONDS, nonce="once")
        self.assertEqual((again["id"], again["expires_at"]), (sent["id"], sent["expires_at"]))
        for node in second, third:
            page = self.asked(self.client(node, "bob"), type="history", chat="GLOBAL")
            self.assertEqual([message["id"] for message in page["messages"]], [sent["id"]])
        self.assertEqual(self.asked(cid, type="chats")["chats"][0]["unread"], 1)
        for client in bob, cid, also_bob:
            self.assertEqual(client.event("erased")["id"], sent["id"])
            self.assert_time(begun + _SECONDS)
        for node in second, third:
            page = self.asked(self.client(node, "bob"), type="history", chat="GLOBAL")
            self.assertEqual(page["messages"], [])
        self.assertEqual(self.asked(cid, type="chats")["chats"][0]["unread"], 0)
        self.assertEqual(self.find_text(), [])

    def test_read_and_taken_back(self) -> None:
        """Messages read on one node are read on the others. A message that its sender takes back is erased on all."""
        first, second, third = self.cluster.nodes
        ann, bob, also_bob = self.client(first, "ann"), self.client(second, "bob"), self.client(third, "bob")
        sent = self.asked(ann, type="send", chat="@bob", text=_TEXT, expires_in=60)
        self.assert_sent(sent, 1)
        self.assertEqual(also_bob.event("message")["id"], sent["id"])
        self.asked(bob, type="history", chat="@ann", mark_read=True)
        wait_for(
            lambda: not self.asked(also_bob, type="chats")["chats"][0]["unread"], "the other node to know the reading"
        )
        self.asked(ann, type="line", line="#-", chat="@bob")
        for client in bob, also_bob:
            self.assertEqual(client.event("erased")["id"], sent["id"])
        self.assertEqual(self.find_text(), [])

    def test_new_node(self) -> None:
        """A node that starts later has the message too, and ends it on time."""
        first, second, third = self.cluster.nodes
        third.kill()
        ann, bob = self.client(first, "ann"), self.client(second, "bob")
        bob.close()
        begun = time.monotonic()
        sent = self.asked(ann, type="send", chat="GLOBAL", text=_TEXT, expires_in=2 * _SECONDS)
        third.start()
        bob = self.client(third, "bob")
        messages = wait_for(
            lambda: self.asked(bob, type="history", chat="GLOBAL")["messages"], "the new node to have the timed message"
        )
        self.assertEqual([message["id"] for message in messages], [sent["id"]])
        first.kill()
        second.kill()
        self.assertEqual(bob.event("erased")["id"], sent["id"])
        self.assert_time(begun + 2 * _SECONDS)
        self.assertEqual(self.find_text(), [])
