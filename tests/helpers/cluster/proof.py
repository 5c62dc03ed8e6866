"""Users that talk on a cluster during a fault, and the verdict at the end."""

import random
from collections import defaultdict
from typing import Any

from tests.helpers.cluster import checker
from tests.helpers.cluster.history import Stored, StoredText, canonical
from tests.helpers.cluster.talkers import GROUP, SECRET, Company
from tests.helpers.nodes import Cluster, find_bytes
from tests.helpers.processes import JSONClient

_NAMES = ("ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ivy", "jon")
_QUIET_SECONDS = 20.0


class Proof:
    """Ten users who talk in GLOBAL, in a group and in pairs. Two of them block and unblock others again and again."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self.cluster = cluster
        self.messages = 0
        self.late_seconds = checker.LATE_SECONDS
        self.company = Company(seed)
        self.random = random.Random(seed)
        self._prepare()
        ports = [cluster.balancer.port]
        for index, name in enumerate(_NAMES):
            talker = self.company.add(name, ports, ["GLOBAL", GROUP, f"@{_NAMES[index ^ 1]}"])
            if index in (0, 5):
                talker.foe = _NAMES[(index + 3) % len(_NAMES)]
        for index in (0, 3):  # second sessions
            self.company.add(_NAMES[index], ports)
        self.company.sign_in()

    def check(self) -> None:
        """Wait until all is quiet. Raise AssertionError with all violations."""
        company = self.company
        company.settle()
        end = company.now() + _QUIET_SECONDS
        while wrong := list(checker.presence(company.history, {})):
            if company.now() > end:
                raise AssertionError("\n".join(wrong))
            company.run(0.5)
        stored = self._same_everywhere()
        self.messages = sum(map(len, stored.values()))
        end = company.now() + _QUIET_SECONDS
        while wrong := checker.check(company.history, stored, self.late_seconds):
            if company.now() > end:
                raise AssertionError("\n".join(wrong[:20]))
            company.run(0.5)
        self._check_unread(stored)
        self.check_no_trace()
        errors = [log for node in self.cluster.nodes for log in node.tracebacks()]
        if errors:
            raise AssertionError(errors[0][-4000:])

    def check_no_trace(self) -> None:
        """Raise AssertionError if a timed text is in any file."""
        found = find_bytes(self.cluster.folders(), SECRET.encode())
        if found:
            raise AssertionError(f"timed texts are in {found}")

    def figures(self) -> str:
        """Return the numbers of events."""
        kinds: dict[str, int] = defaultdict(int)
        for one in self.company.history:
            kinds[type(one).__name__] += 1
        absence = checker.longest_absence(self.company.history)
        gap = checker.longest_silence(self.company.history)
        return f"{dict(kinds)}, longest absence {absence:.1f} s, longest time without an answer {gap:.1f} s"

    def close(self) -> None:
        """Close all connections."""
        self.company.close()

    def _prepare(self) -> None:
        clients = [self._client(0, name) for name in _NAMES]
        group = clients[0].ask(type="create_group", name=GROUP[1:], members=_NAMES[1:])
        if group["type"] != "group":
            raise AssertionError(group)
        for client in clients:
            client.close()

    def _client(self, node: int, name: str) -> JSONClient:
        client = JSONClient(self.cluster.nodes[node], tls=False)
        welcome = client.ask(type="login", name=name)
        if welcome["type"] != "welcome":
            raise AssertionError(welcome)
        return client

    def _same_everywhere(self) -> Stored:
        """Return the stored messages, which must be the same at each node."""
        found = [self._stored(node) for node, one in enumerate(self.cluster.nodes) if one.is_running]
        for other in found[1:]:
            if other != found[0]:
                raise AssertionError("two nodes do not show the same messages")
        return found[0]

    def _stored(self, node: int) -> Stored:
        stored: Stored = {}
        for index, name in enumerate(_NAMES):
            if index % 2 and index != 1:
                continue
            client = self._client(node, name)
            chats = ["GLOBAL", GROUP] if index == 1 else [f"@{_NAMES[index ^ 1]}"]
            for chat in chats:
                stored[canonical(chat, name)] = self._pages(client, chat)
            client.close()
        return {chat: messages for chat, messages in stored.items() if messages}

    def _pages(self, client: JSONClient, chat: str) -> dict[int, StoredText]:
        messages: dict[int, StoredText] = {}
        while True:
            page = self._ask(client, type="history", chat=chat, after=max(messages, default=0), limit=500)
            for message in page["messages"]:
                if "seq" in message:
                    messages[message["seq"]] = StoredText(message["from"], message["text"])
            if not page["more"]:
                return messages

    def _check_unread(self, stored: Stored) -> None:
        for node, one in enumerate(self.cluster.nodes):
            for talker in self.company.talkers if one.is_running else ():
                client = self._client(node, talker.name)
                found = {
                    canonical(chat["chat"], talker.name): (chat["read_seq"], chat["unread"])
                    for chat in self._ask(client, type="chats")["chats"]
                }
                client.close()
                read = self._markers(talker.name)
                expected = checker.unread(stored, talker.name, read, self._foes(talker.name))
                for chat, possible in expected.items():
                    if found.get(chat) not in possible:
                        raise AssertionError(
                            f"{one.name}: unread of {talker.name} in {chat} is {found.get(chat)}, not in {possible}"
                        )

    def _foes(self, name: str) -> set[str]:
        """Return the users that a user blocks now and then, and those that block it."""
        pairs = [(talker.name, talker.foe) for talker in self.company.talkers if talker.foe]
        return {blocker for blocker, foe in pairs if foe == name} | {foe for blocker, foe in pairs if blocker == name}

    def _markers(self, name: str) -> dict[str, int]:
        """Return the read markers that a user set, in all its sessions."""
        markers: dict[str, int] = defaultdict(int)
        for talker in self.company.talkers:
            if talker.name == name:
                for chat, seq in talker.has_read.items():
                    markers[canonical(chat, name)] = max(markers[canonical(chat, name)], seq)
        return markers

    def _ask(self, client: JSONClient, **request: Any) -> dict[str, Any]:
        reply = client.ask(**request)
        if reply["type"] == "error":
            raise AssertionError(f"{request} is answered with {reply}")
        return reply
