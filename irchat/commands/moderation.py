"""The commands of administrators. Who is none cannot tell that they are there."""

import re

from irchat.commands.base import Caller, Command, Services
from irchat.protocol import events, requests
from irchat.system.times import end_of


class _Moderate(Command):
    """What an administrator types."""

    prefix = "!"
    for_admins = True


class Kick(_Moderate):
    """``!kick bob``"""

    usage = "!kick <user>"
    meaning = "end the sessions of a user"
    pattern = re.compile(r"!kick\s+(\S+)")
    request = requests.Kick

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Kick:
        return requests.Kick(name=match[1])

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Kick) -> events.Event:
        await services.chat.moderation.kick(request.name, caller.user)
        return events.Ok()


class Ban(_Moderate):
    """``!ban bob 2h30m``"""

    usage = "!ban <user> [<time>]"
    meaning = "keep a user out, for a time (2h30m, or until 2026-12-01T12:00) or for good"
    pattern = re.compile(r"!ban\s+(\S+)(?:\s+(\S+))?")
    request = requests.Ban

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Ban:
        return requests.Ban(name=match[1], end=match[2])

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Ban) -> events.Event:
        until = None if request.end is None else end_of(request.end, services.chat.wall_ms())
        await services.chat.moderation.ban(request.name, until, "", caller.user)
        return events.Ok()


class Unban(_Moderate):
    """``!unban bob``"""

    usage = "!unban <user>"
    meaning = "let a user in again"
    pattern = re.compile(r"!unban\s+(\S+)")
    request = requests.Unban

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Unban:
        return requests.Unban(name=match[1])

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Unban) -> events.Event:
        await services.chat.moderation.unban(request.name, caller.user)
        return events.Ok()
