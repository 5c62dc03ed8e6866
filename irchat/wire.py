"""One line of the JSON face to one request or event, and back. Lines are given and taken without their end but for
`encode` and its kin, which end them."""

import json
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from irchat import events, requests
from irchat.errors import Code, Refusal
from irchat.events import Ref
from irchat.rules import SERVER_LINE_BYTES

_encoder = msgspec.json.Encoder()
_request_decoder = msgspec.json.Decoder(requests.ANY)
_event_decoder = msgspec.json.Decoder(events.ANY)
_ref_decoder = msgspec.json.Decoder(Ref)
_PAGE_BYTES = SERVER_LINE_BYTES - 512  # leaves room for the ref of a reply


class _Reply(msgspec.Struct):
    ref: Ref | UnsetType = UNSET


_reply_decoder = msgspec.json.Decoder(_Reply)


class BadLine(Exception):
    """A line that is no request: the refusal to answer it with, and its ``ref`` where one could be read."""

    def __init__(self, refusal: Refusal, ref: Ref | UnsetType = UNSET) -> None:
        super().__init__(refusal, ref)
        self.refusal = refusal
        self.ref = ref


def decode_request(line: bytes) -> requests.ANY:
    """The request in a line (UTF-8 JSON). Raises BadLine."""
    try:
        return _request_decoder.decode(line)
    except UnicodeDecodeError:
        raise BadLine(bad_encoding()) from None
    except (msgspec.MsgspecError, RecursionError) as error:
        if not _is_utf8(line):
            raise BadLine(bad_encoding()) from None
        raise BadLine(Refusal(Code.BAD_REQUEST, f"This is no request: {error}"), _salvage_ref(line)) from None


def encode_request(request: requests.Request) -> bytes:
    """A request as a line with its end."""
    return _encoder.encode(request) + b"\n"


def decode_event(line: bytes) -> events.ANY | None:
    """The event in a line, or None where this client does not know its type. Raises ValueError where it is no event."""
    try:
        return _event_decoder.decode(line)
    except msgspec.ValidationError:
        if isinstance(json.loads(line), dict):
            return None
        raise


def reply_ref(line: bytes) -> Ref | UnsetType:
    """The ``ref`` of a line from the server: UNSET in an event. Raises ValueError where the line is no JSON object."""
    return _reply_decoder.decode(line).ref


def encode(event: events.Event) -> bytes:
    """An event as a line with its end, of at most 256 KiB: a page is cut to what fits and then says ``more``."""
    line = _encoder.encode(event)
    while len(line) > _PAGE_BYTES:
        event = _cut(event)
        line = _encoder.encode(event)
    return line + b"\n"


def encode_reply(reply: events.Event, ref: Ref | UnsetType) -> bytes:
    """A reply as a line with its end, carrying ``ref``."""
    line = encode(reply)
    return line if ref is UNSET else b'{"ref":' + _encoder.encode(ref) + b"," + line[1:]


def bad_encoding() -> Refusal:
    """The refusal of bytes that are not UTF-8."""
    return Refusal(Code.BAD_ENCODING, "This line is not UTF-8. Set your terminal or program to UTF-8.")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _salvage_ref(line: bytes) -> Ref | UnsetType:
    """The ref of a line that may be wrong otherwise; the standard library reads what msgspec will not."""
    try:
        fields: Any = json.loads(line)
        return _ref_decoder.decode(_encoder.encode(fields["ref"]))
    except (ValueError, KeyError, TypeError, RecursionError, msgspec.MsgspecError):
        return UNSET


def _cut(event: events.Event) -> events.Event:
    """The event with the longer of its lists halved at the end that matters less."""
    match event:
        case events.Welcome():
            if len(event.online) > len(event.unread):
                return msgspec.structs.replace(event, online=event.online[: len(event.online) // 2])
            return msgspec.structs.replace(event, unread=event.unread[: len(event.unread) // 2])
        case events.Chats():
            return events.Chats(event.chats[: len(event.chats) // 2])
        case events.Found():
            return events.Found(event.messages[: len(event.messages) // 2], more=True)
    raise ValueError(f"a line of {type(event).__name__} is too long for the wire")
