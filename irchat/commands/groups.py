"""The commands of groups."""

import re

from irchat.commands import habits
from irchat.commands.base import Caller, Command, Outcome, Services
from irchat.commands.syntax import GAP, MAY_GAP, NameKind, Part, Syntax, name, sign
from irchat.protocol import requests
from irchat.protocol.rules import GLOBAL_NAME

# A number is not a name: +1 was meant as a message.
_NO_NUMBER = r"[0-9]*[^\s0-9]"
_BEGUN = r"(?P<word>\S*)"


def _first(group: str, names: NameKind) -> Part:
    return name(group, names, _NO_NUMBER)._replace(begun=_BEGUN)


def _join(rest: str) -> str:
    """Return the form of ``/join #team``. There is no command to join: a member adds you, or you create a group."""
    group = habits.group(rest)
    if habits.is_everyone(group):
        return f"ls {GLOBAL_NAME}"
    return CreateGroup.usage.replace("<group_name>", group) if group else CreateGroup.usage


def _part(rest: str) -> str:
    """Return the form of ``/part #team``."""
    return f"-<your_name> {habits.group(rest) or '<group_name>'}"


class CreateGroup(Command):
    """``*bob,carol -> team``"""

    prefix = "*"
    usage = "*<user1>,<user2>,...<usern> -> <group_name>"
    meaning = "create a group of these users and yourself"
    syntax = Syntax(
        sign("*"),
        MAY_GAP,
        Part(
            r"(?P<users>[^\s,*@]+(?:\s*,\s*[^\s,*@]+)*)",
            r"(?:[^\s,*@]+\s*,\s*)*(?P<word>[^\s,*@]*)",
            NameKind.USERS,
        ),
        Part(r"\s*->\s*", r"\s*(?:-|->\s*)?"),
        name("group", None, r"[^\s>]", r"[^\s>]"),
    )
    request = requests.CreateGroup
    opens_chat = True
    slash_words = {"join j create": _join}

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.CreateGroup:
        members = [user.strip() for user in match["users"].split(",")]
        return requests.CreateGroup(name=match["group"].removeprefix("*"), members=members)

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.CreateGroup) -> Outcome:
        return services.chat.groups.create(caller.user, request.name, request.members, caller.id)


class AddMember(Command):
    """``+dave team``"""

    prefix = "+"
    usage = "+<user> <group_name>"
    meaning = "add a user to a group (any member may)"
    syntax = Syntax(sign("+"), MAY_GAP, _first("name", NameKind.USERS), GAP, name("group", NameKind.GROUPS))
    request = requests.AddMember
    slash_words = {"invite add": habits.of_member(usage)}

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.AddMember) -> Outcome:
        return services.chat.groups.add(caller.user, request.group, request.name, caller.id)


class RemoveMember(Command):
    """``-dave team``"""

    prefix = "-"
    usage = "-<user> <group_name>"
    meaning = "remove a user from a group (the owner may; with your own name you leave)"
    syntax = Syntax(sign("-"), MAY_GAP, _first("name", NameKind.MEMBERS), GAP, name("group", NameKind.GROUPS))
    request = requests.RemoveMember
    slash_words = {"kick remove": habits.of_member(usage), "part leave p": _part}

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.RemoveMember) -> Outcome:
        return services.chat.groups.remove(caller.user, request.group, request.name, caller.id, request.reason)


class Members(Command):
    """``+team``"""

    prefix = "+"
    usage = "+<group_name>"
    meaning = "list the members of a group"
    syntax = Syntax(sign("+"), MAY_GAP, _first("group", NameKind.GROUPS))
    request = requests.Members

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Members) -> Outcome:
        return services.chat.when_current(services.chat.groups.members, caller.user, request.group)


class MembersByMinus(Members):
    """``-team``"""

    prefix = "-"
    usage = "-<group_name>"
    syntax = Syntax(sign("-"), MAY_GAP, _first("group", NameKind.GROUPS))
