"""The commands that send messages."""

import re
from typing import ClassVar

from irchat.commands import habits
from irchat.commands.base import AS_MESSAGE, HELP, Caller, Command, Outcome, Services
from irchat.commands.syntax import GAP, MAY_GAP, NameKind, Part, Syntax, name, sign, text
from irchat.protocol import requests
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import GLOBAL_NAME, TIMED_MAX, check_seconds

_LONGEST_TIME = len(str(TIMED_MAX))
TIME = Part(r"(?P<time>[^\s*@]*)", "[0-9]*", right=rf"0*[1-9][0-9]{{0,{_LONGEST_TIME - 1}}}")
# An arrow after the name would create a group, a second sign would make the message timed. A number is not a name.
_GROUP = name("name", NameKind.GROUPS, r"[0-9]*[^\s,*@>0-9]", r"[^\s,*@>]")._replace(begun=r"(?P<word>[^\s,*@>]*)")
_NO_ARROW = Part(r"\s+(?!\s|->)", r"\s*")
_LOOKS_TIMED = re.compile(r"\s*\*\d+[*@]")
# Services to which IRC users send passwords.
_SERVICES = frozenset({"nickserv", "chanserv", "authserv"})


class _Send(Command):
    """Base of the commands that send a message: to everyone, or to the chat of a typed name and its ``chat_sign``."""

    request = requests.Send
    pipelined = True
    chat_sign: ClassVar[str] = ""

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Send:
        chat = cls.chat_sign + match["name"] if cls.chat_sign else GLOBAL_NAME
        return requests.Send(chat=chat, text=match["text"])

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Send) -> Outcome:
        sending = services.chat.messages if request.expires_in is None else services.chat.timed_answers
        return sending.to_send(
            caller.user,
            request.chat,
            request.text,
            expires_in=request.expires_in,
            nonce=request.nonce,
            chat_id=request.id,
            origin=caller.id,
        )


class SendNotice(_Send):
    """A message that a program should not answer. It cannot be typed."""

    prefix = None
    request = requests.Notice

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Send) -> Outcome:
        return services.chat.messages.to_send(
            caller.user,
            request.chat,
            request.text,
            expires_in=None,
            nonce=request.nonce,
            chat_id=request.id,
            origin=caller.id,
            is_notice=True,
        )


class Signal(Command):
    """Something for those online in a chat that is stored nowhere. It cannot be typed."""

    request = requests.Signal

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Signal) -> Outcome:
        return services.chat.signals.send(caller.user, request.chat, request.tags, caller.id, request.id)


def _to_everyone(rest: str) -> str:
    """Return the form of ``/say hi``. The registry drops the backslash if the text needs none."""
    return f"\\{rest}" if rest else ToEveryone.usage


def _act(rest: str) -> str:
    """Return the form of ``/ME waves``: an action is a message that starts with ``/me`` in lower case."""
    return f"\\/me {rest or ToEveryone.usage}"


def say(rest: str) -> str:
    """Return the form of ``/msg bob hi``, where ``rest`` is ``bob hi``."""
    target, message = habits.split(rest)
    if target.lstrip("@").casefold() in _SERVICES:
        return HELP
    if not target or "," in target:
        return ToUser.usage
    if habits.is_everyone(target):
        return _to_everyone(message)
    return f"{habits.chat(target)} {message or ToEveryone.usage}"


class ToEveryone(_Send):
    """``Hello World!``"""

    prefix = ""
    usage = "<message>"
    meaning = "say it to everyone; those away read it later"
    syntax = Syntax(text("text"))
    to_open_chat = True
    may_be_text = False
    slash_words = {"say": _to_everyone, "me": _act}


class Literally(ToEveryone):
    """``\\@ literally``"""

    prefix = "\\"
    usage = "\\<message>"
    meaning = "say it to everyone, whatever it begins with"
    syntax = Syntax(sign("\\"), text("text"))
    to_open_chat = False


class ToUser(_Send):
    """``@bob hi``"""

    prefix = "@"
    usage = "@ <user> <message>"
    meaning = "say it to one user alone"
    reads_text = True
    syntax = Syntax(sign("@"), MAY_GAP, name("name", NameKind.USERS), GAP, text("text"))
    chat_sign = "@"
    slash_words = {"msg m w whisper tell dm pm privmsg notice": say}


class ToGroup(_Send):
    """``*team hi``"""

    prefix = "*"
    usage = "*<group_name> <message>"
    meaning = "say it to a group"
    reads_text = True
    syntax = Syntax(sign("*"), _GROUP, _NO_ARROW, text("text"))
    chat_sign = "*"


class Timed(_Send):
    """Base of the timed messages. Refused ones never end, so no line that starts like one is kept."""

    prefix = "*"
    secret = re.compile(r"\*[^\s*@]*[*@]")

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Send:
        digits = match["time"].lstrip("0")
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_TIME
        try:
            seconds = check_seconds(int(digits) if is_number else 0)
        except Refusal as refusal:
            raise Refusal(refusal.code, refusal.text + AS_MESSAGE, cls.usage) from None
        message = super().read(match)
        return requests.Send(chat=message.chat, text=message.text, expires_in=seconds)


def looks_timed(text: str) -> bool:
    """Return whether a text begins like a timed message, whose text must not go where it would stay."""
    return _LOOKS_TIMED.match(text) is not None


class TimedToUser(Timed):
    """``*30@bob hi``"""

    usage = "*<time>@<user> <message>"
    meaning = "timed: erased everywhere after <time> seconds"
    syntax = Syntax(sign("*"), TIME, sign("@"), MAY_GAP, name("name", NameKind.USERS), GAP, text("text"))
    chat_sign = "@"


class TimedToGroup(Timed):
    """``*30*team hi``"""

    usage = "*<time>*<group_name> <message>"
    meaning = "timed, to a group"
    syntax = Syntax(sign("*"), TIME, sign("*"), name("name", NameKind.GROUPS), GAP, text("text"))
    chat_sign = "*"


class TimedToEveryone(Timed):
    """``*30* hi``"""

    usage = "*<time>* <message>"
    meaning = "timed, to everyone"
    syntax = Syntax(sign("*"), TIME, sign("*"), GAP, text("text"))
