"""Replies about users and chats, built from plain values: NAMES, WHO, WHOX, WHOIS, MONITOR, ISON, USERHOST."""

from collections.abc import Iterable
from typing import NamedTuple

from irchat.irc.numerics import ServerLines


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


def names_lines(
    lines: ServerLines, nick: str, channel: str, people: Iterable[Person], *, userhost: bool = False
) -> bytes:
    """Return ``353`` and ``366``. ``userhost``: with userhost-in-names."""
    raise NotImplementedError


def who_line(lines: ServerLines, nick: str, channel: str, person: Person) -> bytes:
    """Return ``352``. ``channel`` is ``*`` for none."""
    raise NotImplementedError


class Whox(NamedTuple):
    """The wanted fields of WHOX: ``%tcuhnfdar,743``."""

    fields: str
    token: str


def parse_whox(parameter: str) -> Whox | None:
    """Return the WHOX fields in the second parameter of WHO, or None if it is a plain WHO."""
    raise NotImplementedError


def whox_line(lines: ServerLines, nick: str, channel: str, person: Person, whox: Whox) -> bytes:
    """Return ``354``."""
    raise NotImplementedError


def whois_lines(
    lines: ServerLines,
    nick: str,
    person: Person,
    channels: Iterable[str],
    description: str,
    idle: tuple[int, int] | None = None,
) -> bytes:
    """Return ``311`` to ``318``. ``idle``: seconds idle and the time of sign-in (s), or None if the user is offline.

    ``channels``: the common ones, with ``@`` where the user owns them.
    """
    raise NotImplementedError


def monitor_lines(lines: ServerLines, nick: str, online: Iterable[Person], offline: Iterable[str]) -> bytes:
    """Return ``730`` and ``731`` for targets online and offline."""
    raise NotImplementedError


def monitor_list(lines: ServerLines, nick: str, targets: Iterable[str]) -> bytes:
    """Return ``732`` and ``733``."""
    raise NotImplementedError


def ison_line(lines: ServerLines, nick: str, online: Iterable[str]) -> bytes:
    """Return ``303``."""
    raise NotImplementedError


def userhost_line(lines: ServerLines, nick: str, people: Iterable[Person]) -> bytes:
    """Return ``302``."""
    raise NotImplementedError
