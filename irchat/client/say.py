"""``irchat say``: say one thing in a chat, from a script, and exit with 0, 1 (refused) or 2 (no server)."""

import os
import random
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import platformdirs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from irchat.client.connect.request_channel import UNREADABLE, Reply, RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.connect.trust import Trust
from irchat.client.exceptions import ClientError, InputEnded, NoServer
from irchat.client.options import ClientOptions
from irchat.client.say_options import REFUSED, SayOptions, make_request, message_of, parse_say_options
from irchat.client.wiring import known_hosts, make_dialer, tokens, write_error
from irchat.commands import REGISTRY
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from irchat.protocol.rules import CLIENT_LINE_BYTES
from irchat.rendering.lines import Renderer
from irchat.system.files.named_files import read_small_file
from irchat.system.streams import flush_output

NO_SERVER = 2
# Seconds for repeating a message after its answer was lost, or while the server cannot store it.
_PATIENCE = 60.0
_LONGEST_PAUSE = 8.0


class SilentDialogue:
    """A dialogue without a user: questions fail, and errors go to standard error."""

    interactive = False

    def note(self, text: str) -> None:
        """Do nothing."""

    def complain(self, text: str) -> None:
        """Show an error of one or more lines."""
        write_error(f"! {text}")

    def suggest(self, text: str) -> None:
        """Do nothing."""

    async def ask(self, question: str, *, secret: bool = False, can_cancel: bool = False) -> str:
        """Raise InputEnded: nobody is there to answer."""
        raise InputEnded


class Saying:
    """Sign in with ``token``, make one request, and leave.

    If the connection is lost before the answer, a message is sent again, over connections from ``connect``, for up to a
    minute. The server recognises it by its nonce. ``jitter`` returns a factor for the pause before each attempt.
    """

    def __init__(
        self,
        clock: IReactorTime,
        connect: Callable[[], Awaitable[ServerConnection]],
        token: str,
        jitter: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._connect = connect
        self._token = token
        self._jitter = jitter
        self._is_sent = False

    async def run(self, request: requests.Line | requests.Send) -> Reply:
        """Return the reply to ``request``, or to the sign-in if that is refused.

        Raises NoServer, or ClientError if the server is not trusted.
        """
        message = message_of(request)
        patience = _PATIENCE
        if message is not None and message.expires_in is not None:
            patience = min(patience, message.expires_in)  # a timed message is not repeated after its end
        until = self._clock.seconds() + patience
        pause = 1.0
        while True:
            try:
                reply = await self._once(await self._connect(), request)
            except NoServer:
                if not self._is_sent:
                    raise
                reply = None
            else:
                if reply is not None and not _is_temporary(reply):
                    return reply
            seconds = pause * self._jitter()
            if self._clock.seconds() + seconds >= until or (reply is None and message is None):
                return _last(reply)
            await deferLater(self._clock, seconds, lambda: None)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _once(self, connection: ServerConnection, request: requests.Request) -> Reply:
        """Return the reply of one attempt, or None if the connection was lost before it arrived. Raises NoServer."""
        channel = RequestChannel(self._clock, connection, lambda event: None, lambda why: None)
        try:
            reply = await channel.request(requests.Resume(token=self._token))
            if isinstance(reply, events.Welcome):
                self._is_sent = True
                reply = await channel.request(request)
                if reply is None:
                    raise ClientError(UNREADABLE)
        except ClientError as lost:
            if not connection.is_over:
                raise
            if not self._is_sent:
                raise NoServer(lost.text) from lost
            return None
        channel.request(requests.Logout()).addErrback(lambda failure: failure.trap(ClientError))
        connection.close()
        return reply


def _is_temporary(reply: events.ANY) -> bool:
    return isinstance(reply, events.Error) and reply.code == Code.UNAVAILABLE


def _last(reply: Reply) -> events.ANY:
    """Return the answer to give up with. Raises NoServer without one."""
    if reply is None:
        raise NoServer(
            "The connection was lost before the server answered, and it did not come back. "
            "The line may have been carried out or not."
        )
    return reply


def read_token(path: Path, label: str) -> str:
    """Return the token in the file ``path``, for the server ``label``. Raises ClientError."""
    try:
        token = read_small_file(path, secret=True).decode("ascii").strip()
    except FileNotFoundError:
        raise ClientError(
            f"There is no token for {label} in {path}.\n"
            f"Let the administrator create one (irchat-admin token NAME LABEL), and save it there with mode 0600."
        ) from None
    except OSError as error:
        raise ClientError(f"The token in {path} cannot be used: {error.strerror}.") from None
    except ValueError:
        token = ""
    if not token or len(token.split()) != 1:
        raise ClientError(f"{path} has no token. It holds one line, as irchat-admin token prints it.")
    return token


def token_path(label: str) -> Path:
    """Return the token file for the server ``label`` (host:port): each server has its own."""
    return Path(platformdirs.user_config_dir("irchat")) / "say" / label


def read_standard_input() -> str:
    """Return all of standard input. Raises ClientError on a terminal, and if it is not text or too long."""
    if os.isatty(0):
        raise ClientError("The line has no text, and nothing is piped into the command. Add a text.")
    data = sys.stdin.buffer.read(CLIENT_LINE_BYTES + 1)
    if len(data) > CLIENT_LINE_BYTES:
        raise ClientError("The text is too long and was not sent. Send less of it, for example with head -c 3000.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ClientError("The text is not UTF-8 and was not sent. Convert it, for example with iconv.") from None


def run_say(reactor: Any, arguments: Sequence[str]) -> int:
    """Run ``irchat say`` in ``reactor``. Return its exit status."""
    options = parse_say_options(arguments)
    status: list[int] = []

    def start() -> None:
        saying: Deferred[int] = Deferred.fromCoroutine(_say(reactor, options))
        saying.addCallback(status.append)
        saying.addErrback(lambda failure: write_error(failure.getTraceback()))
        saying.addBoth(lambda _: reactor.stop() if reactor.running else None)

    reactor.callWhenRunning(start)
    reactor.run()
    return status[0] if status else 130


async def _say(reactor: Any, options: SayOptions) -> int:
    try:
        request = make_request(options, read_standard_input, secrets.token_urlsafe(12))
        connect_options = ClientOptions(options.host, options.tls, json=False, fingerprint=options.fingerprint)
        address, dialer = make_dialer(reactor, connect_options)
        if address.user is not None:
            raise ClientError(f"The token decides who speaks. Leave out {address.user}@.")
        label = dialer.target.label
        token = read_token(options.token_file or token_path(label), label)
        dialogue = SilentDialogue()
        trust = Trust(dialer, known_hosts(), tokens(), dialogue, options.fingerprint, dialogue.complain)
        saying = Saying(reactor, trust.connect, token, partial(random.uniform, 0.5, 1.5))
        reply = await saying.run(request)
    except ClientError as stop:
        write_error(f"! {stop.text}")
        return NO_SERVER if isinstance(stop, NoServer) else REFUSED
    assert reply is not None
    return show(reply, request)


def show(reply: events.ANY, request: requests.Line | requests.Send) -> int:
    """Print a reply, errors to standard error. Return the exit status."""
    asked = REGISTRY.answered(request.line, reply) if isinstance(request, requests.Line) else None
    lines = Renderer(colour=False, withhold_timed=True).lines(reply, asked)
    if isinstance(reply, events.Error):
        for line in lines:
            write_error(line.text)
        return REFUSED
    for line in lines:
        sys.stdout.write(f"{line.text}\n")
    if failed := flush_output():
        write_error(f"! The line was carried out, but {failed}.")
        return REFUSED
    return 0
