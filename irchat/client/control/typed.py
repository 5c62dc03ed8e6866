"""Parse a typed line in the context of the open chat, and show its usage while it is typed."""

from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

import msgspec

from irchat.commands import AS_MESSAGE, Command, Registry, check_feature
from irchat.commands.full_screen import SCREEN
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import FEATURES, GLOBAL_NAME, PAGE_MAX, clean_text

# Minimum number of messages to load when a command opens a chat.
_PAGE = 100


class NoTarget(Refusal):
    """The line is a message, but no chat is open to send it to."""

    def __init__(self) -> None:
        super().__init__(Code.NO_SUCH_CHAT, "Choose a chat first (Ctrl-K).")


class Understood(NamedTuple):
    """A typed line, parsed: the request to make, and the command that was used.

    ``request`` is None if the user must enter passwords first. ``command`` is `Command` itself if the line is sent as
    text without being parsed.
    """

    request: requests.Request | None
    command: type[Command] = Command


class Hint(NamedTuple):
    """The text shown while a line is typed. ``wrong``: it is an error that typing more cannot correct."""

    text: str
    wrong: bool = False


BETWEEN_USAGES = "  ·  "


def understand(
    line: str, here: str | None, language: Registry = SCREEN, features: Collection[str] = FEATURES
) -> Understood:
    """Parse ``line``, typed in the chat ``here``, for a server with ``features``.

    Raises Refusal, or NoTarget for a text without a chat.
    """
    stripped = line.strip()
    if (moderation := language.for_admins(stripped)) is not None:  # only the server knows the user's rights
        return Understood(requests.Line(line=stripped), moderation)
    try:
        typed = language.find(stripped)
        check_feature(typed.command, features)
        request = None if typed.command.asks_password else typed.read(here)
    except Refusal as refusal:
        raise Refusal(refusal.code, advise(refusal.text, stripped, here, language), refusal.usage) from None
    if typed.to_open_chat:
        sendable(here)
    if isinstance(request, requests.History):
        limit = min(PAGE_MAX, max(request.limit, _PAGE))
        request = msgspec.structs.replace(request, unread=False, mark_read=False, limit=limit)
    elif isinstance(request, requests.EndListed):  # only the server knows which list it has shown
        request = requests.Line(line=stripped)
    elif isinstance(request, requests.Send | requests.Amend | requests.AmendLast) and request.text is not None:
        request = msgspec.structs.replace(request, text=clean_text(request.text))
    return Understood(request, typed.command)


def sendable(here: str | None) -> str:
    """Return ``here``, the chat that a text is sent to. Raises NoTarget if it is None."""
    if here is None:
        raise NoTarget
    return here


def advise(trouble: str, line: str, here: str | None, language: Registry = SCREEN) -> str:
    """Return ``trouble``. If it shows how to send ``line`` to everyone, show how to send it to ``here`` instead."""
    if not trouble.endswith(AS_MESSAGE) or here in (None, "", GLOBAL_NAME):
        return trouble
    trouble = trouble.removesuffix(AS_MESSAGE)
    with suppress(Refusal):
        # Refused, for example, if the line has an arrow, which creates a group.
        if not language.find(f"{here} {line}").command.in_text:
            return f"{trouble} To say it here, type {here} before it."
    return trouble


def hint(line: str, language: Registry = SCREEN) -> Hint | None:
    """Return the usage of the command being typed, or None for plain text.

    An administrators' command is shown only when its name is complete.
    """
    stripped = line.strip()
    if not stripped or "\n" in stripped:
        return None
    moderation = language.for_admins(stripped)
    begun = language.begun(line)
    shown = [command for command in begun if not command.for_admins or command is moderation]
    usages = _explained(shown[0]) if len(shown) == 1 else BETWEEN_USAGES.join(command.usage for command in shown)
    try:
        typed = language.find(stripped, is_admin=moderation is not None)
        if not typed.command.asks_password:
            typed.read()
    except Refusal as refusal:
        if begun and refusal.code == Code.BAD_REQUEST:
            return Hint(usages) if shown else None
        return Hint(moderation.usage if moderation else _trouble(refusal), wrong=True)
    if typed.command.prefix and typed.command in begun:
        return Hint(_explained(typed.command))
    return Hint(usages) if shown else None


def in_a_row(usage: str) -> str:
    """Join usages, which an error reply has one per line, into one line."""
    return BETWEEN_USAGES.join(usage.split("\n"))


def _explained(command: type[Command]) -> str:
    return f"{command.usage}   {command.meaning}"


def _trouble(refusal: Refusal) -> str:
    """Return the usages for an invalid line, or the error text if only one of its values is invalid."""
    if refusal.code == Code.BAD_REQUEST and refusal.usage:
        return in_a_row(refusal.usage)
    return refusal.text.removesuffix(AS_MESSAGE)
