"""Read markers in the lines of JOIN (IRCv3 read-marker)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from irchat.interfaces.stored import ChatKey

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


async def of_chats(protocol: "IRCProtocol", chats: Iterable[ChatKey]) -> dict[ChatKey, bytes]:
    """Return the MARKREAD line of each of these chats."""
    return {}


def line(protocol: "IRCProtocol", chat: ChatKey) -> bytes:
    """Return the MARKREAD line of a chat, as far as the session knows its marker, with draft/read-marker."""
    return b""
