"""The commands that read chats, history, search results and users, and move read markers."""

import re

from irchat.commands import habits
from irchat.commands.base import Caller, Command, Outcome, Services, wrong_use
from irchat.commands.groups import Members
from irchat.commands.messages import say
from irchat.commands.syntax import GAP, NameKind, Part, Syntax, name, sign, text, word
from irchat.protocol import requests
from irchat.protocol.rules import PAGE_MAX, USERS_DEFAULT, is_searchable

_LS = word("ls")
_CHAT = name("chat", NameKind.CHATS, r"[^\s?-]")
_COUNT = Part("0*(?P<count>[1-9][0-9]{0,8})", "0*(?:[1-9][0-9]{0,8})?")


def _talk(rest: str) -> str:
    """Return the form of ``/query bob``, which opens a chat or sends a message to it."""
    target, message = habits.split(rest)
    return say(rest) if message or not target else f"ls {habits.chat(target)}"


def _list(rest: str) -> str:
    """Return the form of ``/ls @bob``."""
    return f"ls {rest}".strip()


def _search(rest: str) -> str:
    """Return the form of ``/search lunch``."""
    return f"?{rest}" if rest else Search.usage


def _names(rest: str) -> str:
    """Return the form of ``/names team``."""
    group = habits.group(rest)
    return Members.usage.replace("<group_name>", group) if group and not habits.is_everyone(group) else Users.usage


def _who(rest: str) -> str:
    """Return the form of ``/who``: the members of ``#team``, or the users."""
    return _names(rest) if habits.is_group(rest) else Users.usage


class Chats(Command):
    """``ls``"""

    prefix = "ls"
    usage = "ls"
    meaning = "list your chats, latest first, with unread counts"
    syntax = Syntax(_LS)
    request = requests.Chats
    slash_words = {"list chats channels rooms": usage, "ls": _list}
    alone = {"ls": usage}

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Chats) -> Outcome:
        return services.chat.reading.chats(caller.user)


class _History(Command):
    """Base of the commands that show a page of a chat."""

    prefix = "ls"
    request = requests.History
    opens_chat = True

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.History) -> Outcome:
        return services.chat.reading.history(
            caller.user,
            request.chat,
            before=request.before,
            after=request.after,
            unread=request.unread,
            limit=request.limit,
            mark_read=request.mark_read,
            origin=caller.id,
        )


class ShowEnd(_History):
    """``ls @bob``"""

    usage = "ls <chat_name>"
    meaning = "show the end of a chat (GLOBAL, @<user> or a group) and mark it as read"
    syntax = Syntax(_LS, GAP, _CHAT)
    untyped = {"mark_read": True}
    slash_words = {"query chat": _talk}


class ShowCount(_History):
    """``ls @bob 200``"""

    usage = "ls <chat_name> <count>"
    meaning = f"show this many messages (at most {PAGE_MAX})"
    syntax = Syntax(_LS, GAP, _CHAT, GAP, _COUNT)

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.History:
        return requests.History(chat=match["chat"], limit=int(match["count"]), mark_read=True)


class ShowUnread(_History):
    """``ls -n @bob``"""

    usage = "ls -n <chat_name>"
    meaning = "show only the unread messages of a chat"
    syntax = Syntax(_LS, GAP, word("-n"), GAP, _CHAT)
    untyped = {"unread": True, "limit": PAGE_MAX, "mark_read": True}


class _Search(Command):
    """Base of the search commands."""

    request = requests.Search

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Search) -> Outcome:
        return services.chat.reading.search(caller.user, request.words, request.chat, request.limit)

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Request:
        """Raise Refusal if no search can find the words: ``???`` was probably meant as a message."""
        if not any(map(is_searchable, match["words"].split())):
            raise wrong_use(str(cls.prefix), cls.usage)
        return super().read(match)


class Search(_Search):
    """``?words``"""

    prefix = "?"
    usage = "?<words>"
    meaning = "search in all your chats"
    syntax = Syntax(sign("?"), text("words"))
    slash_words = {"search grep lastlog find": _search}


class SearchChat(_Search):
    """``ls @bob ?words``"""

    prefix = "ls"
    usage = "ls <chat_name> ?<words>"
    meaning = "search in one chat"
    syntax = Syntax(_LS, GAP, _CHAT, GAP, sign("?"), text("words"))


class Read(Command):
    """Move a read marker."""

    request = requests.Read
    pipelined = True

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Read) -> Outcome:
        return services.chat.reading.mark(caller.user, request.chat, request.seq, caller.id)


class Users(Command):
    """``@``"""

    prefix = "@"
    usage = "@"
    meaning = "list the users, online users first"
    syntax = Syntax(sign("@"))
    request = requests.Users
    slash_words = {"names members": _names, "who whois users online": _who}

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Users) -> Outcome:
        return services.chat.users(request.prefix, min(request.limit, USERS_DEFAULT))
