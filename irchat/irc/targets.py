"""Names of chats, users and messages as IRC writes them, and masks.

A chat is named as its reader sees it: ``GLOBAL``, ``*team`` or ``@bob``; its target is ``#global``, ``#team`` or
``bob``. Names of users and groups compare by `irchat.text.names.name_key`.
"""

import re
from typing import NamedTuple

from irchat.protocol.rules import GLOBAL_NAME, NAME_LENGTH, shown, visible
from irchat.text.names import fold_part, name_key

HOST = "irchat"
"""The host of every user. Addresses are never shown."""
GLOBAL_TARGET = "#global"
SERVICE = "*irchat"
"""The nick that takes lines of the command language. No user can have it."""
NICKSERV = "NickServ"
USER_LENGTH = 10
REALNAME_LENGTH = 100

_TARGET_LENGTH = 200
_KEY_LENGTH = 128
_MSGID = re.compile(r"(g|[1-9][0-9]{0,17}(?:\.[1-9][0-9]{0,17})?)-([1-9][0-9]{0,18})")
_SEQ_MOST = 2**63 - 1
_WILD = frozenset("*?")
_NOT_IN_USER = re.compile(r"[\s!@:*?,\u2400-\u2421\ufffd]+")


def is_channel(target: str) -> bool:
    """Return whether a target is a channel."""
    return target.startswith("#")


def target_of(chat: str) -> str:
    """Return the target of a chat: ``#global``, ``#team`` or ``bob``."""
    if chat[0] == "*":
        return f"#{chat[1:]}"
    return GLOBAL_TARGET if chat == GLOBAL_NAME else chat[1:]


def chat_of(target: str) -> str | None:
    """Return the chat that a target names, in the spelling of the target, or None if it cannot name one.

    ``*irchat`` and ``NickServ`` name no chat, see `service_of`.
    """
    if not target or len(target) > _TARGET_LENGTH or service_of(target) is not None:
        return None
    if target[0] == "#":
        if len(target) == 1:
            return None
        return GLOBAL_NAME if fold_part(target) == GLOBAL_TARGET else f"*{target[1:]}"
    return None if target[0] in "*@&$+!~%" else f"@{target}"


def service_of(target: str) -> str | None:
    """Return `SERVICE` or `NICKSERV` if ``target`` is that service, in any case, else None."""
    folded = target[:32].lower()
    if folded == SERVICE:
        return SERVICE
    return NICKSERV if folded == NICKSERV.lower() else None


def same_target(one: str, other: str) -> bool:
    """Return whether two targets or nicks are the same."""
    return one == other or target_key(one) == target_key(other)


def target_key(target: str) -> str:
    """Return the key by which targets and nicks compare."""
    # A longer text is no name, and must not fill the cache of names.
    key = name_key if len(target) <= NAME_LENGTH + 1 else fold_part
    return f"#{key(target[1:])}" if target.startswith("#") else key(target)


def prefix(nick: str, user: str) -> str:
    """Return the source of lines of a user: ``alice!user@irchat``."""
    return f"{nick}!{user}@{HOST}"


class Msgid(NamedTuple):
    """The place of a message. ``chat``: ``g``, the id of a group, or the ids of two users, ``3.7``."""

    chat: str
    seq: int

    def __str__(self) -> str:
        return f"{self.chat}-{self.seq}"


def parse_msgid(text: str) -> Msgid | None:
    """Return the place that a msgid names, or None if it is none of this server."""
    found = _MSGID.fullmatch(text)
    if found is None or int(found[2]) > _SEQ_MOST:
        return None
    low, _, high = found[1].partition(".")
    if high and int(low) >= int(high):
        return None
    return Msgid(found[1], int(found[2]))


def is_mask(text: str) -> bool:
    """Return whether ``text`` has wildcards."""
    return not _WILD.isdisjoint(text)


def clean_user(user: str) -> str:
    """Return a user name from USER as it stands in prefixes: at most 10 characters that mean nothing there."""
    return _NOT_IN_USER.sub("", visible(user))[:USER_LENGTH] or "user"


def clean_realname(realname: str) -> str:
    """Return a realname on one line of at most 100 characters, its controls made visible."""
    return shown(realname.strip(), REALNAME_LENGTH)


def nick_of_mask(mask: str) -> str:
    """Return the nick in a mask such as ``bob!*@*``."""
    return re.split("[!@]", mask, maxsplit=1)[0]


class Mask:
    """A pattern of names: ``*`` matches any characters, ``?`` one."""

    def __init__(self, mask: str) -> None:
        first, *others = (_pattern_of(part) for part in fold_part(mask).split("*"))
        # Each part is taken where it comes first, for good, so that no mask takes long. Only the last is tried again.
        middle = "".join(f"(?>.*?{part})" for part in others[:-1] if part)
        pattern = f"{first}{middle}.*{others[-1]}" if others else first
        # A mask with more characters than a key of a name has matches nothing.
        too_long = len(mask) - mask.count("*") > _KEY_LENGTH
        self._matches = re.compile("(?!)" if too_long else pattern, re.DOTALL).fullmatch

    def matches(self, name: str) -> bool:
        """Return whether the pattern matches the whole name."""
        return self.matches_key(fold_part(name))

    def matches_key(self, key: str) -> bool:
        """Return whether the pattern matches the key of a name (`irchat.text.names.name_key`)."""
        return self._matches(key) is not None


def _pattern_of(part: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in part)
