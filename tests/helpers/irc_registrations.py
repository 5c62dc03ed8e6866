"""The state machine of the registration of an IRC client, with a test case that talks to it."""

import base64
from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import Line, parse
from irchat.irc.numerics import ServerLines
from irchat.irc.registration.capabilities import Capabilities, offered
from irchat.irc.registration.registering import Registration
from irchat.irc.registration.steps import Ask, Close, EnterWaitingRoom, Options, PassOn, Say, SignedIn, Step
from irchat.protocol.errors import Code
from irchat.protocol.events import Error, Event, Welcome


def welcome(name: str) -> Welcome:
    """Return the answer to a sign-in."""
    return Welcome(name=name, new=False, token="", version=1, limits={}, online=[], online_count=1, unread=[])


def error(code: Code, text: str = "No.") -> Error:
    """Return a refusal."""
    return Error(code=code.value, text=text)


def plain(name: str, password: str) -> str:
    """Return the line that signs in by SASL PLAIN."""
    return "AUTHENTICATE " + base64.b64encode(f"\0{name}\0{password}".encode()).decode()


def machine(options: Options = Options()) -> Registration:  # noqa: B008
    """Return a new registration. alice and bob have accounts."""
    lines = ServerLines("irchat")
    caps = Capabilities(offered(registration_open=options.registration_open), lines)
    return Registration(options, lines, caps, lambda name: name.lower() in ("alice", "bob"))


class MachineTestCase(SynchronousTestCase):
    """A registration of a server with ``options``."""

    options = Options()

    def setUp(self) -> None:
        """Begin."""
        self.machine = machine(self.options)

    def send(self, *texts: str) -> list[Step]:
        """Send lines. Return the steps of all of them."""
        return [step for text in texts for step in self.machine.receive(line_of(text))]

    def said(self, steps: Iterable[Step]) -> list[str]:
        """Return the lines in ``steps``, without the source if it is the server. Other steps are their names."""
        lines = []
        for step in steps:
            match step:
                case Say(data) | EnterWaitingRoom(data) | Close(data):
                    if not isinstance(step, Say):
                        lines.append(type(step).__name__)
                    lines += [line.removeprefix(":irchat ") for line in data.decode().split("\r\n") if line]
                case Ask(request):
                    lines.append(f"Ask {request}")
                case PassOn(line):
                    lines.append(f"PassOn {line.command}")
                case SignedIn(welcome, was_waiting):
                    lines.append(f"SignedIn {welcome.name}{' from the waiting room' if was_waiting else ''}")
        return lines

    def answer(self, event: Event) -> list[str]:
        """Answer the request asked. Return what is said."""
        self.assertTrue(self.machine.is_asking)
        return self.said(self.machine.answered(event))

    def wait(self, nick: str = "zoe") -> list[str]:
        """Go to the waiting room."""
        return self.said(self.send(f"NICK {nick}", "USER u 0 * :Real name"))


def line_of(text: str) -> Line:
    """Parse a line."""
    line = parse(text.encode())
    assert line is not None
    return line
