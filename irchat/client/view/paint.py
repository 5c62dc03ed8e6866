"""Colours for names, and times in human-readable form."""

import zlib
from datetime import datetime, tzinfo

from irchat.text.names import name_key

# Each colour has a contrast of at least 3.7 to both black and white.
NAME_COLOURS = (
    "#d75f5f", "#d75f00", "#af5f00", "#878700", "#5f8700", "#008700",
    "#00875f", "#008787", "#0087af", "#5f87af", "#5f5fff", "#875fd7",
    "#af5fd7", "#af5faf", "#d700af", "#ff005f",
)  # fmt: skip

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def name_style(name: str) -> str:
    """Return the style of a user's name. It is the same for each spelling of the name."""
    return f"class:name{zlib.crc32(name_key(name).encode()) % len(NAME_COLOURS)}"


def left(seconds: float) -> str:
    """Return the remaining time of a timed message in at most seven characters: ``28s``, ``12m05s``, ``6d23h``."""
    whole = max(0, -int(-seconds // 1))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 2 * _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR}h"


def local_time(at: str, zone: tzinfo | None) -> datetime | None:
    """Convert a wire time to ``zone``, or to the local time zone if that is None. Return None for an invalid time."""
    try:
        return datetime.fromisoformat(at).astimezone(zone)
    except (ValueError, OverflowError):
        return None
