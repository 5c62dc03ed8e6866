"""The burst: the lines after the sign-in, with the chats of the session and the messages that it has missed."""

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.irc.registration.steps import SignedIn
from irchat.protocol.errors import Code, Refusal
from irchat.server.protocols.irc.chats.channels import chats_of, join_lines
from irchat.server.protocols.irc.entering.welcome_lines import welcome_lines
from irchat.server.protocols.irc.talk import markers, replay

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

_log = Logger()


def begin(protocol: "IRCProtocol", step: SignedIn) -> None:
    """Send the burst. The lines of the client, and events, wait until it is sent."""
    protocol.session.outbox.put(b"" if step.was_waiting else welcome_lines(protocol))
    protocol.introduce(is_first=False)
    protocol.state.times = protocol.shared.idle_times.begin(protocol.user.id)
    protocol.hold_lines(True)
    protocol.talk.choose_encoding()
    Deferred.fromCoroutine(_burst(protocol, step)).addErrback(_failed, protocol)


async def _burst(protocol: "IRCProtocol", step: SignedIn) -> None:
    put = protocol.session.outbox.put
    read = await markers.of_chats(protocol, [chat.key for chat in chats_of(protocol)])
    # Memory is read now, after all waiting: what changes from here on comes as events.
    protocol.missed_members.forget()
    for chat in chats_of(protocol):
        put(join_lines(protocol, chat, read.get(chat.key, b"")))
    await replay.play(protocol, step.welcome)
    protocol.session.release()
    protocol.hold_lines(False)


def _failed(failure: Failure, protocol: "IRCProtocol") -> None:
    """End the session: the client signs in again, and gets the missed messages."""
    error = failure.value
    if not isinstance(error, Refusal):
        _log.failure("the sign-in of an IRC session failed", failure)
    elif error.code == Code.NOT_LOGGED_IN:  # it has ended meanwhile
        return
    protocol.session.end("the server cannot read its data now; connect again")
