"""HELP: the effects of the usual commands on this server."""

from irchat.irc.numerics import Numeric
from irchat.server.protocols.irc.calls import Call

_START = "*"
_TOPICS: dict[str, tuple[str, ...]] = {
    _START: (
        "Your nick is the name of your account. #global is everyone, other channels are groups.",
        "What is said is stored: who is offline reads it later.",
        "HELP <command> tells more. Commands: JOIN PART INVITE KICK SILENCE AWAY SETNAME MONITOR",
        "/msg *irchat !help shows what IRC has no word for; /msg NickServ HELP is about passwords.",
    ),
    "JOIN": ("JOIN #name creates the group, which is yours, or shows it again after PART.",),
    "PART": ("PART #name hides a group in this session only. PART #name :leave leaves it for good.",),
    "INVITE": ("INVITE bob #name adds bob to the group at once. Any member may.",),
    "KICK": ("KICK #name bob removes bob from the group. Only the owner may.",),
    "SILENCE": ("SILENCE +bob blocks bob, both ways; SILENCE -bob lifts it; SILENCE lists.",),
    "AWAY": ("AWAY :text marks this session as away. You are away when all your sessions are.",),
    "SETNAME": ("SETNAME :text changes your realname until your last IRC session ends.",),
    "MONITOR": ("MONITOR + bob tells when bob comes online and goes offline; - C L S as usual.",),
    "PRIVMSG": ("PRIVMSG #name :text or PRIVMSG bob :text sends a message, which is stored.",),
    "SEARCH": (
        r"SEARCH in=#name;from=bob;text=two\swords finds messages; after= before= limit= as in soju.im/search.",
    ),
    "NICK": ("The nick is the name of your account and does not change.",),
    "QUIT": ("QUIT ends this session.",),
}


def show(call: Call) -> None:
    """``HELP [command]``."""
    protocol = call.protocol
    asked = call.line.param(0) or _START
    texts = _TOPICS.get(asked.upper())
    numeric, nick = protocol.lines.numeric, protocol.nick
    if texts is None:
        call.say(numeric(Numeric.ERR_HELPNOTFOUND, nick, asked))
        return
    topic = asked.upper()
    first, *others = texts
    call.say(
        numeric(Numeric.RPL_HELPSTART, nick, topic, text=first)
        + b"".join(numeric(Numeric.RPL_HELPTXT, nick, topic, text=text) for text in others)
        + numeric(Numeric.RPL_ENDOFHELP, nick, topic, text="End of help")
    )


HANDLERS = {"HELP": show, "HELPOP": show}
