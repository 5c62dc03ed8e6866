"""Convert one line of the JSON protocol to one request or event, and back.

Decoders take lines without their end; encoders return lines with it."""

import json
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.events import Ref
from irchat.protocol.rules import SERVER_LINE_BYTES, shown

_WHY_LENGTH = 200  # characters of a decoder's message, which may repeat the client's input
_INT_DIGITS = 4_300
_REF_HEAD = b'{"ref":'
_SALVAGED_LENGTH = 4_096  # characters of a line that the standard library may search for the ref

_Request = TypeVar("_Request")

_encoder = msgspec.json.Encoder()
_request_decoder: msgspec.json.Decoder[requests.ANY] = msgspec.json.Decoder(requests.ANY)
_door_decoder: msgspec.json.Decoder[requests.OF_SSH_DOOR] = msgspec.json.Decoder(requests.OF_SSH_DOOR)
_event_decoder: msgspec.json.Decoder[events.ANY] = msgspec.json.Decoder(events.ANY)
_ref_decoder: msgspec.json.Decoder[Ref] = msgspec.json.Decoder(Ref)
_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Reply(msgspec.Struct):
    ref: Ref | UnsetType = UNSET


_reply_decoder = msgspec.json.Decoder(_Reply)


class BadLine(Exception):
    """A line that is not a request. Carries the refusal for the reply, and the ``ref`` if one could be read."""

    def __init__(self, refusal: Refusal, ref: Ref | UnsetType = UNSET) -> None:
        super().__init__(refusal, ref)
        self.refusal = refusal
        self.ref = ref


def decode_request(line: bytes) -> requests.ANY:
    """Return the request in a line of UTF-8 JSON. Raises BadLine."""
    return _decode(line, _request_decoder)


def decode_door_request(line: bytes) -> requests.OF_SSH_DOOR:
    """Return the request in a line from the process of the SSH door. Raises BadLine."""
    return _decode(line, _door_decoder)


def _decode(line: bytes, decoder: msgspec.json.Decoder[_Request]) -> _Request:
    if not line.isascii():
        try:
            line.decode()  # msgspec does not validate fields that it ignores
        except UnicodeDecodeError:
            raise BadLine(bad_encoding()) from None
    try:
        try:
            return decoder.decode(line)
        except msgspec.ValidationError:
            return _decode_without_nulls(line, decoder)
    except (msgspec.MsgspecError, RecursionError) as error:
        why = shown(str(error), _WHY_LENGTH)
        raise BadLine(Refusal(Code.BAD_REQUEST, f"This is no request: {why}"), _salvage_ref(line.decode())) from None


def _decode_without_nulls(line: bytes, decoder: msgspec.json.Decoder[_Request]) -> _Request:
    """Decode a request that failed to decode, with a null in an optional field taken as absent."""
    fields = _object_decoder.decode(line)
    given = {name: value for name, value in fields.items() if bytes(value) != b"null" or name == "ref"}
    return decoder.decode(line if len(given) == len(fields) else _encoder.encode(given))


def encode_request(request: requests.Request) -> bytes:
    """Return the line of a request."""
    return _encoder.encode(request) + b"\n"


def decode_event(line: bytes) -> events.ANY | None:
    """Return the event in a line, or None if its type is unknown. Raises ValueError if it is not an event."""
    try:
        return _event_decoder.decode(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError) and _is_object(line):
            return None
        raise ValueError(f"this is no event: {error}") from error


def reply_ref(line: bytes) -> Ref | UnsetType:
    """Return the ``ref`` of a reply, or UNSET for an event. Raises ValueError if the line is not a JSON object."""
    try:
        return _reply_decoder.decode(line).ref
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"this is no reply: {error}") from error


def encode(event: events.Event) -> bytes:
    """Return the line of an event, of at most 256 KiB. A list is cut to fit and says ``more`` where it can.

    Raises ValueError if the event has no list to cut. Pages of history are made short enough.
    """
    line = _encoder.encode(event)
    return line + b"\n" if len(line) < SERVER_LINE_BYTES else _encode_cut(event, SERVER_LINE_BYTES)


def encode_reply(reply: events.Event, ref: object) -> bytes:
    """Return the line of a reply that carries ``ref``, with the limit of `encode`."""
    if ref is UNSET:
        return encode(reply)
    head = _encoder.encode(ref)
    line = _encoder.encode(reply)
    most = SERVER_LINE_BYTES - len(head) - len(_REF_HEAD)
    if len(line) >= most:
        line = _encode_cut(reply, most)[:-1]
    return b"".join((_REF_HEAD, head, b",", line[1:], b"\n"))


def bad_encoding() -> Refusal:
    """Return the refusal of bytes that are not UTF-8."""
    return Refusal(Code.BAD_ENCODING, "This line is not UTF-8. Set your terminal or program to UTF-8.")


def _encode_cut(event: events.Event, limit: int) -> bytes:
    """Return the line of an event that is too long, with its lists cut."""
    while len(line := _encoder.encode(event)) >= limit:
        event = _cut(event)
    return line + b"\n"


def _is_object(line: bytes) -> bool:
    try:
        _object_decoder.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _salvage_ref(line: str) -> Ref | UnsetType:
    """Return the ref of a malformed line. The standard library accepts some short lines that msgspec does not.

    It would take up to 15 ms for a long one, and block all other users.
    """
    try:
        return _reply_decoder.decode(line).ref
    except (msgspec.MsgspecError, RecursionError):
        if len(line) > _SALVAGED_LENGTH:
            return UNSET
    try:
        fields: Any = json.loads(line, parse_int=_small_int)
        return _ref_decoder.decode(_encoder.encode(fields["ref"]))
    except (ValueError, KeyError, TypeError, RecursionError, msgspec.MsgspecError):
        return UNSET


def _small_int(digits: str) -> int | None:
    """Convert an integer of as many digits as msgspec accepts; json would raise an exception of its own."""
    return int(digits) if len(digits) <= _INT_DIGITS else None


def _cut(event: events.Event) -> events.Event:
    """Return the event with the longer of its lists halved, at the less important end."""
    match event:
        case events.Welcome(online=online, unread=unread) if online or unread:
            if len(online) > len(unread):
                return msgspec.structs.replace(event, online=online[: len(online) // 2])
            return msgspec.structs.replace(event, unread=unread[: len(unread) // 2])
        case events.Users(online=online, offline=offline) if online or offline:
            if len(online) > len(offline):
                return events.Users(online[: len(online) // 2], offline, more=True)
            return events.Users(online, offline[: len(offline) // 2], more=True)
        case events.Chats(chats=chats) if chats:
            return events.Chats(chats[: len(chats) // 2])
        case events.Blocks(names=names) if names:
            return events.Blocks(names[: len(names) // 2])
        case events.Found(messages=messages) if messages:
            return events.Found(messages[: len(messages) // 2], more=True)
    raise ValueError(f"a line of {type(event).__name__} is too long for the wire")
