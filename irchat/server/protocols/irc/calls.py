"""A line of a client while it is handled: its requests, and the lines that answer it, with their label."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from irchat.irc.irc_lines import Line
from irchat.protocol import events, requests

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

Answered = Callable[[events.Event], bytes]


class Answer(Struct, eq=False):
    """The context of a request."""

    def answered(self, event: events.Event) -> bytes:
        """Return the bytes that answer the request with ``event``."""
        raise NotImplementedError


class Part(Answer, eq=False):
    """The context of a request of a call."""

    call: "Call"
    then: Answered

    def answered(self, event: events.Event) -> bytes:
        return self.call.answered(self.then, event)


class Call:
    """One line of a client, with the requests that it leads to.

    All lines that answer it go out in the order of requests (`irchat.server.sessions.session.Session`), so a reply
    without a request, such as that to PING, follows the replies to all earlier lines. A labeled call collects its
    lines until its last part is answered.
    """

    __slots__ = ("_answer", "_is_closed", "_open", "label", "line", "protocol")

    def __init__(self, protocol: "IRCProtocol", line: Line) -> None:
        self.protocol = protocol
        self.line = line
        self.label = line.label if "labeled-response" in protocol.caps else None
        self._open = 0
        self._is_closed = False
        self._answer = b""

    @property
    def command(self) -> str:
        """The command, in upper case."""
        return self.line.command

    @property
    def params(self) -> list[str]:
        """The parameters."""
        return self.line.params

    def ask(self, request: requests.Request, then: Answered) -> None:
        """Ask the session. ``then`` returns the lines for the reply, which may be an `events.Error`."""
        self._open += 1
        self.protocol.session.ask(request, Part(self, then))

    def in_turn(self, lines: Callable[[], bytes]) -> None:
        """Answer with ``lines()``, called after all earlier lines of the client were answered."""
        self.ask(requests.Ping(), lambda _: lines())

    def say(self, lines: bytes) -> None:
        """Answer with ``lines`` after all earlier lines of the client were answered."""
        self.in_turn(lambda: lines)

    def close(self) -> None:
        """Note that the handler has made all requests of the call."""
        self._is_closed = True
        if self.label is not None and not self._open:
            self.say(b"")

    def answered(self, then: Answered, event: events.Event) -> bytes:
        """Return the bytes to send for a part of the call that was answered."""
        lines = then(event)
        self._open -= 1
        if self.label is None:
            return lines
        self._answer += lines
        if self._open or not self._is_closed:
            return b""
        return self.protocol.batches.labelled(self.label, self._answer)
