"""Notifications for a user who may be looking elsewhere."""

import regex

from irchat.client.view.items import calls, clean
from irchat.protocol import events
from irchat.text.cells import fit
from irchat.text.folding import UNSPACED
from irchat.text.names import fold_part, name_key

_SHOWN = 80


def alert(message: events.Message, me: str, setting: str = "", *, by_server: bool = True) -> str | None:
    """Return the notification for a message, or None if ``setting`` of its chat wants none. It omits timed text.

    ``setting`` is ``all``, ``mentions`` or ``none``; by default ``all`` for a private chat and ``mentions`` for others.
    ``by_server``: the server sends the mentioned names. Otherwise a message mentions ``me`` if its text has that name.
    """
    setting = setting or ("all" if message.chat.startswith("@") else "mentions")
    if message.sender == me or setting == "none":
        return None
    if setting == "mentions" and not (calls(message, me) if by_server else mentions(message.text, me)):
        return None
    sender = _one_line(message.sender)
    if message.id is not None:
        return f"timed message from {sender}"
    place = "" if message.chat.startswith("@") else f" in {_one_line(message.chat)}"
    return f"{sender}{place}: {fit(_one_line(message.text), _SHOWN)}"


def mentions(text: str, me: str) -> bool:
    """Return whether ``text`` contains the name ``me`` as a word; in scripts without spaces, anywhere."""
    name, folded = name_key(me), fold_part(text)
    if not name or name not in folded:
        return False
    before = "" if UNSPACED.match(name[0]) else r"(?<![\w\p{M}])"
    after = "" if UNSPACED.match(name[-1]) else r"(?![\w\p{M}])"
    return regex.search(before + regex.escape(name) + after, folded) is not None


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())
