"""The commands of groups."""

import re

from irchat.commands.base import Caller, Command, Outcome, Services
from irchat.protocol import requests

# A number is no name: +1 was meant as a message.
_NAME = r"(?![0-9]+(?:\s|$))(\S+)"


class CreateGroup(Command):
    """``*bob,carol -> team``"""

    prefix = "*"
    usage = "*<user1>,<user2>,...<usern> -> <group_name>"
    meaning = "create a group of these users and yourself"
    pattern = re.compile(r"\*\s*([^\s,*@]+(?:\s*,\s*[^\s,*@]+)*)\s*->\s*([^\s>]+)")
    request = requests.CreateGroup

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.CreateGroup:
        members = [name.strip() for name in match[1].split(",")]
        return requests.CreateGroup(name=match[2].removeprefix("*"), members=members)

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.CreateGroup) -> Outcome:
        return services.chat.groups.create(caller.user, request.name, request.members, caller.id)


class AddMember(Command):
    """``+dave team``"""

    prefix = "+"
    usage = "+<user> <group_name>"
    meaning = "add a user to a group (any member may)"
    pattern = re.compile(rf"\+\s*{_NAME}\s+(\S+)")
    request = requests.AddMember

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.AddMember:
        return requests.AddMember(group=match[2], name=match[1])

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.AddMember) -> Outcome:
        return services.chat.groups.add(caller.user, request.group, request.name, caller.id)


class RemoveMember(Command):
    """``-dave team``"""

    prefix = "-"
    usage = "-<user> <group_name>"
    meaning = "remove a user from a group (its owner may; everyone may remove oneself)"
    pattern = re.compile(rf"-\s*{_NAME}\s+(\S+)")
    request = requests.RemoveMember

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.RemoveMember:
        return requests.RemoveMember(group=match[2], name=match[1])

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.RemoveMember) -> Outcome:
        return services.chat.groups.remove(caller.user, request.group, request.name, caller.id)


class Members(Command):
    """``+team``"""

    prefix = "+"
    usage = "+<group_name>"
    meaning = "list the members of a group"
    pattern = re.compile(rf"\+\s*{_NAME}")
    request = requests.Members

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Members:
        return requests.Members(group=match[1])

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Members) -> Outcome:
        return services.chat.groups.members(caller.user, request.group)


class MembersByMinus(Members):
    """``-team``"""

    prefix = "-"
    usage = "-<group_name>"
    pattern = re.compile(rf"-\s*{_NAME}")
