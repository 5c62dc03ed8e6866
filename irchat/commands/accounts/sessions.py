"""The commands about the sessions of a user: ``!sessions``."""

import re

from irchat.commands.base import Caller, Command, Services
from irchat.commands.syntax import GAP, Part, Syntax, word
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal

_SESSIONS = word("!sessions")


class _OwnSessions(Command):
    """Base of these commands."""

    prefix = "!"
    feature = "sessions"
    may_be_text = False


class ListSessions(_OwnSessions):
    """``!sessions``"""

    usage = "!sessions"
    meaning = "list your sessions: where you, and your programs, are signed in"
    syntax = Syntax(_SESSIONS)
    request = requests.Sessions

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Sessions) -> events.Event:
        listed = await services.chat.sign_ins.listed(caller.user, caller.token)
        caller.listed = tuple(session.id for session in listed.sessions)
        return listed


class EndListed(_OwnSessions):
    """``!sessions end 3``"""

    usage = "!sessions end <number>"
    meaning = "end a session by its number in the list"
    syntax = Syntax(_SESSIONS, GAP, word("end"), GAP, Part(r"(?P<number>[0-9]{1,9})", r"[0-9]{0,9}"))
    request = requests.EndListed

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Request:
        return requests.EndListed(number=int(match["number"]))

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.EndListed) -> events.Event:
        if not caller.listed:
            raise Refusal(Code.BAD_REQUEST, "Type !sessions first: it numbers your sessions.")
        if not 1 <= request.number <= len(caller.listed):
            raise Refusal(
                Code.BAD_REQUEST, f"The list has no session {request.number}. !sessions lists your sessions.", cls.usage
            )
        await services.chat.sign_ins.end(caller.user, caller.listed[request.number - 1])
        return events.Ok()


class EndOthers(_OwnSessions):
    """``!sessions end others``"""

    usage = "!sessions end others"
    meaning = "end all your sessions except this one"
    syntax = Syntax(_SESSIONS, GAP, word("end"), GAP, word("others"))
    request = requests.EndSessions
    untyped = {"others": True}

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.EndSessions) -> events.Event:
        if request.others == (request.id is not None):
            raise Refusal(Code.BAD_REQUEST, "Name one session by its id, or set others to true.")
        if request.id is not None:
            await services.chat.sign_ins.end(caller.user, request.id)
        else:
            await services.chat.sign_ins.end_others(caller.user, caller.token, caller.id)
        return events.Ok()
