"""Messages to the services: to ``*irchat``, a line of the command language, and to NickServ."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from irchat.commands import REGISTRY, Registry
from irchat.commands.base import AS_MESSAGE, HELP, Command
from irchat.commands.messages import Timed, ToEveryone
from irchat.commands.people import Logout
from irchat.irc.numerics import service_prefix
from irchat.irc.registration import nickserv
from irchat.irc.targets import NICKSERV, SERVICE
from irchat.protocol import events, requests
from irchat.protocol.errors import Refusal
from irchat.rendering.lines import Renderer
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.chats.own_changes import channel_in, own_change

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

_LINES_MOST = 100

_TIMED = (
    "Timed messages are for IRChat clients: an IRC client keeps what you type. Nothing was sent.",
    "Join with irchat, a browser or ssh to send one.",
)
_TO_EVERYONE = (
    "That is no command, and nothing was sent. To say it to everyone, say it in #global. !help lists commands."
)
_EXIT = "Use /quit."
_PASSWORD = f"Use /msg {NICKSERV} PASSWORD <old> <new>"


def _is_elsewhere(command: type[Command]) -> bool:
    """Return whether the lines of a command are refused here."""
    return command.asks_password or issubclass(command, ToEveryone | Timed | Logout)


_HERE = Registry(*(command for command in REGISTRY.commands if not _is_elsewhere(command)))
"""The commands of the manual here."""
_ELSEWHERE = frozenset(command.usage for command in REGISTRY.commands if _is_elsewhere(command))


def say_to(call: Call, service: str, text: str) -> None:
    """Handle a PRIVMSG to a service: `SERVICE` or `NICKSERV` of `irchat.irc.targets`."""
    if service == NICKSERV:
        _to_nickserv(call, text)
    else:
        _to_commands(call, text)


def as_privmsg(call: Call) -> None:
    """``NS words`` and ``NICKSERV words``, which some clients send."""
    _to_nickserv(call, nickserv.as_message(call.line).params[1])


def notices(protocol: "IRCProtocol", service: str, *texts: str) -> bytes:
    """Return lines of text as notices of a service."""
    return protocol.lines.notices(service_prefix(service), protocol.nick, texts)


def _to_nickserv(call: Call, text: str) -> None:
    protocol = call.protocol
    said = nickserv.read(text, protocol.nick, protocol.shared.has_account)
    if isinstance(said, nickserv.Misused):
        call.say(notices(protocol, NICKSERV, *said.answer))
        return
    if not isinstance(said, requests.Password):
        call.say(notices(protocol, NICKSERV, f"You are signed in as {protocol.nick}."))
        return

    def changed(event: events.Event) -> bytes:
        text = event.text if isinstance(event, events.Error) else "Your password is changed."
        return notices(protocol, NICKSERV, text)

    call.ask(said, changed)


def _to_commands(call: Call, text: str) -> None:
    """Run a line of the command language. Its reply arrives as notices."""
    protocol = call.protocol
    text = text.strip()
    try:
        typed = REGISTRY.find(text, protocol.session.is_admin)
        if typed.command.asks_password:
            call.say(notices(protocol, SERVICE, _PASSWORD))
            return
        _, request = REGISTRY.read(text, protocol.session.is_admin)
        if isinstance(request, requests.Help):
            manual = _HERE.manual(request.prefix, protocol.session.is_admin)
            call.say(notices(protocol, SERVICE, *manual.split("\n")))
            return
    except Refusal as refusal:
        usages = [usage for usage in (refusal.usage or "").split("\n") if usage and usage not in _ELSEWHERE]
        call.say(notices(protocol, SERVICE, f"! {_of_here(refusal.text)}", *(f"  usage: {usage}" for usage in usages)))
        return
    if (refused := _refused_here(request, is_plain=issubclass(typed.command, ToEveryone))) is not None:
        call.say(notices(protocol, SERVICE, *refused))
        return
    left = channel_in(protocol, request)

    def answered(event: events.Event) -> bytes:
        changed = own_change(protocol, request, event, left)
        return changed + _shown(protocol, text, event)

    call.ask(requests.Line(line=text), answered)


def _refused_here(request: requests.Request, *, is_plain: bool) -> tuple[str, ...] | None:
    """Return the refusal of a line that belongs elsewhere, or None."""
    if isinstance(request, requests.Logout):
        return (_EXIT,)
    if isinstance(request, requests.Send) and request.expires_in is not None:
        return _TIMED
    return (_TO_EVERYONE,) if is_plain else None


def _of_here(text: str) -> str:
    """Return the text of a refusal without the advice about plain text, which is refused here."""
    return text.replace(AS_MESSAGE, "")


def _shown(protocol: "IRCProtocol", text: str, event: events.Event) -> bytes:
    """Return the answer to a line as notices."""
    if isinstance(event, events.Error):
        event = replace(event, text=_of_here(event.text))
    if isinstance(event, events.History | events.Found):
        event = replace(event, messages=[message for message in event.messages if message.id is None])
    if isinstance(event, events.Sent):
        return notices(protocol, SERVICE, f"-- sent to {event.chat}")
    renderer = Renderer(colour=False, withhold_timed=True, wall_ms=protocol.shared.wall_ms)
    lines = [line.text for line in renderer.lines(event, REGISTRY.answered(text, event))]
    more = []
    if len(lines) > _LINES_MOST:
        more = [f"-- {len(lines) - _LINES_MOST:,} more lines: ask for fewer ({HELP})"]
    return notices(protocol, SERVICE, *lines[:_LINES_MOST], *more)


HANDLERS = {"NS": as_privmsg, "NICKSERV": as_privmsg}
