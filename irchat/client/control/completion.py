"""Completion of the last word of a line, from the places that the commands declare."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from irchat.client.view.screen_state import ScreenState
from irchat.commands import Registry
from irchat.commands.full_screen import SCREEN
from irchat.commands.registry import offered
from irchat.commands.syntax import NameKind, OpenWord
from irchat.protocol.rules import GLOBAL_NAME
from irchat.text.cells import graphemes
from irchat.text.names import best, fold_part, name_key


class Completion(NamedTuple):
    """The words that may replace the line from ``start`` on, and the text to append to the chosen one."""

    start: int
    words: list[str]
    after: str


def complete(line: str, view: ScreenState, language: Registry = SCREEN) -> Completion | None:
    """Return the completions of the last word of ``line``, or None if its place has none."""
    places = offered(language, view.features).open_words(line)
    if not places:
        return None
    start = places[0].start + len(line) - len(line.lstrip())
    typed = line[start:]
    words = sorted({word for place in places for word in _words(place, view)}, key=name_key)
    found = best(typed, words, str)
    begun = [word for word in found if name_key(word).startswith(fold_part(typed))]
    # Parts of names complete only in places for names: in a text, any word would match.
    found = begun or ([] if places[0].names is NameKind.MENTIONED else found)
    return Completion(start, found, max(place.after for place in places)) if found else None


def common_beginning(words: list[str]) -> str:
    """Return the longest common prefix of ``words``, compared as names, in the spelling of the first."""
    common = ""
    for grapheme in graphemes(words[0]):
        longer = common + grapheme
        if not all(name_key(word).startswith(fold_part(longer)) for word in words[1:]):
            break
        common = longer
    return common


def _words(place: OpenWord, view: ScreenState) -> Iterable[str]:
    return (place.word,) if place.names is NameKind.WORD else _NAMES[place.names](view)


def _users(view: ScreenState) -> list[str]:
    return [name for name in view.known if name != view.me]


_NAMES: dict[NameKind, Callable[[ScreenState], Iterable[str]]] = {
    NameKind.USERS: _users,
    NameKind.MEMBERS: lambda view: [*_users(view), view.me],
    NameKind.GROUPS: lambda view: (chat.name.removeprefix("*") for chat in view.chats.values() if chat.is_group),
    NameKind.CHATS: lambda view: [GLOBAL_NAME, *view.chats, *(f"@{name}" for name in _users(view))],
    NameKind.MENTIONED: _users,
}
