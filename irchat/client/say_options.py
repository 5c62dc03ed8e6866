"""The command line of ``irchat say``, and the request that it makes."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from irchat.client.exceptions import ClientError
from irchat.client.options import parse_fingerprint_option
from irchat.commands import REGISTRY
from irchat.protocol import requests, wire
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import CLIENT_LINE_BYTES, GLOBAL_NAME
from irchat.text.names import same_name

REFUSED = 1
_TO = "GLOBAL, @<user> or *<group_name>"


class SayOptions(NamedTuple):
    """The options of ``irchat say``."""

    host: str
    line: str | None
    to: str | None
    token_file: Path | None
    tls: bool
    fingerprint: str | None


class _Parser(argparse.ArgumentParser):
    """A parser whose errors have the exit status of a refusal: 2 means that there is no server."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(REFUSED, f"{self.prog}: {message}\n")


def parse_say_options(arguments: Sequence[str]) -> SayOptions:
    """Parse the arguments after ``say``. Exit after --help and on invalid options."""
    parser = _Parser(
        prog="irchat say",
        description="Say one thing in a chat, from a script. Signs in with a token (irchat-admin token).",
        epilog="Exit status: 0 done, 1 refused, 2 no server or no answer. Put -- before a line that begins with -. "
        "A host that is called say is written say:7667.",
    )
    parser.add_argument("host", metavar="host[:port]", help="the server")
    parser.add_argument(
        "line",
        nargs="?",
        help="the line, as typed in the chat: '*ops disk full'. Without a text ('*ops'), standard input is the text",
    )
    parser.add_argument("--to", metavar="CHAT", help=f"send the text to this chat as it is, never as a command: {_TO}")
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the file with the token, which only its owner can read"
    )
    parser.add_argument(
        "--fingerprint",
        type=parse_fingerprint_option,
        metavar="SHA256",
        help="trust only the certificate with this fingerprint",
    )
    parser.add_argument(
        "--no-tls",
        action="store_false",
        dest="tls",
        help="connect without encryption to a server started with --no-tls",
    )
    return SayOptions(**vars(parser.parse_intermixed_args(arguments)))


def make_request(options: SayOptions, read_input: Callable[[], str], nonce: str) -> requests.Line | requests.Send:
    """Return the request to make. ``read_input`` returns the whole standard input. Raises ClientError.

    A text without an address is refused without ``--to``, so that no script speaks to everyone by mistake.
    """
    request = _read(options, read_input, nonce)
    if len(wire.encode_request(request)) > CLIENT_LINE_BYTES:
        raise ClientError("The text is too long and was not sent. Send less of it, for example with head -c 3000.")
    return request


def message_of(request: requests.Line | requests.Send) -> requests.Send | None:
    """Return the message that the request sends, or None. The server recognises its repetition by the nonce."""
    if isinstance(request, requests.Send):
        return request
    try:
        _, read = REGISTRY.read(request.line, is_admin=True)
    except Refusal:
        return None
    return read if isinstance(read, requests.Send) else None


def _read(options: SayOptions, read_input: Callable[[], str], nonce: str) -> requests.Line | requests.Send:
    line = options.line
    if options.to is not None:
        to = _chat(options.to)
        return requests.Send(chat=to, text=_text(read_input) if line is None else line, nonce=nonce)
    if line is None:
        raise ClientError(f"Where to? Name the chat, as in '*ops', or with --to {_TO}.")
    if (send := _address(line)) is not None:
        return requests.Send(chat=send.chat, text=_text(read_input), expires_in=send.expires_in, nonce=nonce)
    try:
        REGISTRY.read(line, is_admin=True)  # raises Refusal for a habit of other chats
        to_open_chat = REGISTRY.find(line, is_admin=True).to_open_chat
    except Refusal:
        to_open_chat = False  # the server has the reason
    if to_open_chat:
        raise ClientError(
            f"The line names no chat, and nothing was sent. Begin it with @<user> or *<group_name>, or add --to {_TO}."
        )
    return requests.Line(line=line, nonce=nonce)


def _chat(name: str) -> str:
    if same_name(name, GLOBAL_NAME) or (name[:1] in ("@", "*") and len(name) > 1):
        return name
    raise ClientError(f"--to takes {_TO}.")


def _address(line: str) -> requests.Send | None:
    """Return the message that ``line`` addresses without a text, as ``*ops`` and ``*60@bob`` do, or None."""
    try:
        _, request = REGISTRY.read(f"{line} x")
    except Refusal:
        return None
    return request if line.strip() and isinstance(request, requests.Send) and request.text == "x" else None


def _text(read_input: Callable[[], str]) -> str:
    """Return the text on standard input, without the end of its last line. A CR before a line feed is no text."""
    text = read_input().replace("\r\n", "\n").rstrip("\n")
    if not text.strip():
        raise ClientError("Nothing was sent: the line has no text, and standard input is empty.")
    return text
