"""The colours of the screen, all readable on black and on white."""

from collections.abc import Mapping

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from irchat.client.view.rows import NAME_COLOURS

_GREY = "#767676"
_RED = "#d70000"
_ORANGE = "#af5f00"
_GREEN = "#008700"

# Each style, with the names that use it.
_NAMES = {
    "bold": "own-name own-bar place choice has-unread title prompt",
    "reverse": "marked chosen open status hint",
    "underline": "header link",
    _GREY: "bar time day note key detail edge muted quote marks edited",
    f"{_GREY} italic": "pending",
    f"{_GREY} underline": "side-title",
    _GREEN: "online",
    f"{_ORANGE} bold": "timed mention",
    f"{_ORANGE} bold underline": "hit",
    _RED: "error",
    f"{_RED} bold": "unread unread-line",
    f"{_RED} bold reverse": "wrong",
}

STYLE = Style.from_dict(
    {
        **{f"name{number}": f"{colour} bold" for number, colour in enumerate(NAME_COLOURS)},
        **{name: style for style, names in _NAMES.items() for name in names.split()},
    }
)


def colour_depth(environment: Mapping[str, str], colours: bool = True) -> ColorDepth:
    """Return the terminal's colour depth, or monochrome if the user wants no colours (NO_COLOR, or a setting)."""
    term = environment.get("TERM", "")
    if not colours or environment.get("NO_COLOR") or term.startswith(("vt", "dumb")):
        return ColorDepth.DEPTH_1_BIT
    return ColorDepth.DEPTH_4_BIT if term in ("linux", "eterm-color") else ColorDepth.DEPTH_8_BIT
