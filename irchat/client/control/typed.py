"""What a typed line means in the chat that is open: the request that it makes, its usage while it is typed."""

import re
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

import msgspec

from irchat.commands import AS_MESSAGE, REGISTRY
from irchat.commands.messages import TimedToGroup, TimedToUser, ToEveryone
from irchat.commands.moderation import Ban, Kick, Unban
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import GLOBAL_NAME, PAGE_MAX, TIMED_MAX, check_seconds, clean_text


class Local(Enum):
    """What the client does by itself."""

    HELP = "!help"
    PASSWORD = "!password"  # noqa: S105 -- what is typed to change it


class NoTarget(Refusal):
    """A text was typed where there is no chat that it could go to."""

    def __init__(self) -> None:
        super().__init__(Code.NO_SUCH_CHAT, "Choose a chat first (Ctrl-K).")


class Hint(NamedTuple):
    """The usage to show while a line is typed; ``wrong``: the line cannot become right any more."""

    text: str
    wrong: bool = False


TIMED_HERE = "*<time> <message>"
TIMED_HERE_MEANING = "timed, to the open chat"
BETWEEN_USAGES = "  ·  "
FORGET = "exit --forget"

_MODERATION = {command.usage.split()[0]: command for command in (Kick, Ban, Unban)}
_TIMED_HERE = re.compile(r"\*([0-9]+)\s+(.+)", re.DOTALL)
_TIMED_HERE_BEGUN = re.compile(r"\*[0-9]+\s*")
# What could still be typed: with one of these a line that has begun well is right.
_ENDINGS = (
    *("x", " x", "x x", " x x", "@x x", "*x x", "* x", "@ x x", "1* x", "1@x x", "x,x -> x", " -> x", "-> x", "> x"),
    *(word[begun:] for word in ("help", "password") for begun in range(len(word))),
)


def understand(line: str, here: str | None) -> requests.Request | Local:
    """What ``line`` asks for. Raises Refusal, NoTarget where it is a text and ``here`` is None.

    A plain text and ``*30 text`` go to the chat ``here``; all else means what it means everywhere.
    """
    stripped = line.strip()
    for local in Local:
        if stripped == local.value:
            return local
    if stripped == FORGET:
        return requests.Logout(forget=True)
    if timed := _TIMED_HERE.fullmatch(stripped):
        return requests.Send(chat=sendable(here), text=clean_text(timed[2]), expires_in=_seconds(timed[1]))
    if _first_word(stripped) in _MODERATION:  # there is no request for it, and only the server knows who may
        return requests.Line(line=stripped)
    try:
        command, request = REGISTRY.read(line)
    except Refusal as refusal:
        raise Refusal(refusal.code, advise(refusal.text, stripped, here or GLOBAL_NAME), refusal.usage) from None
    if isinstance(request, requests.Send):
        target = sendable(here) if command is ToEveryone else request.chat
        return msgspec.structs.replace(request, chat=target, text=clean_text(request.text))
    if isinstance(request, requests.History):
        return requests.History(chat=request.chat, limit=min(PAGE_MAX, max(request.limit, 100)))
    return request


def sendable(here: str | None) -> str:
    """The chat that a text goes to. Raises NoTarget where there is none."""
    if here is None:
        raise NoTarget
    return here


def advise(trouble: str, line: str, here: str) -> str:
    """``trouble`` with ``line``, where it says how to send that as a message: how to send it to the chat ``here``."""
    if not trouble.endswith(AS_MESSAGE) or here == GLOBAL_NAME:
        return trouble
    trouble = trouble.removesuffix(AS_MESSAGE)
    with suppress(Refusal):
        REGISTRY.read(f"{here} {line}")  # an arrow after the name of a group is to create one, and may be refused
        return f"{trouble} To say it here, type {here} before it."
    return trouble


def hint(line: str) -> Hint | None:
    """The usage of the command that is being typed; None for plain text, and for what may become an administrator's."""
    stripped = line.strip()
    if not stripped or "\n" in stripped:
        return None
    if FORGET.startswith(stripped) and len(stripped) > len("exit"):
        return Hint(f"{FORGET}   leave, and sign in by password the next time")
    if _TIMED_HERE.fullmatch(stripped) or _TIMED_HERE_BEGUN.fullmatch(line):
        return _timed_hint(stripped)
    if moderation := _MODERATION.get(_first_word(stripped)):
        return Hint(f"{moderation.usage}   {moderation.meaning}")
    if stripped != "!" and any(word.startswith(stripped) for word in _MODERATION):
        return None
    try:
        command, _ = REGISTRY.read(line)
    except Refusal as refusal:
        return _begun(line) or Hint(in_a_row(refusal.usage or refusal.text), wrong=True)
    return Hint(f"{command.usage}   {command.meaning}") if command.prefix else None


def in_a_row(usage: str) -> str:
    """The usages of an answer on one line."""
    return BETWEEN_USAGES.join(usage.split("\n"))


def is_timed(request: object) -> bool:
    """Whether a request sends a timed message."""
    return isinstance(request, requests.Send) and request.expires_in is not None


def _first_word(line: str) -> str:
    return line.split(maxsplit=1)[0] if line else ""


def _seconds(digits: str) -> int:
    return check_seconds(int(digits) if len(digits.lstrip("0")) <= len(str(TIMED_MAX)) else 0)


def _timed_hint(line: str) -> Hint:
    digits = re.match(r"\*([0-9]+)", line)
    try:
        _seconds(digits[1] if digits else "0")
    except Refusal as refusal:
        return Hint(refusal.text, wrong=True)
    others = [] if " " in line else [TimedToGroup.usage, TimedToUser.usage]
    return Hint(BETWEEN_USAGES.join([f"{TIMED_HERE}   {TIMED_HERE_MEANING}", *others]))


def _begun(line: str) -> Hint | None:
    """The usages of what ``line`` may become."""
    usages: dict[str, None] = {}
    for ending in _ENDINGS:
        try:
            command, _ = REGISTRY.read(line + ending)
        except Refusal as refusal:
            if refusal.usage == Local.PASSWORD.value:
                usages[Local.PASSWORD.value] = None
        else:
            usages[command.usage] = None
    return Hint(BETWEEN_USAGES.join(usages)) if usages else None
