"""The command language: the commands in the order of the manual, and the manual made from them."""

import re

from irchat.commands import groups, history, messages, moderation, people
from irchat.commands.base import AS_MESSAGE, Caller, Command, Outcome, Registry, Services, wrong_use
from irchat.protocol import events, requests

__all__ = ["AS_MESSAGE", "REGISTRY", "Caller", "Command", "Outcome", "Registry", "Services", "wrong_use"]

REGISTRY = Registry()


class Help(Command):
    """``!help``: made from the usage texts of all commands."""

    prefix = "!"
    usage = "!help [<prefix>]"
    meaning = "show this manual, or the part of one prefix"
    pattern = re.compile(r"!help(?:\s+(\S+))?")
    request = requests.Help
    signed_in = None

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Help:
        return requests.Help(prefix=match[1])

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Help) -> Outcome:
        return events.Help(text=REGISTRY.manual(request.prefix, caller.is_admin))


REGISTRY.add(
    messages.ToEveryone,
    history.Users,
    messages.ToUser,
    messages.TimedToUser,
    messages.TimedToGroup,
    messages.TimedToEveryone,
    groups.CreateGroup,
    messages.ToGroup,
    groups.AddMember,
    groups.Members,
    groups.RemoveMember,
    groups.MembersByMinus,
    history.Chats,
    history.ShowEnd,
    history.ShowCount,
    history.ShowUnread,
    history.SearchChat,
    history.Search,
    people.Block,
    people.Blocks,
    Help,
    people.ChangePassword,
    moderation.Kick,
    moderation.Ban,
    moderation.Unban,
    messages.Literally,
    people.Logout,
    people.Register,
    people.Login,
    people.Resume,
    history.Read,
    people.Ping,
)
