"""The registry of commands. It reads typed lines, and answers the questions of clients about commands."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from msgspec import structs

from irchat.commands.base import AS_MESSAGE, HELP, Command, Form, wrong_use
from irchat.commands.syntax import OpenWord
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import answered_seq

# A second slash makes it a path, and a blank after the first one a message: /etc/passwd, / hi.
_SLASH_WORD = re.compile(r"/([^\W\d_][\w-]*)(?:\s+(.*))?", re.DOTALL)
_ACTION = re.compile(r"/me .", re.DOTALL)

_ByPrefix = dict[str, list[tuple[Callable[[str], "re.Match[str] | None"], type[Command]]]]


@lru_cache(maxsize=8)
def offered(language: "Registry", features: frozenset[str]) -> "Registry":
    """Return the commands that a server with ``features`` can run, to be offered while a line is typed."""
    known = [command for command in language.commands if not command.feature or command.feature in features]
    return language if len(known) == len(language.commands) else Registry(*known)


class Typed(NamedTuple):
    """A typed line: its command and the match. ``chat``: the chat of a command in a text, such as ``*team #17``."""

    command: type[Command]
    match: "re.Match[str]"
    chat: str | None = None

    @property
    def to_open_chat(self) -> bool:
        """Whether its request is about the chat that is open where it is typed."""
        return self.command.to_open_chat and self.chat is None

    def read(self, here: str | None = None) -> requests.Request:
        """Return the request, with ``here`` as the open chat. Raises Refusal."""
        request = self.command.read(self.match)
        chat = here if self.to_open_chat else self.chat
        return request if chat is None else structs.replace(request, chat=chat)


class Registry:
    """Commands, by prefix for typed lines and by type for requests.

    Those with the same prefix are tried in the order of ``commands``. Those that can be typed need help.
    """

    def __init__(self, *commands: type[Command]) -> None:
        self.commands = commands
        self._for_users: _ByPrefix = {}
        self._for_admins: _ByPrefix = {}
        self._in_text: _ByPrefix = {}
        self._by_request: dict[type[requests.Request], type[Command]] = {}
        self._slash_words: dict[str, Form] = {}
        self._alone: dict[str, str] = {}
        for command in commands:
            self._by_request.setdefault(command.request, command)
            if command.prefix is not None:
                if not (command.usage and command.meaning):
                    raise ValueError(f"{command.__name__} has no help")
                typed = command.syntax.pattern.fullmatch, command
                self._for_admins.setdefault(command.prefix, []).append(typed)
                for_users = self._for_users.setdefault(command.prefix, [])
                if not command.for_admins:
                    for_users.append(typed)
                if command.in_text:
                    self._in_text.setdefault(command.prefix, []).append(typed)
            for words, form in command.slash_words.items():
                self._slash_words.update(dict.fromkeys(words.split(), form))
            for words, line in command.alone.items():
                self._alone.update(dict.fromkeys(words.split(), line))

    def for_request(self, request: requests.Request) -> type[Command]:
        """Return the command that runs ``request``."""
        return self._by_request[type(request)]

    def read(
        self, line: str, is_admin: bool = False, here: str | None = None
    ) -> tuple[type[Command], requests.Request]:
        """Return the command and the request in a typed line, with ``here`` as the open chat.

        Raises Refusal, also for a habit of another chat.
        """
        if (form := self.right_form(line)) is not None:
            raise Refusal(Code.BAD_REQUEST, f"Nothing was sent.{AS_MESSAGE} To do this here, type: {form}")
        typed = self.find(line, is_admin)
        return typed.command, typed.read(here)

    def find(self, line: str, is_admin: bool = False) -> Typed:
        """Return the command of a typed line.

        Raises Refusal with the usage of the commands that the line may be the start of, or else of those with its first
        word, or else of all with its prefix.
        """
        line = line.strip()
        if not line:
            raise Refusal(Code.EMPTY_TEXT, f"The line is empty. Type a message, or {HELP}.")
        prefix = self._prefix(line)
        commands = (self._for_admins if is_admin else self._for_users)[prefix]
        for fullmatch, command in commands:
            if match := fullmatch(line):
                if command.reads_text and match["text"][0] in self._in_text:
                    return self._find_in_text(command, match)
                return Typed(command, match)
        meant = [command for _, command in commands if command.syntax.may_begin(line)]
        meant = meant or [command for _, command in commands if command.syntax.word == line.split(maxsplit=1)[0]]
        raise wrong_use(prefix, "\n".join(command.usage for command in meant or self.entries(prefix, is_admin)))

    def _find_in_text(self, sender: type[Command], match: "re.Match[str]") -> Typed:
        """Return the command that is the text of a message, or ``sender``, which sends it, if the text is none."""
        text = match["text"]
        for fullmatch, command in self._in_text[text[0]]:
            if found := fullmatch(text):
                message = sender.read(match)
                assert isinstance(message, requests.Send)
                return Typed(command, found, message.chat)
        return Typed(sender, match)

    def answered(self, line: str, event: events.Event) -> requests.Request | None:
        """Return the request in a typed line if its answer ``event`` shows differently from an event, else None."""
        shown = isinstance(event, events.History | events.Found | events.Amended)
        return self.read(line)[1] if line and shown else None

    # Help.

    def entries(self, prefix: str | None, is_admin: bool = False) -> list[type[Command]]:
        """Return the commands that can be typed, all or those with one prefix, in the order of the manual."""
        by_prefix = self._for_admins if is_admin else self._for_users
        wanted = by_prefix if prefix is None else [prefix]
        return [command for one in wanted for _, command in by_prefix[one]]

    def manual(self, prefix: str | None, is_admin: bool = False) -> str:
        """Return the manual, or the part on one prefix. Raises Refusal ``bad-request`` for an unknown prefix."""
        if prefix is not None and prefix not in self._for_users:
            known = " ".join(known for known in self._for_users if known)
            raise Refusal(Code.BAD_REQUEST, f"No command starts like that. Use one of: {known}", f"{HELP} [<prefix>]")
        commands = self.entries(prefix, is_admin)
        width = max(len(command.usage) for command in commands)
        return "\n".join(f"{command.usage:{width}}  {command.meaning}" for command in commands)

    # Habits.

    def right_form(self, line: str) -> str | None:
        """Return the line to type here instead of ``line``, or None if ``line`` is not a habit of another chat.

        Words in angle brackets are placeholders for missing arguments. For a slash word that no command declares, the
        line is ``!help``.
        """
        line = line.strip()
        if not line.startswith("/"):
            alone = self._alone.get(line.casefold())
            return None if alone == line else alone
        match = _SLASH_WORD.fullmatch(line)
        if match is None or _ACTION.match(line):
            return None
        form = self._slash_words.get(match[1].casefold(), HELP)
        if not isinstance(form, str):
            form = form((match[2] or "").strip())
        plain = form.removeprefix("\\")
        return plain if plain and not self._prefix(plain) and self.right_form(plain) is None else form

    # Questions of clients while a line is typed.

    def is_secret(self, line: str) -> bool:
        """Return whether ``line``, valid or not, must not be kept in a history, a transcript or a clipboard."""
        line = line.strip()
        return any(command.secret is not None and command.secret.match(line) for command in self._candidates(line))

    def for_admins(self, line: str) -> type[Command] | None:
        """Return the administrators' command whose word starts ``line``, even if the line is invalid."""
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        commands = (command for command in self._candidates(line) if command.for_admins)
        return next((command for command in commands if command.syntax.word == word), None)

    def begun(self, line: str) -> list[type[Command]]:
        """Return the commands of which ``line`` may be the start, including those of administrators."""
        return [command for command, _ in self._begun(line.lstrip())]

    def open_words(self, line: str) -> list[OpenWord]:
        """Return the word at the end of ``line`` that can be completed, for each possible command."""
        line = line.lstrip()
        moderation = self.for_admins(line)
        begun = [one for one in self._begun(line) if not one[0].for_admins or one[0] is moderation]
        places = []
        for command, start in begun or [(command, 0) for command in self.entries("")]:
            if (place := command.syntax.open_word(line[start:])) is not None:
                places.append(place._replace(start=start + place.start))
        return places

    def reference(self, line: str) -> tuple[str | None, int] | None:
        """Return the message to which ``line`` refers at its beginning, or None. The line may be unfinished.

        The result is its chat, None for the open one, and its seq.
        """
        chat, text = None, line.strip()
        for sender in self._candidates(text):
            if sender.reads_text and (match := sender.syntax.pattern.fullmatch(text)):
                message = sender.read(match)
                assert isinstance(message, requests.Send)
                chat, text = message.chat, message.text
                break
        seq = answered_seq(f"{text} ")
        begun = (command.syntax.begun(text).get("seq") for _, command in self._in_text.get(text[:1], ()))
        number = seq or next(filter(None, begun), None)
        return None if number is None else (chat, int(number))

    def _begun(self, line: str) -> list[tuple[type[Command], int]]:
        """Return the commands of which ``line`` may be the start, each with its place in the line."""
        commands = self._candidates(line)
        for sender in commands:
            match = sender.syntax.pattern.fullmatch(line) if sender.reads_text else None
            if match is not None and (text := match["text"])[0] in self._in_text:
                in_text = [command for _, command in self._in_text[text[0]] if command.syntax.may_begin(text)]
                if in_text:
                    return [(command, match.start("text")) for command in in_text]
        return [(command, 0) for command in commands if command.syntax.may_begin(line)]

    def _candidates(self, line: str) -> list[type[Command]]:
        """Return the commands that start like ``line``. Plain text has none."""
        if not line.strip():
            return []
        first = line.split(maxsplit=1)[0]
        prefix = first if first in self._for_admins or line[0].isalnum() else line[0]
        return [command for _, command in self._for_admins.get(prefix, [])]

    def _prefix(self, line: str) -> str:
        first = line.split(maxsplit=1)[0]
        if first in self._for_users and self._means_command(first, line):
            return first
        sign = line[0]
        is_command = sign in self._for_users and not sign.isalnum() and self._means_command(sign, line)
        return sign if is_command else ""

    def _means_command(self, prefix: str, line: str) -> bool:
        """Return whether ``line`` is a command, and not a text such as ``exit strategy`` or ``#hello``."""
        commands = self._for_users[prefix]
        return not commands[0][1].whole_line or any(fullmatch(line) for fullmatch, _ in commands)
