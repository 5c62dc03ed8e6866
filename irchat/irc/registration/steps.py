"""The steps of a registration: the next actions of the server for a session."""

from typing import NamedTuple

from irchat.irc.irc_lines import Line
from irchat.protocol import events, requests


class Options(NamedTuple):
    """The options of the server. Without ``passwords``, a nick is enough to sign in."""

    passwords: bool = True
    registration_open: bool = True


class Say(NamedTuple):
    """Send bytes: lines, with ``label`` if it is not None (then there may be none). See `Batches.labelled`."""

    data: bytes
    label: str | None = None


class Ask(NamedTuple):
    """Ask the core, and pass the answer to `Registration.answered`."""

    request: requests.Register | requests.Login


class EnterWaitingRoom(NamedTuple):
    """Send ``001`` to ``005`` and ``422`` to `Registration.nick`, then the notices ``then``."""

    then: bytes


class SignedIn(NamedTuple):
    """The session is signed in and registered: send the burst (``001`` and the rest unless it ``was_waiting``)."""

    welcome: events.Welcome
    was_waiting: bool


class Close(NamedTuple):
    """Send the last bytes and close the connection. ``reason``: for the log."""

    data: bytes
    reason: str


class PassOn(NamedTuple):
    """A line that the server answers itself: it is allowed in this phase and has enough parameters."""

    line: Line


Step = Say | Ask | EnterWaitingRoom | SignedIn | Close | PassOn
