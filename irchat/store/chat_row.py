"""The row of a chat, as a writer holds it in memory."""

# Maximum lead of the times of a chat over the clock, in ms.
_LEAD_MS = 1_000


class ChatRow:
    """The row of a chat. A writer counts in it, and writes it back with the messages."""

    __slots__ = ("id", "last_at", "last_seq", "rev")

    def __init__(self, chat_id: int, last_seq: int, last_at: int | None, rev: int) -> None:
        self.id = chat_id
        self.last_seq = last_seq
        self.last_at = last_at or 0
        self.rev = rev

    def next_at(self, now: int) -> int:
        """Return the time of the next message, in ms. It never falls, and rises unless too far ahead of the clock."""
        if now > self.last_at:
            return now
        return self.last_at + 1 if self.last_at - now < _LEAD_MS else self.last_at
