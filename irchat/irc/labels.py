"""Batches to clients, and labeled responses (IRCv3 batch, labeled-response)."""

import itertools

from irchat.irc.message_tags import escape, tagged
from irchat.irc.numerics import ServerLines

_END = b"\r\n"


class Batches:
    """Builds batches for one session, with references that do not repeat in it."""

    def __init__(self, lines: ServerLines) -> None:
        self._lines = lines
        self._references = itertools.count(1)

    def reference(self) -> str:
        """Return the reference of a new batch."""
        return f"b{next(self._references)}"

    def batch(self, kind: str, *params: str, inner: bytes, label: str | None = None) -> bytes:
        """Return lines in a batch such as ``chathistory #team``, which may be empty.

        Batches in ``inner`` become parts of it: their first and last lines are in it, and their lines keep their tag.
        """
        reference = self.reference()
        begin = self._lines.line("BATCH", f"+{reference}", kind, *params)
        if label is not None:
            begin = tagged(begin, {"label": label})
        tag = b"batch=" + reference.encode()
        body = b"".join(_in_batch(line, tag) for line in inner.split(_END) if line)
        return begin + body + self._lines.line("BATCH", f"-{reference}")

    def labelled(self, label: str | None, answer: bytes) -> bytes:
        """Return the lines of an answer with its label: on the only line, on a batch, or on ACK for no line.

        An answer that is one batch, such as that of CHATHISTORY, gets the label on its first line.
        """
        if label is None:
            return answer
        if not answer:
            return tagged(self._lines.line("ACK"), {"label": label})
        if answer.count(_END) == 1 or _is_one_batch(answer):
            return _with_tag(answer, b"label=" + escape(label).encode())
        return self.batch("labeled-response", inner=answer, label=label)


def _with_tag(line: bytes, tag: bytes) -> bytes:
    return b"@%b;%b" % (tag, line[1:]) if line.startswith(b"@") else b"@%b %b" % (tag, line)


def _tags_of(line: bytes) -> list[bytes]:
    return line[1:].split(b" ", 1)[0].split(b";") if line.startswith(b"@") else []


def _in_batch(line: bytes, tag: bytes) -> bytes:
    has_tag = any(one.startswith(b"batch=") for one in _tags_of(line))
    return (line if has_tag else _with_tag(line, tag)) + _END


def _is_one_batch(answer: bytes) -> bool:
    """Return whether an answer is one batch, from its first line to its last."""
    reference = _begun(answer.split(_END, 1)[0])
    if reference is None:
        return False
    last = answer[:-2].rsplit(_END, 1)[-1].split(b" ")
    return last[-2:] == [b"BATCH", b"-" + reference] and answer.count(b" BATCH -" + reference + _END) == 1


def _begun(line: bytes) -> bytes | None:
    words = [word for word in line.split(b" ") if word[:1] not in (b"@", b":")]
    return words[1][1:] if len(words) > 1 and words[0] == b"BATCH" and words[1][:1] == b"+" else None
