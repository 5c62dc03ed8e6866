"""Kill a server repeatedly under load, and check each time that everything it acknowledged or showed is stored."""

from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

from tests.helpers.loads.many_clients import Crowd, Peer
from tests.helpers.loads.restarts import DyingServer

TALKERS = ("alice", "bob", "carol")
TIMED_TEXT = "neverwritten"

_WINDOW = 48
_LONGEST_TRAFFIC = 0.25


class Talker(Peer):
    """Sends with at most `_WINDOW` unanswered requests, and records what is acknowledged and shown."""

    def __init__(self, crowd: Crowd, port: int, name: str, loop: "CrashLoop") -> None:
        super().__init__(crowd, port)
        self.name = name
        self.loop = loop
        self.posted: list[tuple[str, str, str | None]] = []
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self.shown: dict[tuple[str, int], str] = {}
        self.unanswered = 0
        self.is_talking = False

    def talk(self) -> None:
        """Send more."""
        while self.is_talking and self.unanswered < _WINDOW:
            self.unanswered += 1
            if self.loop.random.random() < 0.05:
                self.post(self._answered, type="send", chat="GLOBAL", text=TIMED_TEXT, expires_in=60)
                continue
            text = self.loop.next_text(self.name)
            nonce = text if self.loop.random.random() < 0.5 else None
            chat = self.loop.random.choice(["GLOBAL", "*team", "@bob" if self.name == "alice" else "@alice"])
            self.posted.append((chat, text, nonce))
            request = {"type": "send", "chat": chat, "text": text} | ({"nonce": nonce} if nonce else {})
            self.post(lambda sent, text=text: self._answered(sent, text), **request)

    def on_event(self, event: dict[str, Any]) -> None:
        """Record a stored message."""
        if event["type"] == "message" and "seq" in event:
            place = (event["chat"], event["seq"])
            if place[1] <= self.loop.newest_shown[self.name, place[0]]:
                raise AssertionError(f"{self.name} was shown {place} out of order")
            self.loop.newest_shown[self.name, place[0]] = place[1]
            self.shown[place] = event["text"]

    def _answered(self, sent: dict[str, Any], text: str | None = None) -> None:
        if sent["type"] != "sent":
            raise AssertionError(sent)
        if text is not None:
            self.acknowledged[text] = (sent["chat"], sent["seq"])
        self.unanswered -= 1
        self.talk()


class Steward(Peer):
    """Makes groups, sets and lifts a block and moves a marker, one change after another."""

    def __init__(self, crowd: Crowd, port: int, loop: "CrashLoop") -> None:
        super().__init__(crowd, port)
        self.loop = loop
        self.count = 0
        self.acknowledged = 0
        self.groups: list[str] = []
        self.blocked: list[bool] = []
        self.read_seq = 0

    def change(self) -> None:
        """Make the next change."""
        self.count += 1
        if self.count % 10 == 1:
            name = f"g{self.loop.cycles}x{self.count}"
            self.post(lambda group: self._made(group, name), type="create_group", name=name, members=["bob"])
        blocked = not (self.blocked[-1] if self.blocked else self.loop.is_blocked)
        self.blocked.append(blocked)
        self.post(self._changed, type="block", name="zoe", blocked=blocked)
        # Only to a message known to be stored: the server would cut the marker to the current end of the chat.
        seq = min(self.loop.marked + self.count, self.loop.known_end())
        self.post(lambda ok: self._read(ok, seq), type="read", chat="GLOBAL", seq=seq)

    def _made(self, group: dict[str, Any], name: str) -> None:
        if group["type"] != "group":
            raise AssertionError(group)
        self.groups.append(name)

    def _changed(self, blocks: dict[str, Any]) -> None:
        if blocks["type"] != "blocks":
            raise AssertionError(blocks)
        self.acknowledged += 1

    def _read(self, ok: dict[str, Any], seq: int) -> None:
        if ok["type"] != "ok":
            raise AssertionError(ok)
        self.read_seq = seq
        self.change()


class CrashLoop(DyingServer):
    """A few users who talk, and one who makes changes, on a server that dies in each `cycle`."""

    def __init__(self, home: Path, seed: int) -> None:
        super().__init__(home, seed)
        self.repeated = 0
        self.lost_unacknowledged = 0
        self.marked = 0
        self.is_blocked = False
        self.newest_shown: dict[tuple[str, str], int] = defaultdict(int)
        self._tokens: dict[str, str] = {}
        self._count = 0
        # The texts of each chat by seq, as alice or bob sees it.
        self._stored: dict[tuple[str, str], list[str]] = defaultdict(list)

    def known_end(self) -> int:
        """The seq of the last message of GLOBAL that the last `cycle` found in the store."""
        return len(self._stored["alice", "GLOBAL"])

    def begin(self) -> None:
        """Create the accounts and a group."""
        for name in (*TALKERS, "steward", "zoe"):
            welcome = self._ask(self._crowd.join(Peer(self._crowd, self._server.port)), type="login", name=name)
            self._tokens[name] = welcome["token"]
        owner = self._signed_in("alice")
        self._ask(owner, type="create_group", name="team", members=["bob", "carol"])
        self._hang_up()

    def next_text(self, name: str) -> str:
        """Return a new text."""
        self._count += 1
        return f"{name}x{self._count}"

    def cycle(self) -> None:
        """Talk, kill, restart, check, and repeat the sends that had a nonce."""
        port, crowd = self._server.port, self._crowd
        talkers = [self._resumed(Talker(crowd, port, name, self), self._tokens[name]) for name in TALKERS]
        steward = self._resumed(Steward(crowd, port, self), self._tokens["steward"])
        newcomer = crowd.join(Peer(crowd, port))
        welcomes: list[dict[str, Any]] = []
        newcomer.post(welcomes.append, type="login", name=f"new{self.cycles}")
        for talker in talkers:
            talker.is_talking = True
            talker.talk()
        steward.change()
        crowd.run(self.random.uniform(0.002, _LONGEST_TRAFFIC))
        self._server.kill()
        for talker in talkers:
            talker.is_talking = False
        crowd.drain()
        self._check_no_trace()
        self._server = self._start()
        self._check_messages(talkers)
        self._check_changes(steward, [welcome["token"] for welcome in welcomes])
        self._repeat(talkers)
        self._hang_up()

    def look_again(self) -> None:
        """Read all chats from the beginning."""
        for name in ("alice", "bob"):
            reader = self._signed_in(name)
            for (who, chat), texts in list(self._stored.items()):
                if who == name and texts != self._page_through(reader, chat, 0):
                    raise AssertionError(f"{chat} of {who} changed")

    def figures(self) -> str:
        """Return the figures."""
        return (
            f"{super().figures()}, {self.repeated} nonces repeated, "
            f"{self.lost_unacknowledged} unacknowledged messages lost"
        )

    def _signed_in(self, name: str) -> Peer:
        return self._resumed(Peer(self._crowd, self._server.port), self._tokens[name])

    def _read_new(self) -> dict[str, tuple[str, int]]:
        """Return chat (in the sender's terms) and seq of new messages by text. Check that all readers see the same."""
        new: dict[str, tuple[str, int]] = {}
        reader = self._signed_in("alice")
        for chat in "GLOBAL", "*team", "@bob", "@carol":
            known = self._stored["alice", chat]
            for seq, text in enumerate(self._page_through(reader, chat, len(known)), len(known) + 1):
                known.append(text)
                place = chat if text.startswith("alice") or chat[0] != "@" else "@alice"
                if text in new:
                    raise AssertionError(f"{text} is there twice")
                new[text] = (place, seq)
        reader = self._signed_in("bob")
        for chat, of_alice in ("GLOBAL", "GLOBAL"), ("*team", "*team"), ("@alice", "@bob"):
            known = self._stored["bob", chat]
            known += self._page_through(reader, chat, len(known))
            if known != self._stored["alice", of_alice]:
                raise AssertionError(f"alice and bob do not see the same in {chat}")
        return new

    def _check_messages(self, talkers: list[Talker]) -> None:
        new = self._read_new()
        for talker in talkers:
            stored = [text for _, text, _ in talker.posted if text in new]
            if stored != [text for _, text, _ in talker.posted][: len(stored)]:
                raise AssertionError(f"what is there of {talker.name} is not how it was sent, up to some point")
            for text, place in talker.acknowledged.items():
                if new.get(text) != place:
                    raise AssertionError(f"{talker.name} was told {place} for {text}, there is {new.get(text)}")
            for (chat, seq), text in talker.shown.items():
                sender_calls_it = f"@{talker.name}" if chat.startswith("@") else chat
                if new.get(text) != (sender_calls_it, seq):
                    raise AssertionError(f"{talker.name} was shown {text} as {chat} {seq}, there is {new.get(text)}")
            self.lost_unacknowledged += len(talker.posted) - len(stored)
        spoken = {text for talker in talkers for _, text, _ in talker.posted}
        if not spoken.issuperset(new):
            raise AssertionError(f"nobody said {set(new) - spoken}")
        self.messages += len(new)
        if new:
            text, (_, seq) = max(new.items(), key=lambda item: item[1][1])
            found = self._ask(self._signed_in("alice"), type="search", words=text)
            if [message["seq"] for message in found["messages"]] != [seq]:
                raise AssertionError(f"search for {text} finds {found}")

    def _check_changes(self, steward: Steward, tokens: list[str]) -> None:
        peer = self._signed_in("steward")
        for group in steward.groups:
            if self._ask(peer, type="members", group=group).get("members") != ["steward", "bob"]:
                raise AssertionError(f"the group {group} is not there")
        is_blocked = self._ask(peer, type="blocks")["names"] == ["zoe"]
        possible = [self.is_blocked, *steward.blocked][steward.acknowledged :]
        if is_blocked not in possible:
            raise AssertionError(f"the block is {is_blocked}, and of {possible} one was to be")
        self.is_blocked = is_blocked
        chats = {chat["chat"]: chat for chat in self._ask(peer, type="chats")["chats"]}
        if chats["GLOBAL"]["last_seq"] != len(self._stored["alice", "GLOBAL"]):
            raise AssertionError(f"the end of GLOBAL is wrong: {chats['GLOBAL']}")
        self.marked = max(self.marked, steward.read_seq)
        if chats["GLOBAL"]["read_seq"] < self.marked:
            raise AssertionError(f"the marker went back below {self.marked}: {chats['GLOBAL']}")
        for token in tokens:
            newcomer = self._crowd.join(Peer(self._crowd, self._server.port))
            if self._ask(newcomer, type="resume", token=token)["type"] != "welcome":
                raise AssertionError("an account or its token is lost")

    def _repeat(self, talkers: list[Talker]) -> None:
        """Repeat the sends with a nonce: stored ones keep their seq, missing ones are stored once."""
        at_most = 40
        for talker in talkers:
            again = [posted for posted in talker.posted if posted[2] is not None][-at_most:]
            peer = self._signed_in(talker.name)
            replies: dict[str, dict[str, Any]] = {}
            for chat, text, nonce in again * 2:
                peer.post(partial(_same, replies, text), type="send", chat=chat, text=text, nonce=nonce)
            self._crowd.until(lambda peer=peer: not peer.waiting, "the repetitions to be answered")
            for text, sent in replies.items():
                if sent["type"] != "sent":
                    raise AssertionError(f"{text} repeated gives {sent}")
                if text in talker.acknowledged and talker.acknowledged[text] != (sent["chat"], sent["seq"]):
                    raise AssertionError(f"{text} repeated gives {sent}, first {talker.acknowledged[text]}")
            self.repeated += len(replies)
        new = self._read_new()
        for texts in self._stored.values():
            if len(set(texts)) != len(texts):
                raise AssertionError("a message is there twice")
        self.messages += len(new)

    def _check_no_trace(self) -> None:
        for path in self._server.data.iterdir():
            if path.is_file() and TIMED_TEXT.encode() in path.read_bytes():
                raise AssertionError(f"a timed message is in {path}")


def _same(replies: dict[str, dict[str, Any]], text: str, sent: dict[str, Any]) -> None:
    """Record the reply to a repeated send, which is always the same."""
    if replies.setdefault(text, sent) != sent:
        raise AssertionError(f"{text} repeated gives {replies[text]} and {sent}")


def crash(home: Path, cycles: int, seed: int) -> str:
    """Run ``cycles`` of a `CrashLoop`. Return its figures."""
    return CrashLoop(home, seed).run(cycles)
