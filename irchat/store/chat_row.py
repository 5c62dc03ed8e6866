"""The row of a chat, as a writer holds it in memory."""


class ChatRow:
    """The row of a chat. A writer assigns numbers and times from it, and writes it back with the messages."""

    __slots__ = ("id", "last_at", "last_seq", "rev")

    def __init__(self, chat_id: int, last_seq: int, last_at: int | None, rev: int) -> None:
        self.id = chat_id
        self.last_seq = last_seq
        self.last_at = last_at or 0
        self.rev = rev

    def next_at(self, now: int) -> int:
        """Return the time of the next message, in ms: the present one, or the next after that of the last message."""
        return now if now > self.last_at else self.last_at + 1
