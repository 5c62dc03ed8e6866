"""The messages and chats that a typed line refers to."""

from irchat.client.view.chat_state import ChatState
from irchat.client.view.items import Item, Kind
from irchat.client.view.screen_state import ScreenState
from irchat.commands import Registry
from irchat.commands.amendments import InText, amend_shown
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal
from irchat.text.names import same_name


def known_chat(view: ScreenState, name: str) -> ChatState | None:
    """Return the chat of a typed name, which may be bare, or None if the list of chats does not have it."""
    for wanted in (name, f"*{name}", f"@{name}"):
        for chat in view.chats.values():
            if same_name(chat.name, wanted):
                return chat
    return None


def typed_reference(line: str, view: ScreenState, language: Registry) -> tuple[ChatState, int] | None:
    """Return the chat and the seq of the message to which a line refers at its beginning, or None."""
    found = language.reference(line)
    if found is None:
        return None
    name, seq = found
    chat = view.here if name is None else known_chat(view, name)
    return None if chat is None or not chat.name else (chat, seq)


def edited_message(line: str, here: str, language: Registry) -> tuple[str, int | None] | None:
    """Return the chat and the seq of the message that ``line``, typed in the chat ``here``, edits, or None.

    The seq is None for the user's last message.
    """
    try:
        request = language.find(line).read(here) if InText.prefix in line else None
    except Refusal:
        return None
    if isinstance(request, requests.AmendLast) and request.text is not None:
        return request.chat, None
    if isinstance(request, requests.Amend) and request.seq is not None and request.text is not None:
        return request.chat, request.seq
    return None


def amend_last(request: requests.AmendLast, here: ChatState, own: Item | None) -> requests.Amend:
    """Return ``request`` about ``own``, the user's last message on the screen, which shows ``here``. Raises Refusal."""
    name = here.name
    if not same_name(request.chat, name):
        raise Refusal(Code.NO_SUCH_MESSAGE, f"Open {request.chat} first: this means your last message on the screen.")
    if own is None:
        text = f"No message of yours in {name} is on the screen. PgUp and PgDn show others."
        raise Refusal(Code.NO_SUCH_MESSAGE, text)
    if own.kind is Kind.PENDING:
        text = "The server has not confirmed your last message yet. Press Enter again when it has."
        raise Refusal(Code.NO_SUCH_MESSAGE, text)
    return amend_shown(request, name, own.seq, own.timed)
