"""REDACT: deletions (IRCv3 message-redaction)."""

from irchat.chat.state.message_ids import find_message
from irchat.irc.targets import chat_of
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.talk.message_events import change_lines

_FAILS = {
    Code.NO_SUCH_MESSAGE: "UNKNOWN_MSGID",
    Code.NOT_YOURS: "REDACT_FORBIDDEN",
    Code.AMEND_OFF: "REDACT_FORBIDDEN",
    Code.TOO_LATE: "REDACT_WINDOW_EXPIRED",
    Code.UNAVAILABLE: "UNAVAILABLE",
}


def redact(call: Call) -> None:
    """Delete a message."""
    protocol, target, msgid = call.protocol, call.params[0], call.params[1]
    directory, name = protocol.shared.directory, chat_of(target)
    chat = None if name is None else directory.find_chat(protocol.user, name)
    if chat is None:
        call.say(protocol.lines.fail("REDACT", "INVALID_TARGET", target, text="You have no such chat"))
        return
    found = find_message(directory, protocol.user, msgid)
    if found is None or found[0].key != chat.key:
        call.say(protocol.lines.fail("REDACT", "UNKNOWN_MSGID", target, msgid, text="No such message"))
        return

    def answered(event: events.Event) -> bytes:
        if isinstance(event, events.Error):
            fail = _FAILS.get(Code(event.code), "REDACT_FORBIDDEN")
            return protocol.lines.fail("REDACT", fail, target, msgid, text=event.text)
        if not isinstance(event, events.Amended) or "echo-message" not in protocol.caps:
            return b""
        return change_lines(protocol, event, chat.key, None)

    call.ask(requests.Amend(chat=found[0].label(protocol.user), seq=found[1], delete=True), answered)


HANDLERS = {"REDACT": redact}
"""See `irchat.server.protocols.irc.command_handlers`."""
