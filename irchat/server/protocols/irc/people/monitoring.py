"""MONITOR: the targets whose coming and going a session is told of, also without a common chat."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from irchat.irc.isupport import MONITOR_MOST
from irchat.irc.numerics import Numeric
from irchat.irc.reply_lines import Person, monitor_lines, monitor_list
from irchat.irc.targets import target_key
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.people.whois import online_person

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


def monitor(call: Call) -> None:
    """``MONITOR + bob,carol``, ``- bob``, ``C``, ``L``, ``S``."""
    call.in_turn(lambda: _monitor(call))


def _monitor(call: Call) -> bytes:
    protocol = call.protocol
    watched = protocol.state.watched
    names = [name for name in call.line.param(1).split(",") if name]
    match call.params[0].upper():
        case "+":
            return _add(call, names)
        case "-":
            for name in names:
                watched.pop(target_key(name), None)
        case "C":
            watched.clear()
        case "L":
            return monitor_list(protocol.lines, protocol.nick, watched.values())
        case "S":
            return _states(call, watched.values())
    return b""


def _add(call: Call, names: list[str]) -> bytes:
    protocol = call.protocol
    watched = protocol.state.watched
    for index, name in enumerate(names):
        if target_key(name) not in watched and len(watched) >= MONITOR_MOST:
            over = ",".join(names[index:])
            full = protocol.lines.numeric(Numeric.ERR_MONLISTFULL, protocol.nick, str(MONITOR_MOST), over)
            return _states(call, names[:index]) + full
        watched[target_key(name)] = name
    return _states(call, names)


def _states(call: Call, names: Iterable[str]) -> bytes:
    people = {name: online_person(call, name) for name in names}
    online = [person for person in people.values() if person is not None]
    offline = [name for name, person in people.items() if person is None]
    return monitor_lines(call.protocol.lines, call.protocol.nick, online, offline)


def watched_changes(protocol: "IRCProtocol", online: Iterable[Person], offline: Iterable[str]) -> bytes:
    """Return the lines for those who came and went, as far as they are watched."""
    watched = protocol.state.watched
    if not watched:
        return b""
    came = [person for person in online if target_key(person.nick) in watched]
    went = [name for name in offline if target_key(name) in watched]
    return monitor_lines(protocol.lines, protocol.nick, came, went)


HANDLERS = {"MONITOR": monitor}
