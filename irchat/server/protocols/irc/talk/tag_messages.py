"""TAGMSG: tags without a text, such as that somebody types, and marks on messages."""

from functools import partial

from irchat.chat.state.message_ids import find_message
from irchat.irc.message_tags import client_only
from irchat.irc.numerics import Numeric
from irchat.irc.targets import chat_of, service_of
from irchat.protocol import events, requests
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.refusals import refused
from irchat.server.protocols.irc.talk.message_events import change_lines, tagmsg_line
from irchat.server.protocols.irc.talk.saying import targets_of
from irchat.system.clock import rfc3339

_MARKS = {"+draft/react": True, "+draft/unreact": False}
_REPLY = "+draft/reply"
# Tags that are checked and built in a millisecond.
_TAGS_OF_MS = 500


def tagmsg(call: Call) -> None:
    """Pass tags on to each target. A mark is put on its message, or taken off."""
    if "message-tags" not in call.protocol.caps:
        return
    tags = client_only(call.line.tags)
    for target in targets_of(call):
        if tags and service_of(target) is None:
            _tag(call, target, tags)


def _tag(call: Call, target: str, tags: dict[str, str]) -> None:
    protocol = call.protocol
    chat = chat_of(target)
    if chat is None:
        call.say(protocol.lines.numeric(Numeric.ERR_NOSUCHNICK, protocol.nick, target))
    elif (mark := next((tag for tag in _MARKS if tags.get(tag)), None)) is None:
        protocol.session.charge(len(tags) / _TAGS_OF_MS)
        signal = tags | {"msgid": protocol.shared.talk.signal_id()}
        call.ask(requests.Signal(chat=chat, tags=signal), partial(_signalled, call, target, signal))
    else:
        _mark(call, target, chat, tags[mark], tags.get(_REPLY, ""), on=_MARKS[mark])


def _mark(call: Call, target: str, chat: str, mark: str, msgid: str, *, on: bool) -> None:
    found = find_message(call.protocol.shared.directory, call.protocol.user, msgid)
    if found is None:
        call.say(call.protocol.lines.fail("TAGMSG", "UNKNOWN_MSGID", target, msgid or "*", text="No such message"))
        return
    key, seq = found[0].key, found[1]

    def answered(event: events.Event) -> bytes:
        if isinstance(event, events.Error):
            return refused(call.protocol, "TAGMSG", event, target)
        if not isinstance(event, events.Amended) or "echo-message" not in call.protocol.caps:
            return b""
        return change_lines(call.protocol, event, key, None)

    call.ask(requests.Mark(chat=found[0].label(call.protocol.user), seq=seq, mark=mark, on=on), answered)


def _signalled(call: Call, target: str, tags: dict[str, str], event: events.Event) -> bytes:
    protocol = call.protocol
    if isinstance(event, events.Error):
        return refused(protocol, "TAGMSG", event, target)
    if "echo-message" not in protocol.caps:
        return b""
    return tagmsg_line(protocol, protocol.user, target, rfc3339(protocol.shared.wall_ms()), tags)


HANDLERS = {"TAGMSG": tagmsg}
"""See `irchat.server.protocols.irc.command_handlers`."""
