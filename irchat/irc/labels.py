"""Batches to clients, and labeled responses (IRCv3 batch, labeled-response)."""

from irchat.irc.numerics import ServerLines


class Batches:
    """Builds batches for one session."""

    def __init__(self, lines: ServerLines) -> None:
        self._lines = lines
        self._count = 0

    def batch(self, kind: str, *params: str, inner: bytes, label: str | None = None) -> bytes:
        """Return lines in a batch such as ``chathistory #team``. Lines that have a ``batch`` tag keep it."""
        raise NotImplementedError

    def labelled(self, label: str | None, answer: bytes) -> bytes:
        """Return the lines of an answer with its label: on the only line, on a batch, or on ACK for no line."""
        raise NotImplementedError
