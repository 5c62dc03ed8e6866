"""The commands that read chats, history, search results and users, and move read markers."""

import re

from irchat.commands import habits
from irchat.commands.base import AS_MESSAGE, Caller, Command, Outcome, Services, wrong_use
from irchat.commands.groups import Members
from irchat.commands.messages import say
from irchat.commands.syntax import GAP, MARK, NameKind, Part, Syntax, name, sign, text, word
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import PAGE_MAX, USERS_DEFAULT, is_searchable
from irchat.system.clock import rfc3339
from irchat.system.times import start_of_day

_LS = word("ls")
_CHAT = name("chat", NameKind.CHATS, r"[^\s?-]")
_COUNT = Part("0*(?P<count>[1-9][0-9]{0,8})", "0*(?:[1-9][0-9]{0,8})?")
_DAY = Part("(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})", "(?:[0-9]{0,4}|[0-9]{4}-[0-9]{0,2}|[0-9]{4}-[0-9]{2}-[0-9]{0,2})")


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


class ShowPage(Command):
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
            around=request.around,
            since=request.since,
            after_rev=request.after_rev,
            limit=request.limit,
            mark_read=request.mark_read,
            origin=caller.id,
        )


class ShowEnd(ShowPage):
    """``ls @bob``"""

    usage = "ls <chat_name>"
    meaning = "show the end of a chat (GLOBAL, @<user> or a group) and mark it as read"
    syntax = Syntax(_LS, GAP, _CHAT)
    untyped = {"mark_read": True}
    slash_words = {"query chat": _talk}


class ShowCount(ShowPage):
    """``ls @bob 200``"""

    usage = "ls <chat_name> <count>"
    meaning = f"show this many messages (at most {PAGE_MAX})"
    syntax = Syntax(_LS, GAP, _CHAT, GAP, _COUNT)

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.History:
        return requests.History(chat=match["chat"], limit=int(match["count"]), mark_read=True)


class ShowUnread(ShowPage):
    """``ls -n @bob``"""

    usage = "ls -n <chat_name>"
    meaning = "show only the unread messages of a chat"
    syntax = Syntax(_LS, GAP, word("-n"), GAP, _CHAT)
    untyped = {"unread": True, "limit": PAGE_MAX, "mark_read": True}


class ShowDay(ShowPage):
    """``ls @bob 2026-03-01``, in the time zone of whoever reads the line."""

    usage = "ls <chat_name> <day>"
    meaning = "show a chat from a day on, such as 2026-03-01"
    syntax = Syntax(_LS, GAP, _CHAT, GAP, _DAY)
    feature = "around"
    by_client = True

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.History:
        try:
            since = rfc3339(start_of_day(match["day"]))
        except (ValueError, OverflowError):
            raise Refusal(Code.BAD_REQUEST, f"There is no day {match['day']}.{AS_MESSAGE}", cls.usage) from None
        return requests.History(chat=match["chat"], since=since)


class _Search(Command):
    """Base of the search commands."""

    request = requests.Search

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Search) -> Outcome:
        return services.chat.reading.search(
            caller.user, request.words, request.chat, request.limit, mark=request.mark, mentions=request.mentions
        )

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Request:
        """Raise Refusal if no search can find the words: ``???`` was probably meant as a message."""
        words = match.groupdict().get("words")
        if words is not None and not any(map(is_searchable, words.split())):
            raise wrong_use(str(cls.prefix), cls.usage)
        return super().read(match)


class Mentions(_Search):
    """``?@``"""

    prefix = "?"
    usage = "?@"
    meaning = "list the messages that mention you, newest first"
    syntax = Syntax(sign("?"), sign("@"))
    untyped = {"mentions": True}
    feature = "mentions"


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


class SearchMark(_Search):
    """``ls @bob +ok``"""

    prefix = "ls"
    usage = "ls <chat_name> +<mark>"
    meaning = "list the messages of a chat with a mark, newest first"
    syntax = Syntax(_LS, GAP, _CHAT, GAP, sign("+"), MARK)
    feature = "marks"


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
        return services.chat.when_current(services.chat.users, request.prefix, min(request.limit, USERS_DEFAULT))
