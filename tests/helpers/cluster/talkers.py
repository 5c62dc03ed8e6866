"""JSON clients that talk through a balancer, reconnect, repeat unanswered sends, and record a history."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from tests.helpers.cluster.history import (
    Answered,
    BlockAnswered,
    BlockAsked,
    Came,
    Erased,
    History,
    Left,
    Paged,
    Posted,
    Presence,
    Refused,
    Shown,
    ShownTimed,
    canonical,
)
from tests.helpers.loads.many_clients import Crowd, Peer
from tests.helpers.processes import PATIENCE

SECRET = "neverwritten"
"""A part of the text of each timed message."""
GROUP = "*team"

_WINDOW = 8
_WELCOME_SECONDS = 3.0
_TIMED_SECONDS = (2, 4)


class Link(Peer):
    """A connection of a talker."""

    def __init__(self, talker: "Talker", port: int, number: int) -> None:
        self.talker = talker
        self.number = number
        self.is_welcome = False
        super().__init__(talker.company.crowd, port)

    def on_event(self, event: dict[str, Any]) -> None:
        """Pass an event on."""
        self.talker.on_event(self, event)

    def close(self) -> None:
        """Close the connection."""
        was_open = self.is_open
        super().close()
        if was_open:
            self.talker.on_closed(self)


class Talker:
    """A user with one connection at a time. It writes to ``chats``, named as it sees them."""

    def __init__(self, company: "Company", name: str, ports: Sequence[int], chats: Sequence[str]) -> None:
        self.company = company
        self.name = name
        self.label = name
        self.ports = ports
        self.chats = chats
        self.follows = {*chats, "GLOBAL", GROUP}
        self.rate = 0.0
        self.timed_share = 0.0
        self.foe = ""
        self.link: Link | None = None
        self.pending: dict[str, Posted] = {}
        self.known: dict[str, int] = defaultdict(int)
        self.wants_read: dict[str, int] = {}
        self.has_read: dict[str, int] = {}
        self.is_blocking = False
        self.wants_block = False
        self._count = 0
        self._token = ""
        self._connect_at = self._send_at = self._block_at = 0.0
        self._deadline = 0.0
        self._again: dict[str, float] = {}
        self._live: dict[str, int] = {}

    @property
    def is_up(self) -> bool:
        """Whether it is signed in."""
        return self.link is not None and self.link.is_welcome

    @property
    def is_settled(self) -> bool:
        """Whether all its requests were answered."""
        blocks = self.is_blocking == self.wants_block
        return self.is_up and not self.pending and self.wants_read == self.has_read and blocks

    def say(self, chat: str, seconds: int = 0) -> str:
        """Send a message. Return its text."""
        self._count += 1
        text = f"{SECRET if seconds else 'said'}-{self.label}-{self._count}"
        self.pending[text] = Posted(0.0, self.name, 0, chat, text, seconds)
        if self.is_up:
            self._post(text)
        return text

    def tick(self, now: float) -> None:
        """Do the actions that are due."""
        if self.link is None:
            if now >= self._connect_at:
                self._connect(now)
            return
        if not self.link.is_welcome:
            if now > self._deadline:
                self.link.close()
            return
        for text in [text for text, at in self._again.items() if at <= now]:
            del self._again[text]
            self._post(text)
        if self.rate and now >= self._send_at and len(self.pending) < _WINDOW:
            self._send_at = now + self.company.random.expovariate(self.rate)
            self._act(now)

    def _act(self, now: float) -> None:
        chance = self.company.random
        is_timed = chance.random() < self.timed_share
        self.say(chance.choice(self.chats), chance.randint(*_TIMED_SECONDS) if is_timed else 0)
        if chance.random() < 0.1:
            self.read(chance.choice(self.chats))
        if self.foe and now >= self._block_at:
            self._block_at = now + chance.uniform(0.3, 0.9)
            self.block(not self.wants_block)

    def read(self, chat: str) -> None:
        """Move the read marker to the last known message."""
        if self.known[chat] > self.wants_read.get(chat, 0):
            self.wants_read[chat] = self.known[chat]
            self._post_read(chat)

    def block(self, blocked: bool) -> None:
        """Set or lift the block of its foe, unless an earlier request is not answered."""
        if self.foe and self.wants_block == self.is_blocking and blocked != self.is_blocking:
            self.wants_block = blocked
            self._post_block()

    def on_closed(self, link: Link) -> None:
        """Plan the next connection."""
        if link is not self.link:
            return
        if link.is_welcome:
            self.company.record(Left(self.company.now(), self.name, link.number))
        self.link = None
        self._again.clear()
        self._connect_at = self.company.now() + self.company.random.uniform(0.05, 1.0)

    def on_event(self, link: Link, event: dict[str, Any]) -> None:
        """Record an event."""
        match event["type"]:
            case "message":
                self._show(link, event, live=True)
            case "erased":
                self.company.record(Erased(self.company.now(), self.name, link.number, event["id"]))
            case "presence":
                online, offline = frozenset(event["online"]), frozenset(event["offline"])
                self.company.record(Presence(self.company.now(), self.name, link.number, online, offline))
            case "ping":
                link.send(b'{"type":"pong"}\n')
            case "bye":
                self.company.goodbyes.append(event["reason"])
                link.close()
            case "error":
                raise AssertionError(f"{self.name}: {event}")

    def _connect(self, now: float) -> None:
        self.company.connections += 1
        self._deadline = now + _WELCOME_SECONDS
        self._connect_at = now + self.company.random.uniform(0.2, 1.0)
        self._live = {}
        try:
            link = Link(self, self.company.random.choice(self.ports), self.company.connections)
        except OSError:
            return
        self.link = link
        # As the clients do it, and in half of all cases with a sign-in that is a commit.
        signs_in = not self._token or self.company.random.random() < 0.5
        request = {"type": "login", "name": self.name} if signs_in else {"type": "resume", "token": self._token}
        link.post(lambda reply: self._welcomed(link, reply), **request)

    def _welcomed(self, link: Link, reply: dict[str, Any]) -> None:
        if reply["type"] != "welcome":
            if reply.get("code") != "unavailable":
                raise AssertionError(f"{self.name}: {reply}")
            link.close()
            return
        link.is_welcome = True
        self._token = reply["token"]
        now = self.company.now()
        self.company.record(Came(now, self.name, link.number, frozenset(reply["online"])))
        for chat in sorted(self.follows):
            self._page(link, chat, self.known[chat], self.known[chat])
        for text in self.pending:
            self._post(text)
        for chat in self.wants_read:
            self._post_read(chat)
        if self.wants_block != self.is_blocking:
            self._post_block()

    def _page(self, link: Link, chat: str, after: int, begin: int) -> None:
        def paged(page: dict[str, Any]) -> None:
            if page["type"] == "error":
                self._check_unavailable(page)
                link.close()  # a client that cannot catch up tries again with a new connection
                return
            seqs = [message["seq"] for message in page["messages"] if "seq" in message]
            for message in page["messages"]:
                self._show(link, message, live=False)
            if page["more"]:
                self._page(link, chat, seqs[-1], begin)
                return
            now = self.company.now()
            self.company.record(Paged(now, self.name, link.number, canonical(chat, self.name), begin))
            # From here on, live messages follow on the known ones.
            self.known[chat] = max([after, *seqs, self._live.get(chat, 0)])
            self._live[chat] = self.known[chat]

        link.post(paged, type="history", chat=chat, after=after, limit=500)

    def _show(self, link: Link, message: dict[str, Any], *, live: bool) -> None:
        now, chat = self.company.now(), canonical(message["chat"], self.name)
        if "id" in message:
            timed = message["id"], message["from"], message["text"], message["left_ms"]
            self.company.record(ShownTimed(now, self.name, link.number, chat, *timed, live))
            return
        seq = message["seq"]
        self.company.record(Shown(now, self.name, link.number, chat, seq, message["from"], message["text"], live))
        if live:
            is_caught_up = message["chat"] in self._live and self.known[message["chat"]] == self._live[message["chat"]]
            self._live[message["chat"]] = seq
            if is_caught_up:
                self.known[message["chat"]] = seq

    def _post(self, text: str) -> None:
        link, posted = self.link, self.pending[text]
        assert link is not None
        posted = posted._replace(at=self.company.now(), connection=link.number)
        self.company.record(posted._replace(chat=canonical(posted.chat, self.name)))
        request: dict[str, Any] = {"type": "send", "chat": posted.chat, "text": text, "nonce": text[-40:]}
        if posted.seconds:
            request |= {"expires_in": posted.seconds, "nonce": text.removeprefix(SECRET)}
        link.post(lambda sent: self._sent(link, text, sent), **request)

    def _sent(self, link: Link, text: str, sent: dict[str, Any]) -> None:
        now = self.company.now()
        if sent["type"] == "error":
            self._check_unavailable(sent)
            self.company.record(Refused(now, self.name, link.number, text, sent["code"]))
            self._again[text] = now + self.company.random.uniform(0.2, 0.6)
            return
        del self.pending[text]
        timed = (sent["id"], sent["left_ms"], sent["reached"]) if "id" in sent else ()
        chat = canonical(sent["chat"], self.name)
        self.company.record(Answered(now, self.name, link.number, chat, text, sent.get("seq", 0), *timed))
        if timed:
            self.company.timed_until = max(self.company.timed_until, now + sent["left_ms"] / 1e3)

    def _post_read(self, chat: str) -> None:
        seq = self.wants_read[chat]

        def answered(ok: dict[str, Any]) -> None:
            if ok["type"] == "error":
                self._check_unavailable(ok)
                self.company.later(0.4, lambda: self.is_up and self._post_read(chat))
                return
            self.has_read[chat] = max(self.has_read.get(chat, 0), seq)

        if self.link is not None and self.link.is_welcome:
            self.link.post(answered, type="read", chat=chat, seq=seq)

    def _post_block(self) -> None:
        link, blocked = self.link, self.wants_block

        def answered(blocks: dict[str, Any]) -> None:
            if blocks["type"] == "error":
                self._check_unavailable(blocks)
                self.company.later(0.4, lambda: self.is_up and self._post_block())
                return
            if (self.foe in blocks["names"]) is not blocked:
                raise AssertionError(f"{self.name}: blocked {blocked} is answered with {blocks}")
            self.is_blocking = blocked
            now = self.company.now()
            self.company.record(BlockAnswered(now, self.name, link.number, self.foe, blocked))  # type: ignore[union-attr]

        if link is not None and link.is_welcome:
            self.company.record(BlockAsked(self.company.now(), self.name, link.number, self.foe, blocked))
            link.post(answered, type="block", name=self.foe, blocked=blocked)

    def _check_unavailable(self, reply: dict[str, Any]) -> None:
        if reply["code"] != "unavailable":
            raise AssertionError(f"{self.name}: {reply}")


class Company:
    """Talkers on one poller, with their common history."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.crowd = Crowd()
        self.history: History = []
        self.talkers: list[Talker] = []
        self.goodbyes: list[str] = []
        self.connections = 0
        self.timed_until = 0.0
        self._later: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        """Return the time in seconds."""
        return time.monotonic()

    def record(self, one: Any) -> None:
        """Add to the history."""
        self.history.append(one)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Call ``act`` after some seconds."""
        self._later.append((self.now() + seconds, act))

    def add(self, name: str, ports: Sequence[int], chats: Sequence[str] = ("GLOBAL", GROUP)) -> Talker:
        """Add a talker, which connects to a random one of ``ports``."""
        talker = Talker(self, name, ports, chats)
        talker.label = f"{name}{sum(other.name == name for other in self.talkers) or ''}"
        self.talkers.append(talker)
        return talker

    def turn(self, seconds: float = 0.02) -> None:
        """Handle one round of events."""
        now = self.now()
        due = [one for one in self._later if one[0] <= now]
        self._later = [one for one in self._later if one[0] > now]
        for _, act in due:
            act()
        for talker in self.talkers:
            talker.tick(now)
        self.crowd.turn(seconds)

    def run(self, seconds: float) -> None:
        """Run for some seconds."""
        end = self.now() + seconds
        while self.now() < end:
            self.turn()

    def until(self, condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
        """Run until ``condition`` holds."""
        end = self.now() + patience
        while not condition():
            if self.now() > end:
                raise AssertionError(f"waited in vain for {what}")
            self.turn()

    def sign_in(self) -> None:
        """Wait until all are signed in."""
        self.until(lambda: all(talker.is_up for talker in self.talkers), "all to be signed in")

    def talk(self, rate: float, timed_share: float = 0.0) -> None:
        """Begin to talk: ``rate`` messages a second in all."""
        for talker in self.talkers:
            talker.rate = rate / len(self.talkers)
            talker.timed_share = timed_share

    def settle(self) -> None:
        """Stop talking, lift all blocks, and wait until everything is answered and all timed messages are over."""
        for talker in self.talkers:
            talker.rate = 0.0
        self.until(
            lambda: all(talker.wants_block == talker.is_blocking for talker in self.talkers), "blocks to be answered"
        )
        for talker in self.talkers:
            talker.block(False)
        self.until(lambda: all(talker.is_settled for talker in self.talkers), "all to be answered")
        self.until(lambda: self.now() > self.timed_until, "the ends of timed messages")

    def close(self) -> None:
        """Close all connections."""
        self.talkers.clear()
        self.crowd.close()
