"""Replies about users and chats, built from plain values: NAMES, WHO, WHOX, WHOIS, MONITOR, ISON, USERHOST."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from irchat.irc.numerics import Numeric, ServerLines
from irchat.irc.targets import HOST, prefix

_NO_ADDRESS = "255.255.255.255"
_WHOX = re.compile(r"[^%]*%([A-Za-z]*)(?:,([^ ]{1,3}))?.*", re.DOTALL)
# The order of the fields in a reply, whatever the client's.
_WHOX_ORDER = "tcuihsnfdlaor"


class Person(NamedTuple):
    """A user as IRC shows it.

    ``account``: '' if none is claimed. ``away``: the away text, or None. ``owner``: has ``@`` in the chat in question.
    """

    nick: str
    user: str
    realname: str
    account: str = ""
    away: str | None = None
    bot: bool = False
    owner: bool = False

    @property
    def prefix(self) -> str:
        """The source of the lines of the user."""
        return prefix(self.nick, self.user)


def _runs(words: Iterable[str], most: int, between: str = " ") -> Iterator[str]:
    """Join words to runs of at most ``most`` bytes."""
    run: list[str] = []
    size = 0
    for word in words:
        length = len(word.encode()) + 1
        if run and size + length > most:
            yield between.join(run)
            run, size = [], 0
        run.append(word)
        size += length
    if run:
        yield between.join(run)


_RUN_BYTES = 400


def names_lines(lines: ServerLines, nick: str, channel: str, words: Iterable[str]) -> bytes:
    """Return ``353`` and ``366``. ``words``: the nicks, or full prefixes, each with ``@`` before that of an owner."""
    replies = [lines.numeric(Numeric.RPL_NAMREPLY, nick, "=", channel, text=run) for run in _runs(words, _RUN_BYTES)]
    return b"".join([*replies, lines.numeric(Numeric.RPL_ENDOFNAMES, nick, channel)])


def _flags(person: Person) -> str:
    away = "H" if person.away is None else "G"
    return f"{away}{'@' if person.owner else ''}{'B' if person.bot else ''}"


def who_line(lines: ServerLines, nick: str, channel: str, person: Person) -> bytes:
    """Return ``352``. ``channel`` is ``*`` for none."""
    return lines.numeric(
        Numeric.RPL_WHOREPLY,
        nick,
        channel,
        person.user,
        HOST,
        lines.name,
        person.nick,
        _flags(person),
        text=f"0 {person.realname}",
    )


class Whox(NamedTuple):
    """The wanted fields of WHOX: ``%tcuhnfdar,743``."""

    fields: str
    token: str


def parse_whox(parameter: str) -> Whox | None:
    """Return the WHOX fields in the second parameter of WHO, or None if it is a plain WHO."""
    found = _WHOX.fullmatch(parameter)
    if found is None:
        return None
    wanted = found[1].lower()
    return Whox("".join(field for field in _WHOX_ORDER if field in wanted), found[2] or "0")


_WHOX_WORDS: dict[str, Callable[[ServerLines, str, Person, Whox], str]] = {
    "t": lambda lines, channel, person, whox: whox.token,
    "c": lambda lines, channel, person, whox: channel,
    "u": lambda lines, channel, person, whox: person.user,
    "i": lambda lines, channel, person, whox: _NO_ADDRESS,
    "h": lambda lines, channel, person, whox: HOST,
    "s": lambda lines, channel, person, whox: lines.name,
    "n": lambda lines, channel, person, whox: person.nick,
    "f": lambda lines, channel, person, whox: _flags(person),
    "d": lambda lines, channel, person, whox: "0",
    "l": lambda lines, channel, person, whox: "0",
    "a": lambda lines, channel, person, whox: person.account or "0",
    "o": lambda lines, channel, person, whox: "n/a",
}


def whox_line(lines: ServerLines, nick: str, channel: str, person: Person, whox: Whox) -> bytes:
    """Return ``354``. ``channel`` is ``*`` for none."""
    words = [_WHOX_WORDS[field](lines, channel, person, whox) for field in whox.fields if field != "r"]
    return lines.numeric(Numeric.RPL_WHOSPCRPL, nick, *words, text=person.realname if "r" in whox.fields else None)


def whois_lines(
    lines: ServerLines,
    nick: str,
    person: Person,
    channels: Iterable[str],
    description: str,
    idle: tuple[int, int] | None = None,
) -> bytes:
    """Return ``311`` to ``318``. ``idle``: seconds idle and the time of sign-in (s), or None if they are unknown.

    ``channels``: the common ones, with ``@`` where the user owns them.
    """
    name = person.nick
    replies = [
        lines.numeric(Numeric.RPL_WHOISUSER, nick, name, person.user, HOST, "*", text=person.realname),
        *(lines.numeric(Numeric.RPL_WHOISCHANNELS, nick, name, text=run) for run in _runs(channels, _RUN_BYTES)),
        lines.numeric(Numeric.RPL_WHOISSERVER, nick, name, lines.name, text=description),
    ]
    if person.away is not None:
        replies.insert(0, lines.numeric(Numeric.RPL_AWAY, nick, name, text=person.away))
    if person.account:
        replies.append(lines.numeric(Numeric.RPL_WHOISACCOUNT, nick, name, person.account))
    if person.bot:
        replies.append(lines.numeric(Numeric.RPL_WHOISBOT, nick, name))
    if idle is not None:
        replies.append(lines.numeric(Numeric.RPL_WHOISIDLE, nick, name, *map(str, idle)))
    return b"".join([*replies, lines.numeric(Numeric.RPL_ENDOFWHOIS, nick, name)])


def monitor_lines(lines: ServerLines, nick: str, online: Iterable[Person], offline: Iterable[str]) -> bytes:
    """Return ``730`` and ``731`` for targets online and offline."""
    sources = (person.prefix for person in online)
    return b"".join(
        [
            *(lines.numeric(Numeric.RPL_MONONLINE, nick, text=run) for run in _runs(sources, _RUN_BYTES, ",")),
            *(lines.numeric(Numeric.RPL_MONOFFLINE, nick, text=run) for run in _runs(offline, _RUN_BYTES, ",")),
        ]
    )


def monitor_list(lines: ServerLines, nick: str, targets: Iterable[str]) -> bytes:
    """Return ``732`` and ``733``."""
    replies = [lines.numeric(Numeric.RPL_MONLIST, nick, text=run) for run in _runs(targets, _RUN_BYTES, ",")]
    return b"".join([*replies, lines.numeric(Numeric.RPL_ENDOFMONLIST, nick)])


def ison_line(lines: ServerLines, nick: str, online: Iterable[str]) -> bytes:
    """Return ``303``, which is one line, as the request was."""
    return lines.numeric(Numeric.RPL_ISON, nick, text=" ".join(online))


def userhost_line(lines: ServerLines, nick: str, people: Iterable[Person]) -> bytes:
    """Return ``302``."""
    words = (f"{person.nick}={'+' if person.away is None else '-'}{person.user}@{HOST}" for person in people)
    return lines.numeric(Numeric.RPL_USERHOST, nick, text=" ".join(words))
