"""The tokens of ``005`` (RPL_ISUPPORT), in lines of at most 13."""

from irchat.irc.irc_lines import REASON_LENGTH
from irchat.irc.numerics import Numeric, ServerLines
from irchat.irc.references import PAGE_MOST
from irchat.irc.targets import HOST, REALNAME_LENGTH, USER_LENGTH
from irchat.protocol.rules import CHATS_MAX, NAME_LENGTH

MONITOR_MOST = 100
"""Maximum number of targets that a session monitors."""
TARGETS_MOST = 4
"""Maximum number of targets of a message, and of users in KICK."""

_TOKENS_A_LINE = 13
_NETWORK_BYTES = 200
_ESCAPED = " \\=\x7f"
_FIXED = (
    f"AWAYLEN={REASON_LENGTH}",
    "BOT=B",
    "CASEMAPPING=ascii",
    "CHANLIMIT=#:",
    "CHANMODES=,,,ins",
    f"CHANNELLEN={NAME_LENGTH + 1}",
    "CHANTYPES=#",
    f"CHATHISTORY={PAGE_MOST}",
    f"HOSTLEN={len(HOST)}",
    f"KICKLEN={REASON_LENGTH}",
    "MODES=1",
    f"MONITOR={MONITOR_MOST}",
    "MSGREFTYPES=msgid,timestamp",
    f"NAMELEN={REALNAME_LENGTH}",
    "NETWORK={network}",
    f"NICKLEN={NAME_LENGTH}",
    "PREFIX=(ov)@+",
    f"SILENCE={CHATS_MAX}",
    "TARGMAX=" + f"JOIN:,KICK:{TARGETS_MOST},NAMES:1,NOTICE:{TARGETS_MOST},PART:,PRIVMSG:{TARGETS_MOST},"
    f"TAGMSG:{TARGETS_MOST},WHOIS:1",
    f"USERLEN={USER_LENGTH}",
    "UTF8MAPPING=rfc8265",
    "UTF8ONLY",
    "WHOX",
)


def tokens(network: str) -> list[str]:
    """Return the tokens of a server described as ``network``."""
    return [f"NETWORK={_escaped(network)}" if token.startswith("NETWORK=") else token for token in _FIXED]


def isupport_lines(lines: ServerLines, nick: str, network: str) -> bytes:
    """Return the ``005`` lines to ``nick``."""
    found = tokens(network)
    return b"".join(
        lines.numeric(Numeric.RPL_ISUPPORT, nick, *found[at : at + _TOKENS_A_LINE], text="are supported by this server")
        for at in range(0, len(found), _TOKENS_A_LINE)
    )


def _escaped(text: str) -> str:
    """Return a value with ``\\x20`` for a space, and likewise for the other characters that a value cannot have."""
    short = text.encode()[:_NETWORK_BYTES].decode(errors="ignore")
    return "".join(f"\\x{ord(one):02X}" if one in _ESCAPED or ord(one) < 0x20 else one for one in short)
