"""The command language: the commands in the order of the manual, and the manual derived from them."""

from irchat.commands import amendments, chat_settings, groups, history, inquiries, messages, moderation, people
from irchat.commands.accounts import sessions, ssh_keys
from irchat.commands.base import AS_MESSAGE, HELP, Caller, Command, Outcome, Services, check_feature
from irchat.commands.registry import Registry
from irchat.commands.syntax import Part, Syntax, word
from irchat.protocol import events, requests

__all__ = ["AS_MESSAGE", "HELP", "REGISTRY", "Caller", "Command", "Outcome", "Registry", "Services", "check_feature"]


class Help(Command):
    """``!help``: the manual, derived from the usage of all commands."""

    prefix = "!"
    usage = f"{HELP} [<prefix>]"
    meaning = "show this manual, or the part on one prefix"
    syntax = Syntax(word(HELP), Part(r"(?:\s+(?P<prefix>\S+))?", r"\s*\S*"))
    request = requests.Help
    signed_in = None
    alone = {"help": HELP}

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Help) -> Outcome:
        return events.Help(text=REGISTRY.manual(request.prefix, caller.is_admin))


REGISTRY = Registry(
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
    amendments.ShowMessage,
    amendments.Edit,
    amendments.Delete,
    amendments.PutMark,
    amendments.TakeMark,
    amendments.EditLast,
    amendments.DeleteLast,
    history.Chats,
    history.ShowEnd,
    history.ShowCount,
    history.ShowDay,
    history.ShowUnread,
    history.SearchChat,
    history.SearchMark,
    history.Mentions,
    history.Search,
    people.Block,
    people.Blocks,
    Help,
    chat_settings.SetAlert,
    chat_settings.ShowAlert,
    people.ChangePassword,
    ssh_keys.Keys,
    ssh_keys.AddKey,
    ssh_keys.RemoveKey,
    sessions.ListSessions,
    sessions.EndListed,
    sessions.EndOthers,
    moderation.Kick,
    moderation.Ban,
    moderation.Unban,
    messages.Literally,
    people.Logout,
    people.Register,
    people.Login,
    people.Resume,
    people.Vouch,
    ssh_keys.KeyOf,
    history.Read,
    messages.SendNotice,
    messages.Signal,
    people.Ping,
    inquiries.Inquire,
)
