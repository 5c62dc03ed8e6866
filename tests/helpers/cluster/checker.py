"""Checks of a recorded history against the store at the end. Each returns the violations, as text."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Set
from itertools import pairwise
from typing import NamedTuple

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
    Stored,
)

# Within this time after a node showed a timed message, its death can keep the message from the other nodes.
_LOST_SECONDS = 1.5
LATE_SECONDS = 30.0
"""How late a client may see the end of a timed message, on a machine that is busy with other tests as well."""


def check(history: History, stored: Stored, late: float = LATE_SECONDS) -> list[str]:
    """Return all violations. ``late``: the seconds within which a client must receive the end of a timed message."""
    violations = [violation for look in CHECKS for violation in look(history, stored)]
    return [*violations, *timed(history, stored, late)]


def acknowledged(history: History, stored: Stored) -> Iterator[str]:
    """Each acknowledged message is stored at its seq, and each message is stored once at most, and was sent."""
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for chat, messages in stored.items():
        for seq, message in messages.items():
            places[message.text].append((chat, seq))
        if sorted(messages) != list(range(1, len(messages) + 1)):
            yield f"{chat}: the stored messages are not numbered from 1 without a gap"
    posted = {(one.text, one.user, one.chat) for one in history if isinstance(one, Posted) and not one.seconds}
    for text, found in places.items():
        if len(found) > 1:
            yield f"{text} is stored {len(found)} times: {found}"
        chat, seq = found[0]
        if (text, stored[chat][seq].sender, chat) not in posted:
            yield f"{text} is stored as a message of {stored[chat][seq].sender} in {chat}, who did not send it there"
    answers: dict[str, tuple[str, int, str]] = {}
    for one in history:
        if not isinstance(one, Answered):
            continue
        if not one.id and places[one.text] != [(one.chat, one.seq)]:
            yield f"{one.text} was acknowledged as {one.chat} {one.seq}, and is stored as {places[one.text]}"
        answer = (one.chat, one.seq, one.id)
        if answers.setdefault(one.text, answer) != answer:
            yield f"{one.text} was acknowledged as {answers[one.text]}, and again as {answer}"


def order_of_senders(history: History, stored: Stored) -> Iterator[str]:
    """The messages of a talker in a chat are stored in the order of sending, unless one of them was refused.

    A text begins with the name of its talker, up to the last hyphen. Two talkers may be sessions of one user.
    """
    first = {one.text: number for number, one in reversed([*enumerate(history)]) if isinstance(one, Posted)}
    refused = {one.text for one in history if isinstance(one, Refused)}
    for chat, messages in stored.items():
        last: dict[str, int] = {}
        for seq, message in sorted(messages.items()):
            if message.text in refused or message.text not in first:
                continue
            talker = message.text.rpartition("-")[0]
            if first[message.text] < last.get(talker, -1):
                yield f"{chat} {seq}: {message.text} was sent before what {talker} has earlier in the chat"
            last[talker] = first[message.text]


def shown_as_stored(history: History, stored: Stored) -> Iterator[str]:
    """Each shown message is the stored one at its seq."""
    for one in history:
        if isinstance(one, Shown):
            found = stored.get(one.chat, {}).get(one.seq)
            if found is None or (found.sender, found.text) != (one.sender, one.text):
                yield f"{one.user} was shown {one.text} as {one.chat} {one.seq}, and there is {found}"


def rising(history: History, stored: Stored) -> Iterator[str]:
    """In each connection and chat the seqs of messages rise, each message comes once."""
    last: dict[tuple[int, str], int] = defaultdict(int)
    for one in history:
        if isinstance(one, Shown) and one.live:
            if one.seq <= last[one.connection, one.chat]:
                yield f"{one.user} got {one.chat} {one.seq} after {last[one.connection, one.chat]} in one connection"
            last[one.connection, one.chat] = one.seq


def without_gaps(history: History, stored: Stored) -> Iterator[str]:
    """In each connection and chat the shown seqs have no gaps, except for messages that the user may not see."""
    view = _View(history)
    live: dict[tuple[str, int, str], set[int]] = defaultdict(set)
    paged: dict[tuple[str, int, str], set[int]] = defaultdict(set)
    caught_up: dict[tuple[str, int, str], int] = {}
    for one in history:
        if isinstance(one, Shown):
            (live if one.live else paged)[one.user, one.connection, one.chat].add(one.seq)
        elif isinstance(one, Paged):
            caught_up[one.user, one.connection, one.chat] = one.after
    for place in {*live, *caught_up}:
        user, connection, chat = place
        seen, after = live[place], math.inf
        if place in caught_up:
            seen, after = seen | paged[place], caught_up[place]
        begin = min(after + 1, min(seen, default=math.inf))
        missing = [
            seq
            for seq, message in stored.get(chat, {}).items()
            if begin <= seq <= max(seen, default=0) and seq not in seen
            and not view.may_lack(user, connection, message.sender, message.text)
        ]  # fmt: skip
        if missing:
            yield f"{user} lacks {chat} {missing[:5]} in connection {connection}, which has {begin} to {max(seen)}"


def complete(history: History, stored: Stored) -> Iterator[str]:
    """Over all its connections, each user has seen all messages of others that it may see."""
    view = _View(history)
    seen: dict[str, set[tuple[str, int]]] = defaultdict(set)
    users = {one.user for one in history if isinstance(one, Came)}
    for one in history:
        if isinstance(one, Shown):
            seen[one.user].add((one.chat, one.seq))
    for user in sorted(users):
        for chat, messages in stored.items():
            if not may_see(user, chat):
                continue
            missing = [
                seq
                for seq, message in messages.items()
                if (chat, seq) not in seen[user] and not view.may_lack(user, None, message.sender, message.text)
            ]
            if missing:
                yield f"{user} never saw {chat} {missing[:5]} ({len(missing)} in all)"


def may_see(user: str, chat: str) -> bool:
    """Return whether a user belongs to a chat. All users belong to every chat that is not private."""
    return not chat.startswith("@") or user in chat[1:].split(",")


def private(history: History, stored: Stored) -> Iterator[str]:
    """No user sees a private message of others."""
    for one in history:
        if isinstance(one, Shown | ShownTimed) and not may_see(one.user, one.chat):
            yield f"{one.user} was shown {one.text} of {one.chat}"


def blocks(history: History, stored: Stored) -> Iterator[str]:
    """Between the answer to a block and the request to lift it, neither user receives a message of the other.

    Messages sent before the answer may still be on their way to other connections.
    """
    posted: dict[str, float] = {}
    for one in history:
        if isinstance(one, Posted):
            posted.setdefault(one.text, one.at)
    spans = list(_block_spans(history))
    for one in history:
        if not isinstance(one, Shown | ShownTimed):
            continue
        for span in spans:
            if {one.user, one.sender} != {span.blocker, span.blocked} or not span.begin < one.at < span.end:
                continue
            same = one.user == span.blocker and one.connection == span.connection
            if same or posted.get(one.text, 0.0) > span.begin:
                yield f"{one.user} was shown {one.text} of {one.sender} while {span.blocker} blocked {span.blocked}"


def timed(history: History, stored: Stored, late: float) -> Iterator[str]:
    """A timed message is shown once live in a connection, never after its end, and is erased on time.

    One that its node showed just before it was lost, unanswered, may be sent again on another node.
    """
    lost = _lost_at(history)
    texts = {one.text for one in history if isinstance(one, Posted) and one.seconds}
    for chat, messages in stored.items():
        yield from (f"{one.text} is stored in {chat}" for one in messages.values() if one.text in texts)
    ends: dict[str, float] = {}
    ids: dict[str, str] = {}
    live: set[tuple[int, str]] = set()
    shown_at: dict[str, float] = {}
    for one in history:
        if isinstance(one, Answered) and one.id:
            ends[one.id] = min(ends.get(one.id, math.inf), one.at + one.left_ms / 1e3)
        elif isinstance(one, ShownTimed):
            shown_at.setdefault(one.id, one.at)
            if (first := ids.setdefault(one.text, one.id)) != one.id:
                if first not in ends and any(0 <= at - shown_at[first] < _LOST_SECONDS for at in lost[one.text]):
                    ids[one.text] = one.id
                    continue
                yield f"{one.text} was shown as {ids[one.text]} and as {one.id}: it was sent twice"
            if one.live and (one.connection, one.id) in live:
                yield f"{one.user} got {one.text} twice in one connection"
            if one.live:
                live.add((one.connection, one.id))
            if one.at > ends.get(one.id, math.inf) + late:
                yield f"{one.user} was shown {one.text} after its end"
    yield from _erased(history, late)


def _lost_at(history: History) -> dict[str, list[float]]:
    """Return when connections ended on which a text had been sent, by text."""
    texts: dict[int, set[str]] = defaultdict(set)
    lost: dict[str, list[float]] = defaultdict(list)
    for one in history:
        if isinstance(one, Posted):
            texts[one.connection].add(one.text)
        elif isinstance(one, Left):
            for text in texts.pop(one.connection, ()):
                lost[text].append(one.at)
    return lost


def _erased(history: History, late: float) -> Iterator[str]:
    due: dict[tuple[int, str], tuple[str, float]] = {}
    over: dict[int, float] = {}
    for one in history:
        if isinstance(one, ShownTimed):
            due.setdefault((one.connection, one.id), (one.user, one.at + one.left_ms / 1e3))
        elif isinstance(one, Left):
            over[one.connection] = one.at
        elif isinstance(one, Erased) and (one.connection, one.id) in due:
            user, end = due.pop((one.connection, one.id))
            if one.at > end + late:
                yield f"{user} was told {one.at - end:.1f} s after the end of {one.id}"
    now = history[-1].at if history else 0.0
    for (connection, id), (user, end) in due.items():
        if end + late < min(now, over.get(connection, math.inf)):
            yield f"{user} was never told of the end of {id}"


def presence(history: History, stored: Stored) -> Iterator[str]:
    """When it is quiet, at the end of the history, each connection shows exactly the connected users."""
    known: dict[int, tuple[str, set[str]]] = {}
    for one in history:
        if isinstance(one, Came):
            known[one.connection] = one.user, set(one.online)
        elif isinstance(one, Left):
            known.pop(one.connection, None)
        elif isinstance(one, Presence) and one.connection in known:
            online = known[one.connection][1]
            online |= one.online
            online -= one.offline
    here = {user for user, _ in known.values()}
    for connection, (user, online) in known.items():
        if online - {user} != here - {user}:
            wrong = sorted((online ^ here) - {user})
            yield f"{user} (connection {connection}) is wrong about who is online: {wrong}"


Look = Callable[[History, Stored], Iterator[str]]
CHECKS: tuple[Look, ...] = (
    acknowledged, order_of_senders, shown_as_stored, rising, without_gaps, complete, private, blocks
)  # fmt: skip
"""The checks of stored messages. `presence` holds when it is quiet."""


class _Span(NamedTuple):
    blocker: str
    blocked: str
    connection: int
    begin: float
    end: float


def _block_spans(history: History) -> Iterator[_Span]:
    """Yield the times in which a block was certainly in force."""
    standing: dict[tuple[str, str], BlockAnswered] = {}
    for one in history:
        if isinstance(one, BlockAnswered) and one.blocked:
            standing.setdefault((one.user, one.other), one)
        elif isinstance(one, BlockAsked) and not one.blocked:
            since = standing.pop((one.user, one.other), None)
            if since is not None:
                yield _Span(one.user, one.other, since.connection, since.at, one.at)
    for (blocker, blocked), since in standing.items():
        yield _Span(blocker, blocked, since.connection, since.at, math.inf)


class _View:
    """The messages that a user may lack: its own, and those of users with whom it ever had a block."""

    def __init__(self, history: History) -> None:
        self._pairs = {frozenset((one.user, one.other)) for one in history if isinstance(one, BlockAsked)}
        self._senders: dict[str, set[int]] = defaultdict(set)
        for one in history:
            if isinstance(one, Posted):
                self._senders[one.text].add(one.connection)

    def may_lack(self, user: str, connection: int | None, sender: str, text: str) -> bool:
        """Return whether a message may be missing in a connection, or with None in all of the user's connections."""
        if sender == user:
            return connection is None or connection in self._senders[text]
        return frozenset((user, sender)) in self._pairs


def unread(stored: Stored, user: str, read: dict[str, int], foes: Set[str]) -> dict[str, set[tuple[int, int]]]:
    """Return what each chat may show to a user without blocks: pairs of the read marker and the unread messages.

    ``read``: the markers that the user set. Sending moves the marker too, and so does reading up to messages of
    ``foes`` that were hidden by a block at that time: it moves the marker past these.
    """
    counts = {}
    for chat, messages in stored.items():
        if not may_see(user, chat):
            continue
        own = [seq for seq, message in messages.items() if message.sender == user]
        marker = max([read.get(chat, 0), *own])
        counts[chat] = {(marker, sum(seq > marker for seq in messages))}
        for seq in sorted(seq for seq in messages if seq > marker):
            if messages[seq].sender not in foes:
                break
            counts[chat].add((seq, sum(later > seq for later in messages)))
    return counts


def absences(history: History) -> list[tuple[float, float]]:
    """Return the begin and the end of each time that a user was without a connection after losing one."""
    begun: dict[str, float] = {}
    connections: dict[str, int] = defaultdict(int)
    found = []
    for one in history:
        if isinstance(one, Came):
            connections[one.user] += 1
            if one.user in begun:
                found.append((begun.pop(one.user), one.at))
        elif isinstance(one, Left):
            connections[one.user] -= 1
            if not connections[one.user]:
                begun[one.user] = one.at
    return [*found, *((at, math.inf) for at in begun.values())]


def longest_absence(history: History) -> float:
    """Return the longest time in seconds that a user was without a connection after losing one."""
    return max((end - begin for begin, end in absences(history)), default=0.0)


def delays_of_ends(history: History) -> list[float]:
    """Return for each end of a timed message that a client received how many seconds late it was."""
    due: dict[tuple[int, str], float] = {}
    delays = []
    for one in history:
        if isinstance(one, ShownTimed):
            due.setdefault((one.connection, one.id), one.at + one.left_ms / 1e3)
        elif isinstance(one, Erased) and (one.connection, one.id) in due:
            delays.append(max(0.0, one.at - due.pop((one.connection, one.id))))
    return delays


def longest_silence(history: History) -> float:
    """Return the longest time in seconds without any acknowledged message."""
    times = [one.at for one in history if isinstance(one, Answered)]
    return max((after - before for before, after in pairwise(times)), default=0.0)
