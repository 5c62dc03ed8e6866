"""The colours of the screen, all readable on black and on white."""

from prompt_toolkit.styles import Style

from irchat.client.view.paint import NAME_COLOURS

_GREY = "#767676"
_RED = "#d70000"
_ORANGE = "#af5f00"
_GREEN = "#008700"

STYLE = Style.from_dict(
    {
        **{f"name{number}": f"{colour} bold" for number, colour in enumerate(NAME_COLOURS)},
        "own-name": "bold",
        "own-bar": "bold",
        "bar": _GREY,
        "time": _GREY,
        "pending": f"{_GREY} italic",
        "timed": f"{_ORANGE} bold",
        "place": "bold",
        "hit": f"{_ORANGE} bold underline",
        "day": _GREY,
        "unread-line": f"{_RED} bold",
        "link": "underline",
        "mention": f"{_ORANGE} bold",
        "muted": _GREY,
        "quote": _GREY,
        "marks": _GREY,
        "edited": _GREY,
        "note": _GREY,
        "error": _RED,
        "marked": "reverse",
        "chosen": "reverse",
        "choice": "bold",
        "unread": f"{_RED} bold",
        "has-unread": "bold",
        "open": "reverse",
        "key": _GREY,
        "online": _GREEN,
        "side-title": f"{_GREY} underline",
        "header": "underline",
        "title": "bold",
        "detail": _GREY,
        "status": "reverse",
        "hint": "reverse",
        "wrong": f"reverse bold {_RED}",
        "prompt": "bold",
        "edge": _GREY,
    }
)
