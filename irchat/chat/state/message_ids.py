"""Ids of stored messages that are the same for all readers, such as ``g-882``, ``12-5`` and ``3.7-17``.

An id names the chat by its key: GLOBAL, the number of a group, or the numbers of the two users of a private chat.
"""

import re

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.interfaces.stored import GLOBAL, ChatKey

_GLOBAL = "g"
_NUMBER = "([1-9][0-9]{0,17})"
_ID = re.compile(rf"(?:g|{_NUMBER}|{_NUMBER}\.{_NUMBER})-{_NUMBER}", re.ASCII)


def message_id(chat: ChatKey, seq: int) -> str:
    """Return the id of a stored message."""
    if isinstance(chat, tuple):
        return f"{chat[0]}.{chat[1]}-{seq}"
    return f"{_GLOBAL if chat == GLOBAL else chat}-{seq}"


def read_message_id(text: str) -> tuple[ChatKey, int] | None:
    """Return the chat and the seq in an id, or None if it is none. The message may not exist."""
    match = _ID.fullmatch(text)
    if match is None:
        return None
    group, low, high, seq = match.groups()
    if group is not None:
        return None if int(group) == GLOBAL else (int(group), int(seq))
    if low is not None:
        return ((int(low), int(high)), int(seq)) if int(low) < int(high) else None
    return GLOBAL, int(seq)


def find_message(directory: Directory, reader: User, text: str) -> tuple[DirectoryChat, int] | None:
    """Return the chat and the seq in an id, or None if it is none or ``reader`` is not in its chat.

    The message may not exist, or be hidden from ``reader``.
    """
    found = read_message_id(text)
    if found is None:
        return None
    key, seq = found
    if isinstance(key, tuple):
        if reader.id not in key or not directory.users.keys() >= set(key):
            return None
    elif key != GLOBAL and key not in reader.groups:
        return None
    chat = directory.chat_by_key(key)
    return None if chat is None else (chat, seq)
