"""Lines of users other than messages, such as JOIN, with the tags that the client takes."""

from typing import TYPE_CHECKING

from irchat.chat.state.entities import User
from irchat.irc.irc_lines import build
from irchat.system.clock import rfc3339

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


def user_line(protocol: "IRCProtocol", by: User | str, command: str, *params: str, text: str | None = None) -> bytes:
    """Return a line of a user, or of a name whose user may have been removed since."""
    shared, caps = protocol.shared, protocol.caps
    user = shared.find_user(by) if isinstance(by, str) else by
    source = shared.mask_of_name(by) if isinstance(by, str) else shared.mask(by)
    tags = {}
    if "server-time" in caps:
        tags["time"] = rfc3339(shared.wall_ms())
    if user is not None:
        if "account-tag" in caps and shared.passwords:
            tags["account"] = user.name
        if "message-tags" in caps and shared.services.chat.personas.of(user.id).is_bot:
            tags["bot"] = ""
    return build(command, *params, source=source, text=text, tags=tags)
