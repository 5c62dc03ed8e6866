"""Attacks on a server with hostile lines, and their effect on other users."""

import random
import re
import time
from collections import Counter
from pathlib import Path

from tests.helpers.loads.abuse import KIB, Others, still_well, under_attack
from tests.helpers.loads.many_clients import Crowd, Peer, rss_kib

_WORDS = (
    b"@", b"*", b"+", b"-", b"~", b"ls", b"!help", b"\\", b"?", b"exit ", b"\x00", b"\x1b[2J", b"\xff\xfe",
    b"\xed\xa0\x80", "\u202e".encode(), b"->", b",", b"alice", b"GLOBAL", b" ", b"\r", b"\t", b"*30*",
    b"*999999999999*", b'"', b"{", b"}", b"[", b"]", b":", b"1e999", b"-1", b"\\u0000", b"\\ud800", b"null", b"true",
    b"9" * 30, b"[" * 600, b"A" * 500,
)  # fmt: skip
_REQUESTS = (
    b"send", b"line", b"history", b"search", b"read", b"chats", b"users", b"create_group", b"add_member",
    b"remove_member", b"members", b"block", b"blocks", b"help", b"ping", b"login", b"register", b"resume", b"password",
    b"pong", b"nonsense",
)  # fmt: skip
_FIELDS = (
    b"chat", b"text", b"line", b"name", b"words", b"seq", b"members", b"group", b"prefix", b"limit", b"before",
    b"after", b"unread", b"expires_in", b"nonce", b"ref", b"password", b"token", b"blocked", b"mark_read", b"old",
    b"new",
)  # fmt: skip
_VALUES = (
    b'"GLOBAL"', b'"@alice"', b'"*team"', b'""', b"0", b"-1", b"1", b"9223372036854775808", b"1e400", b"null",
    b"true", b"[]", b"{}", b'["alice","bob"]', b'"\\u0000"', b'"\\ud800"', b'"\\u202e"', b'"\\u001b[2J"', b'"x"',
    b"[[[[[[]]]]]]", b'"' + b"y" * 300 + b'"', b"30",
)  # fmt: skip


def hostile_line(chance: random.Random) -> bytes:
    """Return a hostile line without its end. None of them ends the connection."""
    kind = chance.random()
    if kind < 0.5:
        fields = [b'"type":"' + chance.choice(_REQUESTS) + b'"']
        fields += [b'"' + chance.choice(_FIELDS) + b'":' + chance.choice(_VALUES) for _ in range(chance.randrange(5))]
        line = b"{" + b",".join(fields) + b"}"
        if chance.random() < 0.1:
            place = chance.randrange(len(line))
            line = line[:place] + chance.randbytes(2) + line[place + 1 :]
    elif kind < 0.8:
        line = b"".join(chance.choice(_WORDS) for _ in range(chance.randrange(1, 8)))
    elif kind < 0.999:
        line = chance.randbytes(chance.randrange(1, 60))
    else:
        line = chance.randbytes(1) * chance.choice((65_536, 65_537, 70_000))
    return line.replace(b"\n", b" ")


class Attacker(Peer):
    """Sends hostile lines as fast as possible in one protocol, and reads the answers."""

    def __init__(self, crowd: Crowd, port: int, flood: "Flood", *, text: bool) -> None:
        super().__init__(crowd, port)
        self.has_ended = False
        self._flood = flood
        self._text = text
        self._last = b""
        self.send(b"evil\n" if text else b'{"type":"login","name":"mallory"}\n')

    def on_data(self, data: bytes) -> None:
        """Count the error codes in received data, and look for the last reply."""
        self._flood.heard(data)
        self.has_ended = self.has_ended or b'"ref":"end"' in self._last + data
        self._last = data[-20:]

    def end(self) -> bool:
        """Send a request that is answered after all others. Return False if this protocol has none."""
        if not self._text:
            self.send(b'{"type":"ping","ref":"end"}\n')
        return not self._text

    def turn(self, mask: int) -> None:
        """Send the next lines when the last ones have left."""
        super().turn(mask)
        if not self._out and self.is_open:
            self.send(self._flood.lines(self._text))


class Flood:
    """The number of hostile lines sent, and the answers."""

    def __init__(self, lines: int, seed: int) -> None:
        self.wanted = lines
        self.sent = 0
        self.answers: Counter[bytes] = Counter()
        self._chance = random.Random(seed)

    def lines(self, text: bool) -> bytes:
        """Return a few hostile lines."""
        if self.sent >= self.wanted:
            return b""
        count = self._chance.randrange(1, 60)
        self.sent += count
        begin = b"" if text else b" "  # keep a line that is not an object in the JSON protocol
        lines = [hostile_line(self._chance) for _ in range(count)]
        lines = [begin * (self._chance.random() < 0.2) + line for line in lines if line.strip() != b"exit"]
        return b"".join(line + b"\n" for line in lines)

    def heard(self, data: bytes) -> None:
        """Count the error codes."""
        self.answers.update(re.findall(rb'"code":"([a-z-]+)"', data))


def hostile(home: Path, lines: int, seed: int) -> str:
    """Send hostile lines to a server that others use meanwhile. Return figures."""
    with under_attack(home, "--no-tls") as (server, crowd, started):
        others = started(Others(server))
        flood = Flood(lines, seed)
        attackers: list[Attacker] = []
        came = 0
        begin = time.monotonic()
        while flood.sent < lines:
            attackers = [attacker for attacker in attackers if attacker.is_open]
            while len(attackers) < 8:
                came += 1
                attackers.append(crowd.join(Attacker(crowd, server.port, flood, text=came % 2 == 0)))
            crowd.turn(0.05)
        ends = [attacker for attacker in attackers if attacker.end()]
        crowd.until(lambda: all(attacker.has_ended or not attacker.is_open for attacker in ends), "the last answers")
        seconds = time.monotonic() - begin
        delays = others.end()
        for attacker in attackers:
            attacker.close()
        still_well(crowd, server)
        if flood.answers[b"internal"]:
            raise AssertionError(flood.answers)
        rss = rss_kib(server.process.pid)
    answers = ", ".join(f"{count} {code.decode()}" for code, count in flood.answers.most_common(6))
    return (
        f"{flood.sent} hostile lines in {seconds:.0f} s over {came} connections: {answers}, ...; no traceback\n"
        f"{delays}; memory {rss // KIB} MiB"
    )
