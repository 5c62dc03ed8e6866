"""MONITOR: the users whose presence a session follows, also without a common chat."""

from collections.abc import Iterable

from irchat.irc.isupport import MONITOR_MOST
from irchat.irc.numerics import Numeric
from irchat.irc.reply_lines import monitor_lines, monitor_list
from irchat.irc.targets import target_key
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.chats.channels import LINES_OF_MS
from irchat.server.protocols.irc.people.monitored import stop_watching
from irchat.server.protocols.irc.people.whois import online_person


def monitor(call: Call) -> None:
    """``MONITOR + bob,carol``, ``- bob``, ``C``, ``L``, ``S``."""
    call.in_turn(lambda: _monitor(call))


def _monitor(call: Call) -> bytes:
    protocol = call.protocol
    watched, watchers = protocol.state.watched, protocol.shared.watchers
    names = [name for name in call.line.param(1).split(",") if name]
    match call.params[0].upper():
        case "+":
            return _add(call, names)
        case "-":
            for name in names:
                if watched.pop(target_key(name), None) is not None:
                    watchers.remove(target_key(name), protocol)
        case "C":
            stop_watching(protocol)
        case "L":
            return monitor_list(protocol.lines, protocol.nick, watched.values())
        case "S":
            return _states(call, watched.values())
    return b""


def _add(call: Call, names: list[str]) -> bytes:
    protocol = call.protocol
    watched = protocol.state.watched
    for index, name in enumerate(names):
        key = target_key(name)
        if key not in watched and len(watched) >= MONITOR_MOST:
            over = ",".join(names[index:])
            full = protocol.lines.numeric(Numeric.ERR_MONLISTFULL, protocol.nick, str(MONITOR_MOST), over)
            return _states(call, names[:index]) + full
        watched[key] = name
        protocol.shared.watchers.add(key, protocol)
    return _states(call, names)


def _states(call: Call, names: Iterable[str]) -> bytes:
    people = {name: online_person(call, name) for name in names}
    call.protocol.session.charge(len(people) / LINES_OF_MS)
    told = call.protocol.state.told_online
    told.update((target_key(name), person is not None) for name, person in people.items())
    online = [person for person in people.values() if person is not None]
    offline = [name for name, person in people.items() if person is None]
    return monitor_lines(call.protocol.lines, call.protocol.nick, online, offline)


HANDLERS = {"MONITOR": monitor}
