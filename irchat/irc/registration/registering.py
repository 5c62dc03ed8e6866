"""The registration of an IRC client as a state machine: lines in; lines and requests out.

It knows no socket and no core. `Registration.receive` takes the lines of a session that is not signed in. It returns
steps in order: bytes to send, a request whose answer comes back by `Registration.answered`, or a change of the phase.
While a request is asked, lines wait inside, and `Registration.is_asking` is true: the reader should pause.
"""

from collections import deque
from enum import Enum
from typing import NamedTuple

from irchat.irc.registration.capabilities import Capabilities
from irchat.irc.irc_lines import Line
from irchat.irc.numerics import ServerLines
from irchat.protocol import events, requests


class Phase(Enum):
    """How far a session is: before ``NICK``, ``USER`` and ``CAP END``; in the waiting room; signed in."""

    BEFORE = "before"
    WAITING = "waiting"
    SIGNED_IN = "signed in"


class Options(NamedTuple):
    """What the server is like. ``passwords``: not ``--no-passwords``."""

    passwords: bool = True
    registration_open: bool = True


class Say(NamedTuple):
    """Send bytes: one or more lines."""

    data: bytes


class Ask(NamedTuple):
    """Ask the core, and pass the answer to `Registration.answered`."""

    request: requests.Register | requests.Login


class EnterWaitingRoom(NamedTuple):
    """Send ``001`` to ``005`` and ``422`` to `Registration.nick`, then ``then``, notices of NickServ."""

    then: bytes


class SignedIn(NamedTuple):
    """The session is signed in and registered: send the burst (``001`` and the rest unless it ``was_waiting``).

    ``first``: lines before the burst, such as the change of the nick in the waiting room.
    """

    welcome: events.Welcome
    first: bytes
    was_waiting: bool


class Close(NamedTuple):
    """Send the last bytes and close the connection. ``reason``: for the log."""

    data: bytes
    reason: str


class PassOn(NamedTuple):
    """A line that the server answers itself, in every phase where it is allowed (PING, MOTD, LUSERS, AWAY ...)."""

    line: Line


Step = Say | Ask | EnterWaitingRoom | SignedIn | Close | PassOn


class Registration:
    """The state of one session until it is signed in, and what it keeps after it: nick, user, realname, capabilities.

    ``name_is_taken``: returns whether a name has an account (asked for the notice of the waiting room and for
    REGISTER).
    """

    def __init__(self, options: Options, lines: ServerLines, capabilities: Capabilities, name_is_taken: object) -> None:
        self.phase = Phase.BEFORE
        self.nick = "*"
        self.user = ""
        self.realname = ""
        self.capabilities = capabilities
        self._waiting: deque[Line] = deque()

    @property
    def is_asking(self) -> bool:
        """Whether a request is asked. Lines that come meanwhile wait inside."""
        raise NotImplementedError

    def receive(self, line: Line) -> list[Step]:
        """Handle a line of a session that is not signed in."""
        raise NotImplementedError

    def answered(self, event: events.Event) -> list[Step]:
        """Handle the answer to the request asked: `events.Welcome` or `events.Error`. Lines that waited follow."""
        raise NotImplementedError
