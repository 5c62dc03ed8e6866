"""Messages through rooms, several in flight, with their cost. Everything that arrives is checked."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.dialects import answer_pings, dialect_of, numbers
from benchmarks.load import Connection, Load, Lost
from benchmarks.servers import Server


class Cost(NamedTuple):
    """The cost of messages: the server's CPU time per delivery in us, and messages per second."""

    us: float
    rate: float


class Room:
    """Senders and readers of one chat, who must all see the same messages in the same order.

    A message is in flight until all readers have it; at most ``in_flight`` are. The first reader's order of numbers is
    kept, and every other reader must match it.
    """

    def __init__(
        self,
        senders: Sequence[Connection],
        readers: Sequence[Connection],
        chat: int | str | None,
        in_flight: int,
    ) -> None:
        self.server = readers[0].server
        self.in_flight = in_flight
        self.sent_at: list[float] | None = None
        self.latencies: list[float] = []
        self._dialect = dialect_of(self.server)
        self._senders = senders
        self._readers = readers
        self._chat = chat
        self._order: list[bytes] = []
        self._goal = 0
        self._sent = 0
        self._delivered = 0
        self._acknowledged = 0
        self._to_senders = 0
        for reader in readers:
            reader.on_lines = self._take
        for sender in senders:
            sender.on_lines = self._take_at_sender

    @property
    def deliveries_of_one(self) -> int:
        """The number of connections that get each message."""
        return len(self._readers) + len(self._senders) - 1

    @property
    def finished(self) -> bool:
        """Whether everything has arrived, and was acknowledged if the server does so."""
        return (
            self._delivered == self._goal * len(self._readers)
            and self._to_senders == self._goal * (len(self._senders) - 1)
            and (self._dialect.sent is None or self._acknowledged == self._goal)
        )

    def ask(self, messages: int) -> None:
        """Send more messages."""
        self._goal += messages
        self._refill()

    def check(self) -> None:
        """Raise Lost if a message is lost, duplicated, or out of its sender's order."""
        sent = [str(number).encode() for number in range(self._sent)]
        order = self._order if len(self._senders) == 1 else sorted(self._order, key=int)
        if order != sent:
            raise Lost(f"{self.server.name} lost, doubled or mixed up messages")

    def _refill(self) -> None:
        first = self._sent
        self._sent = max(first, min(self._goal, self._delivered // len(self._readers) + self.in_flight))
        if first == self._sent:
            return
        if self.sent_at is not None:
            self.sent_at += [time.perf_counter()] * (self._sent - first)
        count = len(self._senders)
        for offset in range(min(count, self._sent - first)):
            data = b"".join(
                self._dialect.message(self._chat, number) for number in range(first + offset, self._sent, count)
            )
            self._senders[(first + offset) % count].send(data)

    def _take(self, reader: Connection, lines: bytes) -> None:
        answer_pings(reader, lines)
        found = numbers(lines)
        if not found:
            return
        begin, end = reader.position, reader.position + len(found)
        known = len(self._order)
        if end > known:
            self._order += found[max(0, known - begin) :]
        if self._order[begin:end] != found:
            raise Lost(f"{self.server.name}: connection {reader.number} has another order than the others")
        reader.position = end
        self._delivered += len(found)
        if self.sent_at is not None:
            now = time.perf_counter()
            self.latencies += [now - self.sent_at[int(number)] for number in found]
        if self._sent < self._goal:
            self._refill()

    def _take_at_sender(self, sender: Connection, lines: bytes) -> None:
        answer_pings(sender, lines)
        self._to_senders += len(numbers(lines))
        if self._dialect.sent is not None:
            self._acknowledged += lines.count(self._dialect.sent)


def drive(load: Load, server: Server, rooms: Sequence[Room], messages: int) -> Cost:
    """Send messages, shared among the rooms. Return their cost."""
    each = messages // len(rooms)
    cpu, begun = server.cpu(), time.perf_counter()
    for room in rooms:
        room.ask(each)
    unfinished = set(rooms)

    def done() -> bool:
        if next(iter(unfinished)).finished:
            unfinished.difference_update([room for room in unfinished if room.finished])
        return not unfinished

    load.until(done, f"{each * len(rooms):,} messages through {server.name}", patience=300)
    seconds, cpu = time.perf_counter() - begun, server.cpu() - cpu
    for room in rooms:
        room.check()
    deliveries = sum(each * room.deliveries_of_one for room in rooms)
    return Cost(us=cpu * 1e6 / deliveries, rate=each * len(rooms) / seconds)
