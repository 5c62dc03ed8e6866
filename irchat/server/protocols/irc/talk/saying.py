"""PRIVMSG and NOTICE: messages from a client."""

from functools import lru_cache
from typing import TYPE_CHECKING

from irchat.chat.state.message_ids import find_message
from irchat.commands.messages import looks_timed
from irchat.irc.irc_lines import REST_BYTES
from irchat.irc.isupport import TARGETS_MOST
from irchat.irc.message_tags import client_only
from irchat.irc.multiline import Piece
from irchat.irc.numerics import Numeric
from irchat.irc.targets import chat_of, service_of
from irchat.irc.text_codes import read_said
from irchat.protocol import events, requests
from irchat.protocol.rules import visible
from irchat.server.protocols.irc.calls import Answer, Call
from irchat.server.protocols.irc.irc_shared import OFFLINE
from irchat.server.protocols.irc.people.service_nicks import say_to
from irchat.server.protocols.irc.refusals import refused
from irchat.server.protocols.irc.talk.message_lines import NO_EXTRAS, Extras

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

_NOT_SENT = Numeric.ERR_CANNOTSENDTOCHAN
_TIMED_ELSEWHERE = "This looks like a timed message. IRC clients keep what they show: use an IRChat client for it"
_PRIVMSG = b"PRIVMSG "
_REPLY_TAGS = ("+draft/reply", "+reply")


class Said(Answer, eq=False):
    """A text to one target, as it is stored, and what came with it. ``shown``: the target as the client wrote it.

    The context of its request, if the line has no label.
    """

    protocol: "IRCProtocol"
    command: str
    shown: str
    text: str
    extras: Extras = NO_EXTRAS

    def answered(self, event: events.Event) -> bytes:
        """Return the refusal, or the echo and whether the recipient is away."""
        protocol = self.protocol
        if self.extras is not NO_EXTRAS:
            protocol.talk.unexpect(self.text, self.extras)
        if isinstance(event, events.Error):
            return b"" if self.command == "NOTICE" else refused(protocol, self.command, event, self.shown)
        assert isinstance(event, events.Sent)
        if protocol.state.times is not None:
            protocol.shared.idle_times.said(protocol.state.times)
        echo = self._echo(event) if "echo-message" in protocol.caps else b""
        return echo + self._away(event.chat[1:]) if event.chat[0] == "@" else echo

    def _echo(self, sent: events.Sent) -> bytes:
        protocol = self.protocol
        if sent.seq is None:
            return b""
        user = protocol.user
        kind = events.Notice if self.command == "NOTICE" else events.Message
        event = kind(chat=sent.chat, sender=user.name, at=sent.at, text=self.text, seq=sent.seq)
        key = protocol.shared.directory.chat(user, sent.chat).key
        return protocol.shared.talk.encoding.lines(protocol.talk.flavour, event, (key, sent.seq), user, self.extras)

    def _away(self, name: str) -> bytes:
        """Return 301 if the recipient of a private message is away."""
        protocol = self.protocol
        if self.command == "NOTICE":
            return b""
        peer = protocol.shared.directory.user_or_removed(name)
        away = protocol.shared.person(peer).away
        if away is None or (away == OFFLINE and not protocol.talk.tells_offline(peer.id)):
            return b""
        return protocol.lines.numeric(Numeric.RPL_AWAY, protocol.nick, peer.name, text=away)


_chat = lru_cache(maxsize=1_024)(chat_of)


@lru_cache(maxsize=1_024)
def _plain_chat(target: str) -> str | None:
    """Return the chat of a target that is all that stands before the text, or None if it needs a closer look."""
    return None if target[:1] == ":" or "," in target or " " in target else chat_of(target)


def say_plainly(protocol: "IRCProtocol", data: bytes) -> bool:
    """Send the text of a line such as ``PRIVMSG #team :hi``: most lines are such, and this takes less.

    Return False, and do nothing, if anything in the line needs a closer look.
    """
    if not data.startswith(_PRIVMSG) or len(data) > REST_BYTES:
        return False
    try:
        line = data.decode()
    except UnicodeDecodeError:
        return False
    target, _, text = line[len(_PRIVMSG) :].partition(" :")
    first = text.lstrip()[:1]
    # A printable text has neither controls nor formatting codes.
    if not first or not line.isprintable() or (first == "*" and looks_timed(text)):
        return False
    if (chat := _plain_chat(target)) is None:
        return False
    protocol.session.ask(requests.Send(chat=chat, text=text), Said(protocol, "PRIVMSG", target, text))
    return True


def say(call: Call) -> None:
    """Send a text to each target. Refusals of NOTICE are silent."""
    protocol, command = call.protocol, call.command
    said = read_said(call.params[1])
    tags = client_only(call.line.tags) if call.line.tags else {}
    for target in targets_of(call):
        if (service := service_of(target)) is not None:
            if command != "NOTICE":
                say_to(call, service, call.params[1])
        elif said.ctcp:
            # DCC shows addresses, and other requests ask who somebody is.
            text = "Of CTCP only ACTION is passed on"
            _refuse(call, command, protocol.lines.numeric(_NOT_SENT, protocol.nick, target, text=text))
        else:
            send(call, command, target, said.text, dict(tags))


def targets_of(call: Call) -> list[str]:
    """Return the targets of a line, each once. Too many are refused."""
    if "," not in call.params[0]:
        return call.params[:1]
    targets = list(dict.fromkeys(target for target in call.params[0].split(",") if target))
    if len(targets) <= TARGETS_MOST:
        return targets
    numeric = call.protocol.lines.numeric(Numeric.ERR_TOOMANYTARGETS, call.protocol.nick, targets[TARGETS_MOST])
    _refuse(call, call.command, numeric)
    return []


def send(
    call: Call, command: str, target: str, text: str, tags: dict[str, str], pieces: list[Piece] | None = None
) -> None:
    """Send a text to one target, by PRIVMSG or NOTICE.

    ``tags``: its client-only tags. ``pieces``: the lines of a multiline message, if they differ from its text.
    """
    lines, nick = call.protocol.lines, call.protocol.nick
    if looks_timed(text):
        _refuse(call, command, lines.fail(command, "TIMED_ELSEWHERE", target, text=_TIMED_ELSEWHERE))
    elif not text.strip():
        _refuse(call, command, lines.numeric(Numeric.ERR_NOTEXTTOSEND, nick))
    elif (chat := _chat(target)) is None:
        _refuse(call, command, lines.numeric(Numeric.ERR_NOSUCHNICK, nick, target))
    else:
        answers = _answers(call, chat, text, tags) if tags else ""
        stored = visible(answers + text)
        extras = Extras(tags, pieces, answers) if tags or pieces is not None or answers else NO_EXTRAS
        kind = requests.Notice if command == "NOTICE" else requests.Send
        if extras is not NO_EXTRAS:
            call.protocol.talk.expect(stored, extras)
        call.ask(kind(chat=chat, text=stored), Said(call.protocol, command, target, stored, extras).answered)


def _refuse(call: Call, command: str, refusal: bytes) -> None:
    """Answer with a refusal, unless the command is NOTICE."""
    if command != "NOTICE":
        call.say(refusal)


def _answers(call: Call, chat: str, text: str, tags: dict[str, str]) -> str:
    """Return the words that make a text a reply. The tag is dropped: it is made from the text.

    They are stored, for clients that know no tags. IRC clients that are online get the text as it was sent.
    """
    msgids = [tags.pop(tag) for tag in _REPLY_TAGS if tag in tags]
    found = find_message(call.protocol.shared.directory, call.protocol.user, msgids[0]) if msgids else None
    if found is None or text.startswith(f"#{found[1]} "):
        return ""
    known = call.protocol.shared.directory.find_chat(call.protocol.user, chat)
    return f"#{found[1]} " if known is not None and found[0].key == known.key else ""
