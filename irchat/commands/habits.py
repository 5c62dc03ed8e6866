"""Habits: the forms in which other chats write users, groups and texts, for commands that declare such lines.

A private text after ``/msg bob`` must not go to everyone. Such a line is refused with the right form.
"""

from collections.abc import Callable

from irchat.protocol.rules import GLOBAL_NAME

_GROUP_SIGNS = "#*&"


def split(rest: str) -> tuple[str, str]:
    """Return the first word and the rest. Each may be empty."""
    word, text, *_ = [*rest.split(maxsplit=1), "", ""]
    return word, text


def chat(target: str) -> str:
    """Return a chat in the form used here. ``#team`` is a group, a bare name a user."""
    if is_everyone(target):
        return GLOBAL_NAME
    if is_group(target):
        return f"*{target.lstrip(_GROUP_SIGNS)}"
    return target if target.startswith("@") else f"@{target}"


def is_group(word: str) -> bool:
    """Return whether a word has the sign of a group."""
    return word.startswith(tuple(_GROUP_SIGNS))


def is_everyone(word: str) -> bool:
    """Return whether a word names GLOBAL."""
    return word.lstrip(_GROUP_SIGNS).casefold() == GLOBAL_NAME.casefold()


def group(rest: str) -> str:
    """Return the name of the group in the first word of ``rest``, or an empty string if it is not exactly one."""
    word, _ = split(rest)
    return word.lstrip(_GROUP_SIGNS) if "," not in word else ""


def of_member(usage: str) -> Callable[[str], str]:
    """Return the form of ``/invite bob #team`` and ``/kick #team bob``. A sign distinguishes the group."""

    def form(rest: str) -> str:
        words = rest.split()[:2]
        named = next((group(word) for word in words if is_group(word)), "")
        users = [word.lstrip("@") for word in words if not is_group(word)]
        user = users[0] if len(users) == 1 else ""
        return usage.replace("<user>", user or "<user>").replace("<group_name>", named or "<group_name>")

    return form
