"""The handlers of the commands, by the name of the command."""

from collections.abc import Callable

from irchat.server.protocols.irc import help_topics, search_command, server_commands
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.chats import channel_info, joining, leaving
from irchat.server.protocols.irc.people import monitoring, own_user, service_nicks, who, whois
from irchat.server.protocols.irc.talk import chathistory, markers, multiline_batches, redacting, tag_messages

Handler = Callable[[Call], None]

HANDLERS: dict[str, Handler] = {
    **server_commands.HANDLERS,
    **help_topics.HANDLERS,
    **joining.HANDLERS,
    **leaving.HANDLERS,
    **channel_info.HANDLERS,
    **who.HANDLERS,
    **whois.HANDLERS,
    **monitoring.HANDLERS,
    **own_user.HANDLERS,
    **service_nicks.HANDLERS,
    **multiline_batches.HANDLERS,
    **tag_messages.HANDLERS,
    **redacting.HANDLERS,
    **chathistory.HANDLERS,
    **search_command.HANDLERS,
    **markers.HANDLERS,
}
"""Each module with handlers has a table of its own, which is merged here."""
