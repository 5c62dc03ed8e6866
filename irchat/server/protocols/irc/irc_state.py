"""The state of one IRC session after the registration, which only its protocol knows."""

from collections import deque

from msgspec import Struct, field

from irchat.interfaces.stored import ChatKey
from irchat.protocol.rules import PAGE_MAX
from irchat.server.protocols.irc.people.idle_times import SessionTimes


class Unseen(Struct, eq=False):
    """The messages of a hidden chat that a session was not shown: their number, and the seqs of the latest ones."""

    count: int = 0
    latest: deque[int] = field(default_factory=lambda: deque(maxlen=PAGE_MAX))


class IRCState(Struct, eq=False):
    """The state.

    ``hidden_chats``: chats that it has left with PART, hidden until its end or a JOIN, each with the seqs of the latest
    messages that it was not shown. ``watched``: the keys of the targets of MONITOR, each with its spelling.
    ``told_online``: whether the client knows each as online. ``owners``: the owner of each group, as the client knows
    it. ``away``: the text of AWAY before the sign-in.
    ``times``: when it signed in and last said something, after the sign-in.
    """

    hidden_chats: dict[ChatKey, Unseen] = field(default_factory=dict)
    watched: dict[str, str] = field(default_factory=dict)
    told_online: dict[str, bool] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    away: str | None = None
    times: SessionTimes | None = None
