"""The commands that say something."""

import re
from typing import ClassVar

from irchat.commands.base import AS_MESSAGE, Caller, Command, Outcome, Services
from irchat.protocol import requests
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import GLOBAL_NAME, TIMED_MAX, check_seconds

_LONGEST_TIME = len(str(TIMED_MAX))


class _Send(Command):
    """Say something; the forms differ in how they are typed."""

    request = requests.Send
    pipelined = True

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Send) -> Outcome:
        return services.chat.messages.to_send(
            caller.user,
            request.chat,
            request.text,
            expires_in=request.expires_in,
            nonce=request.nonce,
            origin=caller.id,
        )


class ToEveryone(_Send):
    """``Hello World!``"""

    prefix = ""
    usage = "<message>"
    meaning = "say it to everyone; those away read it later"
    pattern = re.compile(r"(.+)", re.DOTALL)

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Send:
        return requests.Send(chat=GLOBAL_NAME, text=match[1])


class Literally(ToEveryone):
    """``\\@ literally``"""

    prefix = "\\"
    usage = "\\<message>"
    meaning = "say it to everyone, whatever it begins with"
    pattern = re.compile(r"\\(.+)", re.DOTALL)


class ToUser(_Send):
    """``@bob hi``"""

    prefix = "@"
    usage = "@ <user> <message>"
    meaning = "say it to one user alone"
    pattern = re.compile(r"@\s*(\S+)\s+(.+)", re.DOTALL)

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Send:
        return requests.Send(chat=f"@{match[1]}", text=match[2])


class ToGroup(_Send):
    """``*team hi``"""

    prefix = "*"
    usage = "*<group_name> <message>"
    meaning = "say it to a group"
    # What has a comma or an arrow after the first word is to create a group, what has a second * or an @ is timed.
    pattern = re.compile(r"\*(?![0-9]+\s)([^\s,*@>]+)\s+(?!\s|->)(.+)", re.DOTALL)

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Send:
        return requests.Send(chat=f"*{match[1]}", text=match[2])


class _Timed(_Send):
    """A timed message."""

    prefix = "*"
    chat_mark: ClassVar[str]

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Send:
        time, name, text = match[1], match["name"], match["text"]
        digits = time.lstrip("0")
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_TIME
        try:
            seconds = check_seconds(int(digits) if is_number else 0)
        except Refusal as refusal:
            raise Refusal(refusal.code, refusal.text + AS_MESSAGE, cls.usage) from None
        return requests.Send(chat=cls.chat_mark + name, text=text, expires_in=seconds)


class TimedToUser(_Timed):
    """``*30@bob hi``"""

    usage = "*<time>@<user> <message>"
    meaning = "timed: erased everywhere after <time> seconds"
    chat_mark = "@"
    pattern = re.compile(r"\*([^\s*@]*)@\s*(?P<name>\S+)\s+(?P<text>.+)", re.DOTALL)


class TimedToGroup(_Timed):
    """``*30*team hi``"""

    usage = "*<time>*<group_name> <message>"
    meaning = "timed, to a group"
    chat_mark = "*"
    pattern = re.compile(r"\*([^\s*@]*)\*(?P<name>\S+)\s+(?P<text>.+)", re.DOTALL)


class TimedToEveryone(_Timed):
    """``*30* hi``"""

    usage = "*<time>* <message>"
    meaning = "timed, to everyone"
    chat_mark = GLOBAL_NAME
    pattern = re.compile(r"\*([^\s*@]*)\*(?P<name>)\s+(?P<text>.+)", re.DOTALL)
