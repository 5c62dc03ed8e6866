"""Mentions: the users that a text calls by ``@name``, and the message that it answers."""

import re
from collections.abc import Collection
from typing import NamedTuple

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.protocol.rules import answered_seq

MENTIONS_MOST = 20
"""Maximum number of users that a message mentions."""

# Maximum number of different names in a text that are looked up: each costs up to 30 us.
_LOOKED_UP_MOST = 60
# After a letter or digit it is part of an address, and before a number it is the name of a removed user.
_CALL = re.compile(
    r"(?<![A-Za-z0-9_])@"
    r"([^\s*@+\-~:,?!\\#&><\"'{}\[\]()/|=;\u2000-\u206f\u3000-\u3004\u3008-\u3020\uff01-\uff0f\uff1a-\uff20]++)"
    r"(?!#[0-9])"
)


class Mentioned(NamedTuple):
    """The ids of the users that a text calls, and the seq of the message that it answers."""

    users: tuple[int, ...] = ()
    reply_to: int | None = None


NOBODY = Mentioned()


def mentioned(directory: Directory, sender: User, chat: DirectoryChat, text: str) -> Mentioned:
    """Return the mentions in ``text``, which has ``@`` or begins with ``#``."""
    reply_to = answered_seq(text)
    return Mentioned(called(directory, sender, chat, text), reply_to) if "@" in text else Mentioned((), reply_to)


def mentioned_by_timed(
    directory: Directory, sender: User, chat: DirectoryChat, text: str, answered: int | None
) -> tuple[User, ...]:
    """Return the users that a timed text mentions. ``answered``: the sender of the message that it answers."""
    users = called(directory, sender, chat, text) if "@" in text else ()
    unmentioned = {sender.id, *sender.hidden, *users}
    if answered is not None and answered not in unmentioned and may_see(chat, directory.users[answered]):
        users = (answered, *users[: MENTIONS_MOST - 1])
    return tuple(directory.users[user] for user in users)


def called(directory: Directory, sender: User, chat: DirectoryChat, text: str) -> tuple[int, ...]:
    """Return the ids of the users that ``text`` calls by name: only those that may see it, and not the sender."""
    users: dict[int, None] = {}
    for name in list(dict.fromkeys(_CALL.findall(text)))[:_LOOKED_UP_MOST]:
        user = _find(directory, name)
        if user is not None and user is not sender and user.id not in sender.hidden and may_see(chat, user):
            users[user.id] = None
            if len(users) == MENTIONS_MOST:
                break
    return tuple(users)


def may_see(chat: DirectoryChat, user: User) -> bool:
    """Return whether ``user`` is in the chat."""
    return user in chat.pair if chat.pair is not None else chat.has(user) and not user.removed


def names(directory: Directory, users: Collection[int], hidden: Collection[int]) -> list[str] | None:
    """Return the names of mentioned ``users``, except those in ``hidden``, or None if there are none."""
    return [directory.users[user].name for user in users if user not in hidden] or None


def _find(directory: Directory, name: str) -> User | None:
    """Return the user called ``name``, also with the full stop of a sentence after it."""
    return directory.find_user(name) or directory.find_user(name.rstrip("."))
