"""The commands of administrators. They are hidden from other users."""

from irchat.commands.base import Caller, Command, Services
from irchat.commands.syntax import GAP, NameKind, Part, Syntax, name, word
from irchat.protocol import events, requests
from irchat.system.times import end_of

_USER = name("name", NameKind.USERS)


class _Moderate(Command):
    """Base of the commands of administrators."""

    prefix = "!"
    for_admins = True
    may_be_text = False


class Kick(_Moderate):
    """``!kick bob``"""

    usage = "!kick <user>"
    meaning = "end the sessions of a user"
    syntax = Syntax(word("!kick"), GAP, _USER)
    request = requests.Kick

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Kick) -> events.Event:
        await services.chat.moderation.kick(request.name, caller.user)
        return events.Ok()


class Ban(_Moderate):
    """``!ban bob 2h30m``"""

    usage = "!ban <user> [<time>]"
    meaning = "ban a user, for a time (2h30m, or until 2026-12-01T12:00) or permanently"
    syntax = Syntax(word("!ban"), GAP, _USER, Part(r"(?:\s+(?P<end>\S+))?", r"\s*\S*"))
    request = requests.Ban

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Ban) -> events.Event:
        until = None if request.end is None else end_of(request.end, services.chat.wall_ms())
        await services.chat.moderation.ban(request.name, until, "", caller.user)
        return events.Ok()


class Unban(_Moderate):
    """``!unban bob``"""

    usage = "!unban <user>"
    meaning = "lift the ban of a user"
    syntax = Syntax(word("!unban"), GAP, _USER)
    request = requests.Unban

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Unban) -> events.Event:
        await services.chat.moderation.unban(request.name, caller.user)
        return events.Ok()
