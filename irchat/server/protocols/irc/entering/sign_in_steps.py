"""Carry out the steps of a registration (`irchat.irc.registration.registering`)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, assert_never

from irchat.irc.registration.steps import Ask, Close, EnterWaitingRoom, PassOn, Say, SignedIn, Step
from irchat.protocol import events, requests
from irchat.server.protocols.irc.calls import Answer
from irchat.server.protocols.irc.entering.burst import begin
from irchat.server.protocols.irc.entering.welcome_lines import welcome_lines

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


class _SignIn(Answer, eq=False):
    """The context of the request that signs in."""

    protocol: "IRCProtocol"

    def answered(self, event: events.Event) -> bytes:
        take_steps(self.protocol, self.protocol.registration.answered(event))
        self.protocol.take_lines()
        return b""


class _Said(Answer, eq=False):
    """The context of a reply without a request."""

    lines: bytes

    def answered(self, event: events.Event) -> bytes:
        return self.lines


def take_steps(protocol: "IRCProtocol", steps: Iterable[Step], *, in_turn: bool = False) -> None:
    """Carry out ``steps`` in their order. With ``in_turn``, lines wait until all earlier lines are answered."""
    put = protocol.session.outbox.put
    for step in steps:
        match step:
            case Say(data, label):
                lines = protocol.batches.labelled(label, data)
                if in_turn:
                    protocol.session.ask(requests.Ping(), _Said(lines))
                else:
                    put(lines)
            case Ask(request):
                protocol.session.ask(request, _SignIn(protocol))
            case EnterWaitingRoom(then):
                put(welcome_lines(protocol) + then)
            case SignedIn():
                begin(protocol, step)
            case Close(data, reason):
                protocol.last_words = data
                protocol.session.end(reason)
            case PassOn(line):
                protocol.handle(line)
            case _:
                assert_never(step)
