"""The state of one IRC session that only its protocol knows."""

from msgspec import Struct, field

from irchat.interfaces.stored import ChatKey


class IRCState(Struct, eq=False):
    """The state of one IRC session.

    ``nick``: how the server addresses the client; after the sign-in the name of its account. ``caps``: the enabled
    capabilities. ``hidden_chats``: chats that the session has left with PART, which stay hidden until its end.
    ``is_signed_in``: whether the JOIN lines of its chats were sent. ``watched``: the folded names of MONITOR, each as
    the client wrote it.
    """

    nick: str = "*"
    caps: set[str] = field(default_factory=set)
    hidden_chats: set[ChatKey] = field(default_factory=set)
    is_signed_in: bool = False
    watched: dict[str, str] = field(default_factory=dict)
