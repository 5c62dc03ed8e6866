"""The commands about users: signing in and out, passwords, blocks."""

import re
from typing import TYPE_CHECKING

from irchat.commands import habits
from irchat.commands.base import Caller, Command, Outcome, Services, need_door
from irchat.commands.syntax import MAY_GAP, NameKind, Syntax, name, sign, word
from irchat.protocol import events, requests, rules
from irchat.protocol.errors import Code, Refusal

if TYPE_CHECKING:
    from irchat.chat.accounts.accounts import SignedIn


def _block(rest: str) -> str:
    """Return the form of ``/ignore bob``."""
    return f"~{habits.split(rest)[0].lstrip('@')}"


async def _welcome(services: Services, caller: Caller, signed_in: "SignedIn") -> events.Welcome:
    """Sign the session in. It joins before reading the unread counts, so that it misses no event."""
    caller.join(signed_in)
    try:
        states = await services.chat.reading.states(signed_in.user)
        await services.chat.queue.published()  # so that no message is both counted and sent as an event
    except Exception:
        caller.part()
        raise
    caller.saw({state.chat: state.last_seq for state, _ in states})
    return events.Welcome(
        name=signed_in.user.name,
        new=signed_in.new,
        token=signed_in.token,
        version=rules.PROTOCOL,
        limits={
            "name_length": rules.NAME_LENGTH,
            "text_length": services.chat.limits.text_length,
            "password_min_bytes": rules.PASSWORD_MIN_BYTES,
            "password_max_bytes": rules.PASSWORD_MAX_BYTES,
            "timed_max": rules.TIMED_MAX,
            "page": rules.PAGE_MAX,
            "group_members": services.chat.limits.group_members,
        },
        online=services.chat.online(rules.ONLINE_IN_WELCOME),
        online_count=len(services.chat.presence.online),
        unread=[
            events.UnreadChat(chat.chat, chat.id, chat.unread, chat.last_seq, chat.rev, chat.mentions, chat.alert)
            for _, chat in states
            if chat.unread
        ],
        epoch=services.chat.store.epoch,
        features=list(rules.FEATURES),
    )


class Register(Command):
    """Create an account and sign in."""

    request = requests.Register
    signed_in = False

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Register) -> events.Event:
        with caller.registering():
            signed_in = await services.accounts.register(
                request.name, request.password, with_token=caller.wants_token, by=caller.address
            )
        return await _welcome(services, caller, signed_in)


class Login(Command):
    """Sign in with name and password."""

    request = requests.Login
    signed_in = False

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Login) -> events.Event:
        with caller.trying(request.name):
            signed_in = await services.accounts.login(
                request.name, request.password, with_token=caller.wants_token, by=caller.address
            )
        return await _welcome(services, caller, signed_in)


class Resume(Command):
    """Sign in with a token."""

    request = requests.Resume
    signed_in = False

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Resume) -> events.Event:
        with caller.trying(""):
            signed_in = await services.accounts.resume(request.token)
        return await _welcome(services, caller, signed_in)


class Vouch(Command):
    """Sign in a user whose signature with a key was verified by the process of the SSH door."""

    request = requests.Vouch
    signed_in = False

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Vouch) -> events.Event:
        ssh = need_door(caller)
        with caller.trying(""):
            signed_in = await services.accounts.vouch(request.user, request.fingerprint)
        ssh.keep(signed_in.token)
        return await _welcome(services, caller, signed_in)


class ChangePassword(Command):
    """``!password``. The client asks for the passwords, which are never typed on the line."""

    prefix = "!"
    usage = "!password"
    meaning = "change your password"
    syntax = Syntax(word("!password"))
    request = requests.Password
    asks_password = True
    may_be_text = False
    slash_words = {"password passwd pass": usage}

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Request:
        raise Refusal(Code.BAD_REQUEST, "Do not type passwords on a line. Use the request password.", cls.usage)

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Password) -> events.Event:
        with caller.trying(caller.user.name):  # otherwise a session without the password could guess it
            await services.accounts.change_password(caller.user, request.old, request.new, caller.token, caller.id)
        return events.Ok()


class Block(Command):
    """``~bob``"""

    prefix = "~"
    usage = "~<user>"
    meaning = "block a user, or lift the block: neither sees what the other writes"
    syntax = Syntax(sign("~"), MAY_GAP, name("name", NameKind.USERS))
    request = requests.Block
    slash_words = {"ignore unignore block unblock silence mute": _block}

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Block) -> Outcome:
        return services.chat.blocks.block(caller.user, request.name, request.blocked, caller.id)


class Blocks(Command):
    """``~``"""

    prefix = "~"
    usage = "~"
    meaning = "list the users you block"
    syntax = Syntax(sign("~"))
    request = requests.Blocks

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Blocks) -> Outcome:
        return services.chat.when_current(services.chat.blocks.listed, caller.user)


class Logout(Command):
    """``exit``"""

    prefix = "exit"
    usage = "exit"
    meaning = "leave"
    syntax = Syntax(word("exit"))
    request = requests.Logout
    signed_in = None
    whole_line = True
    slash_words = {"quit q exit bye logout disconnect signoff": usage}
    alone = {"quit exit :q :quit": usage}

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.Logout) -> events.Event:
        if request.forget and caller.token is not None:
            await services.accounts.forget(caller.token)
        return events.Bye(reason="you left")


class Ping(Command):
    """Check whether the server responds."""

    request = requests.Ping
    signed_in = None

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Ping) -> Outcome:
        return events.Pong()
