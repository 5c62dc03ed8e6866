"""Completion: what the word at the end of a line may become, by the place where it stands."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from irchat.client.view.state import View
from irchat.rules import GLOBAL_NAME


class Completion(NamedTuple):
    """Words for what stands from ``start`` to the end of the line, and what to type after the one that is chosen."""

    start: int
    words: list[str]
    after: str


def complete(line: str, view: View) -> Completion | None:
    """What may stand for the last word of ``line``; None where nothing is known."""
    for pattern, words, after in _PLACES:
        if match := pattern.fullmatch(line):
            begun = match["word"].casefold()
            found = sorted({word for word in words(view) if word.casefold().startswith(begun)}, key=str.casefold)
            return Completion(match.start("word"), found, after) if found else None
    return None


def common_beginning(words: list[str]) -> str:
    """The longest beginning that all ``words`` have, whatever their case, as the first one is spelled."""
    first = words[0]
    length = len(first)
    for word in words[1:]:
        while not word.casefold().startswith(first[:length].casefold()):
            length -= 1
    return first[:length]


def _users(view: View) -> Iterable[str]:
    return (name for name in view.known if name != view.me)


def _groups(view: View) -> Iterable[str]:
    return (name.removeprefix("*") for name in view.chats if name.startswith("*"))


def _users_and_groups(view: View) -> Iterable[str]:
    return [*_users(view), *_groups(view)]


def _chats(view: View) -> Iterable[str]:
    return [GLOBAL_NAME, *view.chats, *(f"@{name}" for name in _users(view))]


def _members(view: View) -> Iterable[str]:
    return [*_users(view), view.me]


def _words(*words: str) -> Callable[[View], Iterable[str]]:
    return lambda _: words


_PLACES: list[tuple["re.Pattern[str]", Callable[[View], Iterable[str]], str]] = [
    (re.compile(r"@\s*(?P<word>\S*)"), _users, " "),
    (re.compile(r"\*[0-9]+@\s*(?P<word>\S*)"), _users, " "),
    (re.compile(r"\*[0-9]+\*(?P<word>\S*)"), _groups, " "),
    (re.compile(r"\*(?:[^\s,]+\s*,\s*)+(?P<word>[^\s,]*)"), _users, ""),
    (re.compile(r"\*[^\s]+\s+->\s*(?P<word>\S*)"), _words(), ""),
    (re.compile(r"\*(?P<word>[^\s,*@]*)"), _users_and_groups, " "),
    (re.compile(r"\+\s*\S+\s+(?P<word>\S*)"), _groups, ""),
    (re.compile(r"-\s*\S+\s+(?P<word>\S*)"), _groups, ""),
    (re.compile(r"\+\s*(?P<word>\S*)"), _users_and_groups, " "),
    (re.compile(r"-\s*(?P<word>\S*)"), lambda view: [*_members(view), *_groups(view)], " "),
    (re.compile(r"~\s*(?P<word>\S*)"), _users, ""),
    (re.compile(r"ls\s+(?:-n\s+)?(?P<word>[^\s?-]\S*|)"), _chats, " "),
    (re.compile(r"(?P<word>!\S*)"), _words("!help", "!password"), ""),
    (re.compile(r"exit\s+(?P<word>\S*)"), _words("--forget"), ""),
    (re.compile(r"(?:.*\s)?@?(?P<word>[^\s@]+)", re.DOTALL), _users, " "),
]
