"""The state of one IRC session after the registration, which only its protocol knows."""

from msgspec import Struct, field

from irchat.interfaces.stored import ChatKey
from irchat.server.protocols.irc.people.idle_times import SessionTimes


class IRCState(Struct, eq=False):
    """The state.

    ``hidden_chats``: chats that it has left with PART, hidden until its end or a JOIN. ``watched``: the keys of the
    targets of MONITOR, each with its spelling. ``told_online``: whether the client knows each as online.
    ``owners``: the owner of each group, as the client knows it. ``away``: the text of AWAY before the sign-in.
    ``times``: when it signed in and last said something, after the sign-in.
    """

    hidden_chats: set[ChatKey] = field(default_factory=set)
    watched: dict[str, str] = field(default_factory=dict)
    told_online: dict[str, bool] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    away: str | None = None
    times: SessionTimes | None = None
