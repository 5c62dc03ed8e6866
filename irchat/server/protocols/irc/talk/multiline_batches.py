"""BATCH: messages of several lines (IRCv3 multiline)."""

from functools import partial

from irchat.irc.message_tags import client_only
from irchat.irc.multiline import Collected, MultilineError, Piece
from irchat.irc.text_codes import read_said, strip_formatting
from irchat.protocol.rules import visible
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.talk import saying

# Slightly later than the end of the batch, so that rounding never makes the look too early.
_LATER_SECONDS = 0.01


def batch(call: Call) -> None:
    """Begin a multiline message, or end and send it. The label of its first line is that of the message."""
    talk = call.protocol.talk
    call.label = None
    try:
        collected = talk.collector.batch(call.line)
    except MultilineError as error:
        _refuse(call, error)
    else:
        if collected is not None:
            _send(call, collected)
    _watch(call)


def say(call: Call) -> None:
    """Handle PRIVMSG and NOTICE, alone or in a batch."""
    if "batch" not in call.line.tags:
        saying.say(call)
        return
    call.label = None
    try:
        call.protocol.talk.collector.takes(call.line)
    except MultilineError as error:
        _refuse(call, error)
        _watch(call)


def _send(call: Call, collected: Collected) -> None:
    """Send a whole batch as one message."""
    call.label = collected.label if "labeled-response" in call.protocol.caps else None
    pieces = [Piece(visible(strip_formatting(piece.text)), piece.concat) for piece in collected.pieces]
    if len(pieces) == 1:
        said = read_said(collected.pieces[0].text)
        text = "" if said.ctcp else said.text
    else:
        text = "".join(
            f"{chr(10) if number and not piece.concat else ''}{piece.text}" for number, piece in enumerate(pieces)
        )
    is_cut = any(piece.concat for piece in pieces)
    tags = client_only(collected.tags)
    saying.send(call, collected.command, collected.target, text, tags, pieces if is_cut else None)


def _refuse(call: Call, error: MultilineError) -> None:
    if "labeled-response" in call.protocol.caps:
        call.label = error.label
    call.say(call.protocol.lines.fail("BATCH", error.code, *error.context, text=error.text))


def _watch(call: Call) -> None:
    """Look at the open batch when its time is over."""
    protocol, talk = call.protocol, call.protocol.talk
    if talk.collecting is not None:
        talk.collecting.cancel()
        talk.collecting = None
    ends_at = talk.collector.ends_at
    if ends_at is not None:
        clock = protocol.shared.clock
        talk.collecting = clock.callLater(ends_at - clock.seconds() + _LATER_SECONDS, partial(_too_late, call))


def _too_late(call: Call) -> None:
    call.protocol.talk.collecting = None
    try:
        call.protocol.talk.collector.check_time()
    except MultilineError as error:
        late = Call(call.protocol, call.line)
        late.label = None
        _refuse(late, error)
        late.close()


HANDLERS = {"BATCH": batch, "PRIVMSG": say, "NOTICE": say}
"""See `irchat.server.protocols.irc.command_handlers`."""
