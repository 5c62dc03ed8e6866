"""The commands of NickServ, as requests."""

import re
from collections.abc import Callable
from typing import NamedTuple

from irchat.irc.irc_lines import Line
from irchat.irc.targets import NICKSERV
from irchat.protocol import requests

HELP = (
    "REGISTER <password> creates the account with your nick. At least 8 bytes.",
    "IDENTIFY [<name>] <password> signs in.",
    "PASSWORD <old> <new> changes your password, where neither has a space.",
)
# Many clients send an address with REGISTER. It is kept nowhere.
_WITH_ADDRESS = re.compile(r"(\S+) +\S+@\S+\.\S+")


class Misused(NamedTuple):
    """Words that NickServ does not understand, and its answer."""

    answer: tuple[str, ...]


def read(
    text: str, nick: str, is_taken: Callable[[str], bool]
) -> "requests.Register | requests.Login | requests.Password | Misused":
    """Return the request that ``text``, said to NickServ by ``nick``, makes, or an answer.

    A password may have spaces: of IDENTIFY, the first word is a name if ``is_taken`` says that it has an account.
    """
    word, _, rest = text.strip(" ").partition(" ")
    word, rest = word.upper() or "HELP", rest.strip(" ")
    match word:
        case "REGISTER" if rest:
            with_address = _WITH_ADDRESS.fullmatch(rest)
            return requests.Register(name=nick, password=with_address[1] if with_address else rest)
        case "IDENTIFY" if rest:
            name, _, password = rest.partition(" ")
            if password and is_taken(name):
                return requests.Login(name=name, password=password.lstrip(" "))
            return requests.Login(name=nick, password=rest)
        case "PASSWORD" if len(words := [one for one in rest.split(" ") if one]) == 2:
            return requests.Password(old=words[0], new=words[1])
        case "HELP":
            return Misused(HELP)
        case "REGISTER" | "IDENTIFY" | "PASSWORD":
            return Misused((next(line for line in HELP if line.startswith(word)),))
    return Misused(("Unknown command.", *HELP))


def as_message(line: Line) -> Line:
    """Return a line ``NICKSERV words`` or ``NS words``, which some clients send, as a message to NickServ."""
    return line._replace(command="PRIVMSG", params=[NICKSERV, " ".join(line.params)])
