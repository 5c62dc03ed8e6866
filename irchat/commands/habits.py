"""Habits of other chats: a line that is no command here but looks like one elsewhere, and how it is typed here.

A private text behind ``/msg bob`` must not go to everyone, so such a line is refused with the right form.
"""

import re
from collections.abc import Callable

from irchat.commands.base import AS_MESSAGE
from irchat.commands.groups import AddMember, CreateGroup, Members, RemoveMember
from irchat.commands.history import Chats, Search, Users
from irchat.commands.messages import ToEveryone, ToUser
from irchat.commands.people import ChangePassword, Logout
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import GLOBAL_NAME

_HELP = "!help"
# A second slash makes it a path, a blank after the first one a message: /etc/passwd, / hi.
_SLASH_WORD = re.compile(r"/([^\W\d_][\w-]*)(?:\s+(.*))?", re.DOTALL)
_COMMAND_SIGNS = tuple("@*+-?~!\\/#")
_GROUP_SIGNS = "#*&"
# Accounts are no users to talk to here; what is said to these is mostly a password.
_SERVICES = frozenset({"nickserv", "chanserv", "authserv"})
# Alone on the line, in any case.
_ALONE = {
    "quit": Logout.usage,
    "exit": Logout.usage,
    ":q": Logout.usage,
    ":quit": Logout.usage,
    "help": _HELP,
    "ls": Chats.usage,
}


def right_form(line: str) -> str | None:
    """Return the line that is typed here in place of ``line``, or None where ``line`` is no habit of another chat.

    Words in angle brackets stand for what the line does not say. ``!help`` stands for every word without a form here.
    """
    line = line.strip()
    if not line.startswith("/"):
        form = _ALONE.get(line.casefold())
        return None if form == line else form
    match = _SLASH_WORD.fullmatch(line)
    if match is None or (match[1] == "me" and match[2] and line[3] == " "):
        return None
    make = _FORMS.get(match[1].casefold())
    return _HELP if make is None else make((match[2] or "").strip())


def refuse_habit(line: str) -> None:
    """Raise Refusal ``bad-request`` with the right form where ``line`` is a habit of another chat."""
    form = right_form(line)
    if form is not None:
        raise Refusal(Code.BAD_REQUEST, f"Nothing was sent.{AS_MESSAGE} Here its meaning is typed so: {form}")


def _say(rest: str) -> str:
    """``/msg bob hi``"""
    target, text = _split(rest)
    return _to(target, text or ToEveryone.usage) if target else ToUser.usage


def _talk(rest: str) -> str:
    """``/query bob``, which opens a chat, or says something in it."""
    target, text = _split(rest)
    return _say(rest) if text or not target else f"{Chats.usage} {_chat(target)}"


def _to(target: str, text: str) -> str:
    if target.lstrip("@").casefold() in _SERVICES:
        return _HELP
    if "," in target:
        return ToUser.usage
    chat = _chat(target)
    return _to_everyone(text) if chat == GLOBAL_NAME else f"{chat} {text}"


def _to_everyone(text: str) -> str:
    return f"\\{text}" if text.startswith(_COMMAND_SIGNS) else text or ToEveryone.usage


def _chat(target: str) -> str:
    """A chat as it is written here: ``#team`` is a group, a bare name a user."""
    if target.lstrip(_GROUP_SIGNS).casefold() == GLOBAL_NAME.casefold():
        return GLOBAL_NAME
    if target[0] in _GROUP_SIGNS:
        return f"*{target.lstrip(_GROUP_SIGNS)}"
    return target if target.startswith("@") else f"@{target}"


def _split(rest: str) -> tuple[str, str]:
    """The first word and what follows it; empty where there is none."""
    word, text, *_ = [*rest.split(maxsplit=1), "", ""]
    return word, text


def _group(word: str) -> str:
    """The name of a group; empty where ``word`` is not one."""
    return word.lstrip(_GROUP_SIGNS) if "," not in word else ""


def _join(rest: str) -> str:
    """``/join #team``: one is added by a member, or creates the group."""
    group = _group(_split(rest)[0])
    if group.casefold() == GLOBAL_NAME.casefold():
        return f"ls {GLOBAL_NAME}"
    return CreateGroup.usage.replace("<group_name>", group) if group else CreateGroup.usage


def _part(rest: str) -> str:
    """``/part #team``"""
    group = _group(_split(rest)[0])
    return f"-<your_name> {group or '<group_name>'}"


def _members(rest: str) -> str:
    """``/names team``"""
    group = _group(_split(rest)[0])
    if not group or group.casefold() == GLOBAL_NAME.casefold():
        return Users.usage
    return Members.usage.replace("<group_name>", group)


def _who(rest: str) -> str:
    """``/who``: the members of ``#team``, and else the users."""
    return _members(rest) if rest.startswith(tuple(_GROUP_SIGNS)) else Users.usage


def _of_member(usage: str) -> Callable[[str], str]:
    """``/invite bob #team``, ``/kick #team bob``: the group is the one of the first two words that has its sign."""

    def form(rest: str) -> str:
        words = rest.split()[:2]
        group = next((_group(word) for word in words if word[0] in _GROUP_SIGNS), "")
        users = [word.lstrip("@") for word in words if word[0] not in _GROUP_SIGNS]
        user = users[0] if len(users) == 1 else ""
        return usage.replace("<user>", user or "<user>").replace("<group_name>", group or "<group_name>")

    return form


def _block(rest: str) -> str:
    """``/ignore bob``"""
    return f"~{_split(rest)[0].lstrip('@')}"


def _list(rest: str) -> str:
    """``/ls @bob``"""
    return f"{Chats.usage} {rest}".strip()


def _search(rest: str) -> str:
    return f"?{rest}" if rest else Search.usage


def _act(rest: str) -> str:
    """``/ME waves``: an action is a message that begins with ``/me`` in small letters and a blank."""
    return f"/me {rest or ToEveryone.usage}"


def _always(form: str) -> Callable[[str], str]:
    return lambda rest: form


_FORMS: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("msg", "m", "w", "whisper", "tell", "dm", "pm", "privmsg", "notice"), _say),
    **dict.fromkeys(("query", "chat"), _talk),
    **dict.fromkeys(("quit", "q", "exit", "bye", "logout", "disconnect", "signoff"), _always(Logout.usage)),
    **dict.fromkeys(("join", "j", "create"), _join),
    **dict.fromkeys(("part", "leave", "p"), _part),
    **dict.fromkeys(("names", "members"), _members),
    **dict.fromkeys(("who", "whois", "users", "online"), _who),
    **dict.fromkeys(("invite", "add"), _of_member(AddMember.usage)),
    **dict.fromkeys(("kick", "remove"), _of_member(RemoveMember.usage)),
    **dict.fromkeys(("ignore", "unignore", "block", "unblock", "silence", "mute"), _block),
    **dict.fromkeys(("list", "chats", "channels", "rooms"), _always(Chats.usage)),
    **dict.fromkeys(("search", "grep", "lastlog", "find"), _search),
    **dict.fromkeys(("password", "passwd", "pass"), _always(ChangePassword.usage)),
    "say": _to_everyone,
    "ls": _list,
    "me": _act,
}
