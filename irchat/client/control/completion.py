"""Completion: what the word at the end of a line may become, by the place where it stands."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from irchat.client.view.screen_state import ScreenState
from irchat.protocol.rules import GLOBAL_NAME
from irchat.text.cells import graphemes
from irchat.text.names import best, fold_part, name_key


class Completion(NamedTuple):
    """Words for what stands from ``start`` to the end of the line, and what to type after the one that is chosen."""

    start: int
    words: list[str]
    after: str


def complete(line: str, view: ScreenState) -> Completion | None:
    """What may stand for the last word of ``line``; None where nothing is known."""
    for pattern, words, after in _PLACES:
        if match := pattern.fullmatch(line):
            by_name = sorted(set(words(view)), key=name_key)
            found = best(match["word"], by_name, str)
            begun = [word for word in found if name_key(word).startswith(fold_part(match["word"]))]
            # A part of a name is completed where only a name can stand: in a text it would be any word.
            found = begun or ([] if pattern is _IN_A_TEXT else found)
            return Completion(match.start("word"), found, after) if found else None
    return None


def common_beginning(words: list[str]) -> str:
    """The longest beginning that all ``words`` have, compared as names are, as the first one is spelled."""
    common = ""
    for grapheme in graphemes(words[0]):
        longer = common + grapheme
        if not all(name_key(word).startswith(fold_part(longer)) for word in words[1:]):
            break
        common = longer
    return common


def _users(view: ScreenState) -> Iterable[str]:
    return (name for name in view.known if name != view.me)


def _groups(view: ScreenState) -> Iterable[str]:
    return (name.removeprefix("*") for name in view.chats if name.startswith("*"))


def _users_and_groups(view: ScreenState) -> Iterable[str]:
    return [*_users(view), *_groups(view)]


def _chats(view: ScreenState) -> Iterable[str]:
    return [GLOBAL_NAME, *view.chats, *(f"@{name}" for name in _users(view))]


def _members(view: ScreenState) -> Iterable[str]:
    return [*_users(view), view.me]


def _words(*words: str) -> Callable[[ScreenState], Iterable[str]]:
    return lambda _: words


_IN_A_TEXT = re.compile(r"(?:.*\s)?@?(?P<word>[^\s@]+)", re.DOTALL)
_PLACES: list[tuple["re.Pattern[str]", Callable[[ScreenState], Iterable[str]], str]] = [
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
    (_IN_A_TEXT, _users, " "),
]
