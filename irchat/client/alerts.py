"""What the user is to be told of even when looking elsewhere."""

import re

from irchat import events
from irchat.client.view.chat import clean
from irchat.client.view.wrap import fit

_SHOWN = 80


def alert(message: events.Message, me: str) -> str | None:
    """The notification for a message: of private ones and of those that mention ``me``. Never a timed one's text."""
    if message.sender == me or not (message.chat.startswith("@") or mentions(message.text, me)):
        return None
    sender = _one_line(message.sender)
    if message.id is not None:
        return f"timed message from {sender}"
    place = "" if message.chat.startswith("@") else f" in {_one_line(message.chat)}"
    return f"{sender}{place}: {fit(_one_line(message.text), _SHOWN)}"


def mentions(text: str, me: str) -> bool:
    """Whether ``text`` has the name ``me`` as a word."""
    name = re.escape(me.casefold())
    return bool(me) and re.search(rf"(?<!\w){name}(?!\w)", text.casefold()) is not None


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())
