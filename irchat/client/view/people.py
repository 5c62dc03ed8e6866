"""Paint names of people: the members of a group, and the users who are online."""

from collections.abc import Iterable

from irchat.client.view.details import Roster
from irchat.client.view.rows import Row
from irchat.client.view.screen_state import ScreenState
from irchat.text.cells import cells, fit

_MORE = ", …"


def members_line(roster: Roster, width: int) -> str:
    """Return the number of members, the owner, and as many other names as fit: ``3 members: alice (owner), bob, …``."""
    line = f"{len(roster.names):,} member{'s' * (len(roster.names) != 1)}: {roster.owner} (owner)"
    others = [name for name in roster.names if name != roster.owner]
    for number, name in enumerate(others, 1):
        room = width if number == len(others) else width - cells(_MORE)
        longer = f"{line}, {name}"
        if cells(longer) > room:
            return line + _MORE
        line = longer
    return line


def people(view: ScreenState, width: int, height: int) -> list[Row]:
    """Return ``height`` rows with the members of the open group, those online first, else with the users online."""
    roster = view.here.roster
    rows = _members(view, roster, width, height) if roster.is_known else online(view, width, height)
    return [*rows[:height], *[Row(())] * (height - len(rows))]


def online(view: ScreenState, width: int, height: int) -> list[Row]:
    """Return up to ``height`` rows with the users who are online, without the user."""
    names = [name for name in view.online if name != view.me]
    return [_heading(f"Online {view.online_count:,}", width), *_names(names[: height - 1], "●", width)][:height]


def _members(view: ScreenState, roster: Roster, width: int, height: int) -> list[Row]:
    here = [name for name in roster.names if name in view.online]
    away = [name for name in roster.names if name not in view.online]

    def shown(names: list[str]) -> list[str]:
        return [f"{name} (owner)" if name == roster.owner else name for name in names[:height]]

    heading = _heading(f"Members {len(roster.names):,}", width)
    return [heading, *_names(shown(here), "●", width), *_names(shown(away), " ", width)]


def _heading(text: str, width: int) -> Row:
    return Row((("class:side-title", fit(f" {text}", width)),))


def _names(names: Iterable[str], dot: str, width: int) -> list[Row]:
    return [Row((("class:online", f" {dot} "), ("", fit(name, width - 3)))) for name in names]
