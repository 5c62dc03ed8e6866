"""The tokens of ``005`` (RPL_ISUPPORT), in lines of at most 13."""

from irchat.irc.numerics import Numeric, ServerLines

_TOKENS_A_LINE = 13


def tokens(network: str) -> list[str]:
    """Return the tokens of a server described as ``network``."""
    raise NotImplementedError


def isupport_lines(lines: ServerLines, nick: str, network: str) -> bytes:
    """Return the ``005`` lines to ``nick``."""
    found = tokens(network)
    return b"".join(
        lines.numeric(
            Numeric.RPL_ISUPPORT, nick, *found[at : at + _TOKENS_A_LINE], text="are supported by this server"
        )
        for at in range(0, len(found), _TOKENS_A_LINE)
    )
