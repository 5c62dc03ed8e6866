"""A session that runs one typed line, such as ``ssh host '@bob hi'``."""

import secrets
from collections.abc import Awaitable, Callable

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from irchat.client.connect.entry import Entry
from irchat.client.connect.request_channel import UNREADABLE, RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.commands import REGISTRY
from irchat.protocol import events, requests, wire
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import CLIENT_LINE_BYTES, visible
from irchat.rendering.lines import Renderer
from irchat.ssh.channel_session import Started
from irchat.ssh.typed_lines import ENDED

_BARE = (
    "This is a chat, and {word} is no command of it, so nothing was sent. "
    "To send the line to everyone, type \\ before it, or send lines by ssh -T. !help shows the commands."
)
_NOT_UTF8 = "This line is not UTF-8 and was not sent. Set your terminal or program to UTF-8."
_FAILED = "The command failed. Try again."


class OneCommand:
    """Runs one typed line. The exit status is 0, or 1 after a refusal, which goes to standard error.

    ``connect`` returns a connection to the server. ``report`` is called with a failure.
    """

    def __init__(
        self,
        clock: IReactorTime,
        started: Started,
        connect: Callable[[], Awaitable[ServerConnection]],
        new_entry: Callable[[None, Callable[[ClientError], None]], Entry],
        report: Callable[[Failure], None],
    ) -> None:
        assert started.command is not None
        self._clock = clock
        self._transport = started.transport
        self._line = started.command.strip()
        self._end = "\n" if started.terminal is None else "\r\n"
        self._connect = connect
        self._entry = new_entry(None, lambda why: None)
        self._report = report
        self._renderer = Renderer(colour=False, withhold_timed=started.terminal is None)
        self._connection: ServerConnection | None = None
        self._talk: Deferred[None] = succeed(None)
        self._goodbye = ""

    def begin(self) -> None:
        """Begin."""
        self._talk = Deferred.fromCoroutine(self._run())
        self._talk.addErrback(self._failed).addBoth(lambda _: self._finish())

    def feed(self, data: bytes) -> None:
        """Drop input: the line is all there is. Ctrl-C on a terminal ends the session."""
        if b"\x03" in data:
            self._talk.cancel()

    def end_of_input(self) -> None:
        """Do nothing: the reply is still to come."""

    def resized(self) -> None:
        """Do nothing: lines wrap by themselves."""

    def end(self, why: ClientError) -> None:
        """End with an error."""
        if not self._talk.called:
            self._show(events.Error("", why.text))
            self._talk.cancel()

    def channel_lost(self) -> None:
        """End."""
        self._talk.cancel()

    async def _run(self) -> None:
        request = read(self._line)
        connection = self._connection = await self._connect()
        channel = RequestChannel(self._clock, connection, self._hear, lambda why: None)
        await self._entry.sign_in(channel)
        reply = await channel.request(request)
        if reply is None:
            raise ClientError(UNREADABLE)
        self._show(reply)
        if self._entry.is_temporary and not isinstance(reply, events.Bye):
            await channel.request(requests.Logout(forget=True))

    def _hear(self, event: events.ANY) -> None:
        """Keep the reason of an end that comes before the reply. All other events are for other sessions."""
        if isinstance(event, events.Bye):
            self._goodbye = event.reason

    def _failed(self, failure: Failure) -> None:
        if isinstance(failure.value, Refusal):
            refusal = failure.value
            self._show(events.Error(refusal.code, refusal.text, refusal.usage))
        elif isinstance(failure.value, ClientError):
            self._show(events.Error("", ENDED.format(reason=self._goodbye) if self._goodbye else failure.value.text))
        elif failure.check(CancelledError):
            self._transport.status = 1
        else:
            self._report(failure)
            self._show(events.Error("", _FAILED))

    def _show(self, reply: events.Event) -> None:
        """Write a reply to standard output, or a refusal to standard error."""
        lines = self._renderer.lines(reply, REGISTRY.answered(self._line, reply))
        data = "".join(f"{line.text}{self._end}" for line in lines).encode("utf-8", "replace")
        if isinstance(reply, events.Error):
            self._transport.status = 1
            self._transport.write_error(data)
        elif not isinstance(reply, events.Bye):
            self._transport.write(data)

    def _finish(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._transport.loseConnection()


def read(line: str) -> requests.Line:
    """Return the request for a typed line. Bytes that are not UTF-8 are surrogates.

    Raises Refusal for them, and for a text without a command: it may be meant for a shell.
    """
    if any("\ud800" <= character <= "\udfff" for character in line):
        raise Refusal(Code.BAD_ENCODING, _NOT_UTF8)
    request = requests.Line(line=line, nonce=secrets.token_urlsafe(12))
    if len(wire.encode_request(request)) > CLIENT_LINE_BYTES:
        raise Refusal(Code.LINE_TOO_LONG, "This line is too long and was not sent.")
    try:
        is_bare = not REGISTRY.find(line).command.prefix and REGISTRY.right_form(line) is None
    except Refusal:
        is_bare = False  # the server has the reason, and knows the commands of administrators
    if is_bare:
        word = visible(line.split(maxsplit=1)[0])[:40]
        raise Refusal(Code.BAD_REQUEST, _BARE.format(word=repr(word)))
    return request
