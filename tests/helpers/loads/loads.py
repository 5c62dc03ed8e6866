"""The loads of the benchmark scenarios, with clients that check that everyone gets everything, once and in order."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from benchmarks import database
from benchmarks.scenarios.messages import GROUP_MEMBERS, GROUPS, MANY_SENDERS, PAIRS, READERS
from tests.helpers.loads.many_clients import Crowd, Peer

# Time limit for thousands of clients. Only a failing test waits this long.
PATIENCE = 180.0

_MESSAGE = b'{"type":"message",'
_FILLER = "and so the talk of the town goes on for quite a while, as it does"
_LINES_KNOWN = 10_000


def _nothing() -> None:
    pass


class Member(Peer):
    """A user in a room, by number. ``writes``: the user also sends, and does not receive its own messages."""

    def __init__(self, crowd: Crowd, port: int, room: "Room", number: int, *, writes: bool, receive_bytes: int = 0):
        super().__init__(crowd, port, receive_bytes=receive_bytes)
        self.name = database.user_name(number)
        self.writes = writes
        self.last_seq = room.end
        # Whether a message is in flight until this member has it.
        self.is_awaited = not writes
        self.posted: list[str] = []
        self._room = room

    def on_line(self, line: bytes) -> None:
        """Pass messages to the room. Otherwise only replies matter."""
        if line.startswith(_MESSAGE):
            self._room.show(self, line)
        elif self.waiting:
            super().on_line(line)


class Room:
    """One chat with its writers and readers. At most ``in_flight`` messages have not reached all readers.

    Raises AssertionError if a user gets a message twice, out of order, after a gap, or unlike others. ``end`` is
    the seq of the last message known to be stored; what is recorded here comes after it. ``at_news`` is called when a
    message is acknowledged, or shown for the first time.
    """

    def __init__(
        self, senders: Sequence[int], readers: Sequence[int], chat: str, in_flight: int, *, readers_call_it: str = ""
    ) -> None:
        self.chat = chat
        self.readers_call_it = readers_call_it or chat
        self.in_flight = in_flight
        self.filler = _FILLER
        self.end = 0
        self.readers: list[Member] = []
        self.senders: list[Member] = []
        self._sender_numbers = senders
        self._reader_numbers = readers
        self._texts = itertools.count(1)
        self.at_news: Callable[[], object] = _nothing
        self.begin()

    def begin(self) -> None:
        """Start recording. Nothing is in flight."""
        self.posted = 0
        self.shown: dict[int, str] = {}
        self.acknowledged: dict[str, int] = {}
        # The messages shown to each writer, or learned from `sent`, in order.
        self._told: dict[str, list[int]] = defaultdict(list)
        self._seqs: dict[bytes, int] = {}
        self._delivered = 0
        self._is_talking = False
        self._awaited = sum(reader.is_awaited for reader in self.readers)
        self._turns = itertools.cycle(self.senders)
        for sender in self.senders:
            sender.posted.clear()

    def comers(self, crowd: Crowd, port: int, slow: int = 0) -> Iterator[tuple[Peer, dict[str, Any]]]:
        """Return new connections of all members with their sign-ins. For some readers, the kernel buffers little."""
        self.senders = [Member(crowd, port, self, number, writes=True) for number in self._sender_numbers]
        self.readers = []
        for sender, number in zip(self.senders, self._sender_numbers, strict=True):
            yield sender, _resume(number)
        for number in self._reader_numbers:
            receive_bytes = 16_384 if len(self.readers) < slow else 0
            reader = Member(crowd, port, self, number, writes=False, receive_bytes=receive_bytes)
            self.readers.append(reader)
            yield reader, _resume(number)
        self.begin()

    def witnesses(self, crowd: Crowd, port: int) -> Iterator[tuple[str, Peer, dict[str, Any]]]:
        """Return new connections of a writer and a reader, with their name for the chat and their sign-ins."""
        yield self.chat, Peer(crowd, port), _resume(self._sender_numbers[0])
        yield self.readers_call_it, Peer(crowd, port), _resume(self._reader_numbers[0])

    @property
    def rounds(self) -> int:
        """Return the average number of messages that the awaited users have."""
        return self._delivered // self._awaited

    @property
    def is_unanswered(self) -> bool:
        """Whether a sent message is not acknowledged yet."""
        return len(self.acknowledged) < self.posted

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is in flight, not even to users who are not awaited."""
        last = self.end + self.posted
        return (
            not self.is_unanswered
            and all(reader.last_seq == last for reader in self.readers)
            and all(len(self._told[sender.name]) == self.posted for sender in self.senders)
        )

    def talk(self) -> None:
        """Send more."""
        self._is_talking = True
        self._refill()

    def stop(self) -> None:
        """Stop sending."""
        self._is_talking = False
        self.at_news = _nothing

    def show(self, member: Member, line: bytes) -> None:
        """Handle a message line for a member. Many members get the same line, so it is decoded once."""
        seq = self._seqs.get(line) or self._read(line)
        if seq != member.last_seq + 1 and (not member.writes or seq <= member.last_seq):
            raise AssertionError(f"{member.name} was shown {self.chat} {seq} after {member.last_seq}")
        member.last_seq = seq
        if member.is_awaited:
            self._delivered += 1
            if not self._delivered % self._awaited:
                self._refill()
        elif member.writes:
            self._told[member.name].append(seq)

    def check(self, texts: Sequence[str]) -> None:
        """Check ``texts``, which are stored after ``end``: everything acknowledged or shown is there under its seq."""
        stored = dict(enumerate(texts, self.end + 1))
        seqs = {text: seq for seq, text in stored.items()}
        if len(seqs) != len(stored):
            raise AssertionError(f"a message is in {self.chat} twice")
        for seq, text in self.shown.items():
            if stored.get(seq) != text:
                raise AssertionError(f"{text} was shown as {self.chat} {seq}, there is {stored.get(seq)}")
        for text, seq in self.acknowledged.items():
            if stored.get(seq) != text:
                raise AssertionError(f"{text} was acknowledged as {self.chat} {seq}, there is {stored.get(seq)}")
        for sender in self.senders:
            there = [seqs.pop(text) for text in sender.posted if text in seqs]
            if there != sorted(there) or [stored[seq] for seq in there] != sender.posted[: len(there)]:
                raise AssertionError(f"what {self.chat} has of {sender.name} is not how it was sent, up to some point")
        if seqs:
            raise AssertionError(f"nobody said {seqs} in {self.chat}")

    def check_all_had(self) -> None:
        """Check that everything was acknowledged and shown once to each other member. Nothing is in flight."""
        seqs = list(range(self.end + 1, self.end + self.posted + 1))
        if sorted(self.acknowledged.values()) != seqs:
            raise AssertionError(f"acknowledged in {self.chat}: {sorted(self.acknowledged.values())}")
        for sender in self.senders:
            if sorted(self._told[sender.name]) != seqs:
                raise AssertionError(f"{sender.name} was told of {sorted(self._told[sender.name])} in {self.chat}")
        self.check([self.shown[seq] for seq in seqs])

    def _refill(self) -> None:
        while self._is_talking and self.posted < self.rounds + self.in_flight:
            self.posted += 1
            self._post(next(self._turns))

    def _post(self, sender: Member) -> None:
        text = f"{sender.name}x{next(self._texts)} {self.filler}"
        sender.posted.append(text)
        sender.post(lambda sent: self._sent(sender, text, sent), type="send", chat=self.chat, text=text)

    def _sent(self, sender: Member, text: str, sent: dict[str, Any]) -> None:
        if sent["type"] != "sent" or sent["chat"] != self.chat:
            raise AssertionError(sent)
        self.at_news()
        self.acknowledged[text] = sent["seq"]
        self._told[sender.name].append(sent["seq"])

    def _read(self, line: bytes) -> int:
        self.at_news()
        said = msgspec.json.decode(line)
        seq, text = said["seq"], said["text"]
        if said["chat"] not in (self.chat, self.readers_call_it):
            raise AssertionError(f"{said} was shown to a member of {self.chat}")
        if self.shown.setdefault(seq, text) != text:
            raise AssertionError(f"{self.chat} {seq} was shown as {text} and as {self.shown[seq]}")
        if len(self._seqs) > _LINES_KNOWN:
            self._seqs.clear()
        self._seqs[line] = seq
        return int(seq)


def _resume(number: int) -> dict[str, Any]:
    return {"type": "resume", "token": database.token(number)}


class Load(NamedTuple):
    """A scenario: users, groups, and the rooms in which they talk."""

    users: int
    groups: Sequence[Sequence[int]]
    rooms: Callable[[], list[Room]]


def _everyone() -> list[Room]:
    return [Room(range(READERS, READERS + MANY_SENDERS), range(READERS), "GLOBAL", 64)]


def _pairs() -> list[Room]:
    return [
        Room(
            [2 * pair],
            [2 * pair + 1],
            f"@{database.user_name(2 * pair + 1)}",
            _share(512, PAIRS, pair),
            readers_call_it=f"@{database.user_name(2 * pair)}",
        )
        for pair in range(PAIRS)
    ]


def _groups() -> list[Room]:
    return [
        Room(members[:1], members[1:], f"*{database.group_name(group)}", _share(256, GROUPS, group))
        for group, members in enumerate(_MEMBERS)
    ]


def _share(in_flight: int, rooms: int, room: int) -> int:
    return in_flight // rooms + (room < in_flight % rooms)


_MEMBERS = [range(group * GROUP_MEMBERS, (group + 1) * GROUP_MEMBERS) for group in range(GROUPS)]

LOADS = {
    "busy": Load(READERS + MANY_SENDERS, (), _everyone),
    "private": Load(2 * PAIRS, (), _pairs),
    "group": Load(GROUPS * GROUP_MEMBERS, _MEMBERS, _groups),
}
