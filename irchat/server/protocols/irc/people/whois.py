"""WHOIS, WHOWAS, ISON and USERHOST."""

from irchat.irc.numerics import Numeric
from irchat.irc.reply_lines import Person, ison_line, userhost_line, whois_lines
from irchat.irc.targets import NICKSERV, SERVICE, service_of
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.chats.channels import LINES_OF_MS
from irchat.server.protocols.irc.irc_shared import OFFLINE

_NAMES_MOST = 100
_USERHOST_MOST = 5


def whois(call: Call) -> None:
    """``WHOIS [server] bob``: the groups that both share, how long bob said nothing here, and no address."""
    # Of two parameters the first names a server.
    name = call.params[1] if len(call.params) > 1 else call.params[0]
    call.in_turn(lambda: _whois(call, name.split(",")[0]))


def _whois(call: Call, name: str) -> bytes:
    protocol = call.protocol
    lines, nick, shared = protocol.lines, protocol.nick, protocol.shared
    if (service := service_of(name)) is not None:
        return whois_lines(lines, nick, service_person(service), (), shared.network)
    user = shared.find_user(name)
    if user is None:
        return lines.numeric(Numeric.ERR_NOSUCHNICK, nick, name or "*") + lines.numeric(
            Numeric.RPL_ENDOFWHOIS, nick, name or "*"
        )
    channels = [
        f"{'@' if group.owner is user else ''}#{group.name}"
        for group_id, group in user.groups.items()
        if group_id in protocol.user.groups
    ]
    protocol.session.charge((len(user.groups) / 10 + len(channels)) / LINES_OF_MS)
    # A block hides when the other user writes.
    idle = None if user.id in protocol.user.hidden else shared.idle_times.of(user.id)
    return whois_lines(lines, nick, shared.person(user), channels, shared.network, idle)


def service_person(service: str) -> Person:
    """Return a service as a user."""
    says = {SERVICE: "takes commands of IRChat: send it !help", NICKSERV: "signs you in: send it HELP"}
    return Person(service, "irchat", says[service])


def whowas(call: Call) -> None:
    """Nobody's nick was ever another's."""
    protocol, name = call.protocol, call.params[0]
    numeric = protocol.lines.numeric
    call.say(
        numeric(Numeric.ERR_WASNOSUCHNICK, protocol.nick, name) + numeric(Numeric.RPL_ENDOFWHOWAS, protocol.nick, name)
    )


def online_person(call: Call, name: str) -> Person | None:
    """Return the user or service called ``name`` if it is online, else None."""
    if (service := service_of(name)) is not None:
        return service_person(service)
    user = call.protocol.shared.find_user(name)
    if user is None:
        return None
    person = call.protocol.shared.person(user)
    return None if person.away == OFFLINE else person


def ison(call: Call) -> None:
    """``ISON bob carol``: those online."""

    def answer() -> bytes:
        names = [name for param in call.params for name in param.split()][:_NAMES_MOST]
        call.protocol.session.charge(len(names) / LINES_OF_MS)
        online = [person.nick for name in names if (person := online_person(call, name)) is not None]
        return ison_line(call.protocol.lines, call.protocol.nick, online)

    call.in_turn(answer)


def userhost(call: Call) -> None:
    """``USERHOST bob``: whether they are away."""

    def answer() -> bytes:
        people = [online_person(call, name) for name in call.params[:_USERHOST_MOST]]
        return userhost_line(call.protocol.lines, call.protocol.nick, [one for one in people if one is not None])

    call.in_turn(answer)


HANDLERS = {"WHOIS": whois, "WHOWAS": whowas, "ISON": ison, "USERHOST": userhost}
