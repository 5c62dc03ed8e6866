"""Promises that hold on one server hold across nodes: slow readers, blocks, edits, deletions, marks, search."""

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.cluster.measured import MeasuredCluster
from tests.helpers.nodes import Cluster
from tests.helpers.processes import JSONClient, wait_for

_LONG = "x" * 3_900
# More than all buffers between a node and a client that does not read: 1.6 MB.
_MANY = 400


@pytest.mark.slow
class PromiseTests(ClusterTestCase):
    """Ann, bob and cid on three nodes."""

    cluster: MeasuredCluster

    def make_cluster(self, home: Path) -> Cluster:
        """Return a cluster with metrics."""
        return MeasuredCluster(home, self.nodes, *self.options)

    def test_all(self) -> None:
        """What changes on one node is the same on all, live, in pages and in searches, and no reader loses anything."""
        first, second, third = self.cluster.nodes
        ann, bob, cid = self.client(first, "ann"), self.client(second, "bob"), self.client(third, "cid")
        self.check_changes(ann, bob, cid)
        also_bob = self.client(third, "bob")
        self.check_blocks(ann, bob, also_bob)
        for client in bob, also_bob:
            client.close()
        self.check_slow_reader(ann, cid)

    def texts(self, client: JSONClient, **request: Any) -> list[str]:
        """Return the texts of the messages in the reply to a request."""
        return [message["text"] for message in self.asked(client, **request)["messages"]]

    def check_changes(self, ann: JSONClient, bob: JSONClient, cid: JSONClient) -> None:
        """Ann edits and deletes on the first node, bob marks on the second."""
        kept, gone = (self.asked(ann, type="send", chat="GLOBAL", text=text)["seq"] for text in ("frist", "second"))
        for client in bob, cid:
            self.assertEqual([client.event("message")["text"] for _ in range(2)], ["frist", "second"])
        self.asked(ann, type="amend", chat="GLOBAL", seq=kept, text="first")
        self.asked(ann, type="amend", chat="GLOBAL", seq=gone, delete=True)
        for client in bob, cid:
            edited, deleted = client.event("amended"), client.event("amended")
            self.assertEqual((edited["seq"], edited["text"], edited["by"]), (kept, "first", "ann"))
            self.assertEqual((deleted["seq"], deleted["deleted"]), (gone, True))
        self.asked(bob, type="mark", chat="GLOBAL", seq=kept, mark="ok")
        for client in ann, cid:
            marked = client.event("amended")
            while "mark" not in marked:
                marked = client.event("amended")
            self.assertEqual((marked["seq"], marked["mark"], marked["on"]), (kept, "ok", True))
        for client in ann, bob, cid:
            self.assertEqual(self.texts(client, type="history", chat="GLOBAL"), ["first"])
            self.assertEqual(self.texts(client, type="search", words="first"), ["first"])
            self.assertEqual(self.texts(client, type="search", mark="ok"), ["first"])
            for words in "frist", "second":
                self.assertEqual(self.texts(client, type="search", words=words), [])

    def check_blocks(self, ann: JSONClient, bob: JSONClient, also_bob: JSONClient) -> None:
        """Bob blocks ann on the second node. His session on the third shows it too, at once."""
        self.asked(ann, type="send", chat="@bob", text="before")
        self.asked(bob, type="block", name="ann", blocked=True)
        self.assertEqual(self.asked(also_bob, type="blocks")["names"], ["ann"])
        for client in bob, also_bob:
            self.assertEqual(self.texts(client, type="history", chat="GLOBAL"), [])
            self.assertEqual(self.texts(client, type="search", words="first"), [])
            unread = {chat["chat"]: chat["unread"] for chat in self.asked(client, type="chats")["chats"]}
            self.assertEqual({*unread.values()}, {0}, unread)
        self.assertEqual(ann.ask(type="send", chat="@bob", text="after")["type"], "error")
        self.asked(also_bob, type="block", name="ann", blocked=False)
        self.assertEqual(self.asked(bob, type="blocks")["names"], [])
        self.assertEqual(self.texts(bob, type="history", chat="@ann"), ["before"])

    def check_slow_reader(self, ann: JSONClient, cid: JSONClient) -> None:
        """Cid reads nothing, while ann writes much on another node. Then he gets everything once, in order."""
        cid._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        for _ in range(0, _MANY, 50):
            ann.post(*[{"type": "send", "chat": "GLOBAL", "text": _LONG}] * 50)
            last = [ann.event("sent")["seq"] for _ in range(50)][-1]
        third = self.cluster.nodes[2]
        wait_for(lambda: self.cluster.figures(third)["slow_readers"] == 1, "cid to fall behind")
        seqs: list[int] = []
        while last not in seqs[-1:]:
            message = cid.event("message")
            if message["text"] == _LONG:
                seqs.append(message["seq"])
        self.assertEqual(seqs, list(range(last - _MANY + 1, last + 1)))
        wait_for(lambda: self.cluster.figures(third)["slow_readers"] == 0, "cid to catch up")
