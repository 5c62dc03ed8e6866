"""The commands of NickServ, as requests."""

from typing import NamedTuple

from irchat.irc.irc_lines import Line
from irchat.irc.targets import NICKSERV
from irchat.protocol import requests

HELP = (
    "REGISTER <password> creates the account with your nick. At least 8 bytes.",
    "IDENTIFY [<name>] <password> signs in.",
    "PASSWORD <old> <new> changes your password.",
)


class Misused(NamedTuple):
    """Words that NickServ does not understand, and its answer."""

    answer: tuple[str, ...]


def read(text: str, nick: str) -> "requests.Register | requests.Login | requests.Password | Misused":
    """Return the request that ``text``, said to NickServ by ``nick``, makes, or an answer."""
    word, *words = [one for one in text.split(" ") if one] or ["HELP"]
    match word.upper(), words:
        case "REGISTER", [password, *_]:
            return requests.Register(name=nick, password=password)
        case "IDENTIFY", [password]:
            return requests.Login(name=nick, password=password)
        case "IDENTIFY", [name, password]:
            return requests.Login(name=name, password=password)
        case "PASSWORD", [old, new]:
            return requests.Password(old=old, new=new)
        case "HELP", _:
            return Misused(HELP)
        case ("REGISTER" | "IDENTIFY" | "PASSWORD") as known, _:
            return Misused((next(line for line in HELP if line.startswith(known)),))
    return Misused(("Unknown command.", *HELP))


def as_message(line: Line) -> Line:
    """Return a line ``NICKSERV words`` or ``NS words``, which some clients send, as a message to NickServ."""
    return line._replace(command="PRIVMSG", params=[NICKSERV, " ".join(line.params)])
