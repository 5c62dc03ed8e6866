"""Timed messages on several nodes."""

import time
from typing import Any

import pytest

from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.cluster.talkers import SECRET
from tests.helpers.nodes import find_bytes

_TEXT = f"{SECRET} but in memory"
_SECONDS = 6


@pytest.mark.slow
class TimedTests(ClusterTestCase):
    """A timed message from a user of one node to users of others."""

    def find_text(self) -> list[Any]:
        """Return the files of all folders that contain the text."""
        return find_bytes(self.cluster.folders(), SECRET.encode())

    def assert_time(self, wanted: float) -> None:
        """Check that it is a certain time now, within a second."""
        self.assertLess(abs(time.monotonic() - wanted), 1)

    def test_survives_its_node(self) -> None:
        """It reaches all nodes, survives the death of the sender's, and ends on time. No file has its text."""
        first, second, third = self.cluster.nodes
        ann, bob, cid = self.client(first, "ann"), self.client(second, "bob"), self.client(third, "cid")
        also_bob = self.client(third, "bob")
        begun = time.monotonic()
        sent = self.asked(ann, type="send", chat="GLOBAL", text=_TEXT, expires_in=_SECONDS, nonce="once")
        self.assertEqual((sent["reached"], sent["of"]), (2, 2))
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
        self.assertEqual((sent["reached"], sent["of"]), (1, 1))
        self.assertEqual(also_bob.event("message")["id"], sent["id"])
        self.asked(bob, type="history", chat="@ann", mark_read=True)
        deadline = time.monotonic() + 5
        while self.asked(also_bob, type="chats")["chats"][0]["unread"]:
            self.assertLess(time.monotonic(), deadline, "the other node does not know that it was read")
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
        deadline = time.monotonic() + 5
        while not (page := self.asked(bob, type="history", chat="GLOBAL"))["messages"]:
            self.assertLess(time.monotonic(), deadline, "the new node has no timed message")
        self.assertEqual([message["id"] for message in page["messages"]], [sent["id"]])
        first.kill()
        second.kill()
        self.assertEqual(bob.event("erased")["id"], sent["id"])
        self.assert_time(begun + 2 * _SECONDS)
        self.assertEqual(self.find_text(), [])
