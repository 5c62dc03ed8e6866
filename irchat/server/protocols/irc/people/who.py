"""WHO, with the fields of WHOX."""

from collections.abc import Iterator
from itertools import islice

from irchat.chat.state.entities import User
from irchat.irc.numerics import Numeric
from irchat.irc.reply_lines import parse_whox, who_line, whox_line
from irchat.irc.targets import Mask, is_channel, is_mask
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.chats.channels import channel_of, find_channel, members_of, person_in

_REPLIES_MOST = 1_000
# The users that are compared with a mask in one millisecond.
_USERS_OF_MS = 200
# The replies that are made in one millisecond.
_REPLIES_OF_MS = 40


def who(call: Call) -> None:
    """``WHO #team``, or ``WHO <name or mask>``: users online; a full name also offline."""
    call.in_turn(lambda: _who(call))


def _who(call: Call) -> bytes:
    protocol = call.protocol
    lines, nick = protocol.lines, protocol.nick
    target = call.params[0]
    whox = parse_whox(call.line.param(1))
    chat = find_channel(protocol, target) if is_channel(target) else None
    if chat is not None:
        channel, users = channel_of(chat.group), members_of(protocol, chat)
        people = (person_in(protocol, chat, user) for user in users)
    else:
        channel, people = "*", (protocol.shared.person(user) for user in _found(call, target))
    replies = [
        who_line(lines, nick, channel, person) if whox is None else whox_line(lines, nick, channel, person, whox)
        for person in islice(people, _REPLIES_MOST)
    ]
    protocol.session.charge(len(replies) / _REPLIES_OF_MS)
    return b"".join(replies) + lines.numeric(Numeric.RPL_ENDOFWHO, nick, target)


def _found(call: Call, target: str) -> Iterator[User]:
    if is_channel(target):
        return
    shared = call.protocol.shared
    if target != "0" and not is_mask(target):
        user = shared.find_user(target)
        if user is not None:
            yield user
        return
    mask = Mask("*" if target == "0" else target)
    online = list(shared.services.chat.presence.online)
    call.protocol.session.charge(len(online) / _USERS_OF_MS)
    for user_id in online:
        user = shared.directory.users[user_id]
        if mask.matches_key(user.key):
            yield user


HANDLERS = {"WHO": who}
