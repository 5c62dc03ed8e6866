"""PRIVMSG and NOTICE: messages from a client."""

from functools import partial
from typing import NamedTuple

from irchat.chat.state.message_ids import find_message
from irchat.commands.messages import looks_timed
from irchat.irc.message_tags import client_only
from irchat.irc.multiline import Piece
from irchat.irc.numerics import Numeric
from irchat.irc.targets import chat_of, service_of
from irchat.irc.text_codes import read_said
from irchat.protocol import events, requests
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import visible
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.irc_shared import OFFLINE
from irchat.server.protocols.irc.people.services import to_service
from irchat.server.protocols.irc.refusals import refused
from irchat.server.protocols.irc.talk.message_lines import Extras

TARGETS_MOST = 4
_TIMED_ELSEWHERE = "This looks like a timed message. IRC clients keep what they show: use an IRChat client for it"
_REPLY_TAGS = ("+draft/reply", "+reply")


class _Words(NamedTuple):
    """A text to one target, as it is stored, and what came with it. ``shown``: the target as the client wrote it."""

    command: str
    shown: str
    chat: str
    text: str
    extras: Extras


def say(call: Call) -> None:
    """Send a text to each target. Refusals of NOTICE are silent."""
    if len(call.params) < 2:
        _silently(call, call.protocol.lines.numeric(Numeric.ERR_NOTEXTTOSEND, call.protocol.nick))
        return
    said = read_said(call.params[1])
    for target in targets_of(call):
        if (service := service_of(target)) is not None:
            to_service(call, service, call.params[1])
        elif said.ctcp:
            # DCC shows addresses, and other requests ask who somebody is.
            no_ctcp = "Of CTCP only ACTION is passed on"
            _silently(
                call,
                call.protocol.lines.numeric(Numeric.ERR_CANNOTSENDTOCHAN, call.protocol.nick, target, text=no_ctcp),
            )
        else:
            send(call, target, said.text, client_only(call.line.tags))


def targets_of(call: Call) -> list[str]:
    """Return the targets of a line, each once. Too many are refused."""
    targets = list(dict.fromkeys(target for target in call.params[0].split(",") if target))
    if len(targets) <= TARGETS_MOST:
        return targets
    _silently(call, call.protocol.lines.numeric(Numeric.ERR_TOOMANYTARGETS, call.protocol.nick, targets[TARGETS_MOST]))
    return []


def send(call: Call, target: str, text: str, tags: dict[str, str], pieces: list[Piece] | None = None) -> None:
    """Send a text to one target. ``tags``: its client-only tags. ``pieces``: the lines of a multiline message."""
    lines, nick = call.protocol.lines, call.protocol.nick
    if looks_timed(text):
        _silently(call, lines.fail(_name(call), "TIMED_ELSEWHERE", target, text=_TIMED_ELSEWHERE))
        return
    if not text.strip():
        _silently(call, lines.numeric(Numeric.ERR_NOTEXTTOSEND, nick))
        return
    chat = chat_of(target)
    if chat is None:
        _silently(call, lines.numeric(Numeric.ERR_NOSUCHNICK, nick, target))
        return
    text = visible(_as_reply(call, chat, text, tags))
    words = _Words(_name(call), target, chat, text, Extras(tags, pieces))
    kind = requests.Notice if words.command == "NOTICE" else requests.Send
    encoding, user = call.protocol.shared.talk.encoding, call.protocol.user
    if tags or pieces:
        encoding.expect(user.id, text, words.extras)
    call.ask(kind(chat=chat, text=text), partial(_answered, call, words))


def _name(call: Call) -> str:
    """Return the command of the message: that of its lines, in a multiline batch."""
    return "NOTICE" if call.command == "NOTICE" else "PRIVMSG"


def _silently(call: Call, refusal: bytes) -> None:
    """Answer with a refusal, unless the command is NOTICE."""
    if call.command != "NOTICE":
        call.say(refusal)


def _as_reply(call: Call, chat: str, text: str, tags: dict[str, str]) -> str:
    """Return a text with the number of the message that it answers, and drop the tag: it is made from the text."""
    msgids = [tags.pop(tag) for tag in _REPLY_TAGS if tag in tags]
    found = find_message(call.protocol.shared.directory, call.protocol.user, msgids[0]) if msgids else None
    if found is None or text.startswith(f"#{found[1]} "):
        return text
    try:
        key = call.protocol.shared.directory.chat(call.protocol.user, chat).key
    except Refusal:
        return text
    return f"#{found[1]} {text}" if found[0].key == key else text


def _answered(call: Call, words: _Words, event: events.Event) -> bytes:
    protocol = call.protocol
    if words.extras.tags or words.extras.pieces:
        protocol.shared.talk.encoding.answered(protocol.user.id, words.text, words.extras)
    if isinstance(event, events.Error):
        return b"" if words.command == "NOTICE" else refused(protocol, words.command, event, words.shown)
    assert isinstance(event, events.Sent)
    return _echo(call, words, event) + _away(call, words, event)


def _echo(call: Call, words: _Words, sent: events.Sent) -> bytes:
    protocol = call.protocol
    if "echo-message" not in protocol.caps or sent.seq is None:
        return b""
    user = protocol.user
    kind = events.Notice if words.command == "NOTICE" else events.Message
    event = kind(chat=sent.chat, sender=user.name, at=sent.at, text=words.text, seq=sent.seq)
    key = protocol.shared.directory.chat(user, sent.chat).key
    talk = protocol.shared.talk
    return talk.encoding.lines(protocol.talk.flavour, event, (key, sent.seq), user, words.extras)


def _away(call: Call, words: _Words, sent: events.Sent) -> bytes:
    """Return 301 if the recipient of a private message is away."""
    protocol, chat = call.protocol, sent.chat
    if words.command == "NOTICE" or not chat.startswith("@"):
        return b""
    peer = protocol.shared.directory.user_or_removed(chat[1:])
    away = protocol.shared.person(peer).away
    if away is None or (away == OFFLINE and not protocol.talk.tells_offline(peer.id)):
        return b""
    return protocol.lines.numeric(Numeric.RPL_AWAY, protocol.nick, peer.name, text=away)


HANDLERS = {"PRIVMSG": say, "NOTICE": say}
"""See `irchat.server.protocols.irc.command_handlers`."""
