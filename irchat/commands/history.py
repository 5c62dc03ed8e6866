"""The commands that read: chats, history, search, users, and how far one has read."""

import re

from irchat.commands.base import Caller, Command, Outcome, Services, wrong_use
from irchat.protocol import requests
from irchat.protocol.rules import PAGE_MAX, USERS_DEFAULT, is_searchable

_CHAT = r"(?![-?])(\S+)"


class Chats(Command):
    """``ls``"""

    prefix = "ls"
    usage = "ls"
    meaning = "list your chats, latest first, with what is unread"
    pattern = re.compile(r"ls")
    request = requests.Chats

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Chats:
        return requests.Chats()

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Chats) -> Outcome:
        return services.chat.reading.chats(caller.user)


class _History(Command):
    """A page of a chat; the forms differ in which."""

    prefix = "ls"
    request = requests.History

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
    meaning = "show the end of a chat: GLOBAL, @<user> or a group; it is read then"
    pattern = re.compile(rf"ls\s+{_CHAT}")

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.History:
        return requests.History(chat=match[1], mark_read=True)


class ShowCount(_History):
    """``ls @bob 200``"""

    usage = "ls <chat_name> <count>"
    meaning = f"show that many messages, {PAGE_MAX} at most"
    pattern = re.compile(rf"ls\s+{_CHAT}\s+0*([1-9][0-9]{{0,8}})")

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.History:
        return requests.History(chat=match[1], limit=int(match[2]), mark_read=True)


class ShowUnread(_History):
    """``ls -n @bob``"""

    usage = "ls -n <chat_name>"
    meaning = "show only what is unread in a chat"
    pattern = re.compile(rf"ls\s+-n\s+{_CHAT}")

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.History:
        return requests.History(chat=match[1], unread=True, limit=PAGE_MAX, mark_read=True)


class _Search(Command):
    """Search; the forms differ in where."""

    request = requests.Search

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Search) -> Outcome:
        return services.chat.reading.search(caller.user, request.words, request.chat, request.limit)

    @classmethod
    def searchable(cls, words: str) -> str:
        """``words``. Raises Refusal where no search could find them: ``???`` was meant as a message."""
        if not any(map(is_searchable, words.split())):
            raise wrong_use(str(cls.prefix), cls.usage)
        return words


class Search(_Search):
    """``?words``"""

    prefix = "?"
    usage = "?<words>"
    meaning = "search in all your chats"
    pattern = re.compile(r"\?(.+)", re.DOTALL)

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Search:
        return requests.Search(words=cls.searchable(match[1]))


class SearchChat(_Search):
    """``ls @bob ?words``"""

    prefix = "ls"
    usage = "ls <chat_name> ?<words>"
    meaning = "search in one chat"
    pattern = re.compile(rf"ls\s+{_CHAT}\s+\?(.+)", re.DOTALL)

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Search:
        return requests.Search(words=cls.searchable(match[2]), chat=match[1])


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
    meaning = "list the users, who is online first"
    pattern = re.compile(r"@")
    request = requests.Users

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Users:
        return requests.Users()

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Users) -> Outcome:
        return services.chat.users(request.prefix, min(request.limit, USERS_DEFAULT))
