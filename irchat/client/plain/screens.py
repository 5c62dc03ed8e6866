"""The screens of the plain client: a pipe, a terminal for questions, or one that also shows and erases messages."""

import math
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from irchat.client.exceptions import Cancelled, ClientError, InputEnded
from irchat.client.plain.console import Console
from irchat.client.plain.echo import Echo
from irchat.client.plain.pasting import read_secret, unmarked
from irchat.protocol import events, requests
from irchat.protocol.rules import CLIENT_LINE_BYTES, DELETION_REPRINT_SECONDS, REPRINT_SECONDS, seconds_left
from irchat.rendering.lines import Renderer, TextLine
from irchat.rendering.transcript import Transcript
from irchat.system.alarm import Alarm

_REDRAW = "\r\x1b[K"


class PlainScreen:
    """A pipe: no colours, no second attempt after a wrong answer, no text of timed messages.

    ``write_error`` writes a line to standard error.
    """

    interactive = False
    is_asking = False
    shows_timed = False

    def __init__(self, console: Console, write_error: Callable[[str], None]) -> None:
        self._console = console
        self._write_error = write_error
        self._renderer = Renderer(colour=False, withhold_timed=True)

    def show(self, event: events.Event, asked: requests.Request | None = None) -> None:
        """Show an event, which may answer ``asked``: errors on standard error, the rest on standard output."""
        put = self._put_error if isinstance(event, events.Error) else self._put
        put(self._renderer.lines(event, asked))

    def note(self, text: str) -> None:
        """Do nothing: notes are for people, not for programs."""

    def complain(self, text: str) -> None:
        """Show an error of one or more lines."""
        for line in text.split("\n"):
            self._put_error(self._renderer.lines(events.Error("", line)))

    async def read(self) -> str | None:
        """Return the next typed line, None at the end. Raises the ClientError of the console."""
        while (line := await self._console.read_line()) is not None:
            if len(line) > CLIENT_LINE_BYTES:
                self.complain(f"This line was not sent: it is longer than {CLIENT_LINE_BYTES:,} bytes. Send less.")
                continue
            try:
                return line.decode()
            except UnicodeDecodeError:
                self.complain("This line was not sent: it is not UTF-8. Set your terminal to UTF-8.")
        return None

    def suggest(self, text: str) -> None:
        """Do nothing: what is typed on a line starts empty."""

    async def ask(self, question: str, *, secret: bool = False, can_cancel: bool = False) -> str:
        """Return the answer to a question. A ``secret`` answer is never shown. Raises InputEnded."""
        if (answer := await self.read()) is None:
            raise InputEnded
        return answer

    def cancel(self) -> bool:
        """Cancel the current question if that is possible. Return whether it was."""
        return False

    def has_more(self) -> bool:
        """Return whether there is unread input."""
        return self._console.has_more

    def sent(self, line: str, reply: events.Sent | events.Amended) -> None:
        """Record that the typed ``line`` sent or edited a message."""

    def forget(self, line: str) -> None:
        """Do not show the typed ``line`` again."""

    def finish(self, *, interrupted: bool) -> None:
        """Clean up when the client ends. ``interrupted``: it ends in the middle of a line."""

    def restore(self) -> None:
        """Restore the terminal after the client has ended."""

    def _put(self, lines: list[TextLine]) -> None:
        self._console.write("".join(f"{line.text}\n" for line in lines).encode("utf-8", "replace"))

    def _put_error(self, lines: list[TextLine]) -> None:
        for line in lines:
            self._write_error(line.text)


class AskingScreen(PlainScreen):
    """Standard input is a terminal in line mode, standard output is redirected, as in ``irchat HOST | tee log``.

    Messages go to standard output, questions and notes to the terminal. Secrets are not echoed.

    Typed text belongs to at most one question. Text typed before a question, or before the end of a dialogue, is
    discarded.
    """

    interactive = True

    def __init__(self, console: Console, write_error: Callable[[str], None], echo: Echo) -> None:
        super().__init__(console, write_error)
        self._echo = echo
        self._question = ""
        self._in_dialogue = False
        self._unanswered = False
        self._can_cancel = False

    def note(self, text: str) -> None:
        """Show a note on the terminal."""
        self._prompt(f"{self._renderer.note(text).text}\n")

    @property
    def is_asking(self) -> bool:  # type: ignore[override]
        """Whether a question waits for its answer."""
        return bool(self._question)

    async def read(self) -> str | None:
        """Return the next typed line. Discard text that was typed during a dialogue."""
        if self._in_dialogue:
            self._in_dialogue = self._unanswered = False
            self._discard()
        self._echo.switch(on=True)
        if (line := await super().read()) is not None:
            line = unmarked(line)
            self._typed(line)
        return line

    async def ask(self, question: str, *, secret: bool = False, can_cancel: bool = False) -> str:
        """Return the answer to a question. Raises ClientError, or Cancelled after `cancel` if ``can_cancel``.

        Text typed before the question appeared is discarded. The echo stays off until the next question, so that a
        password typed too early does not show.
        """
        self._in_dialogue = True
        self._can_cancel = can_cancel
        self._unanswered = secret
        self._echo.switch(on=not secret)
        self._discard()
        self._question = question
        self._prompt(question)
        try:
            answer = await (read_secret(super().read) if secret else super().read())
            self._unanswered = secret and answer is None
        except ClientError:
            self._prompt("\n")
            raise
        finally:
            self._question = ""
            self._can_cancel = False
            self._echo.switch(on=False)
        if secret or answer is None:
            self._prompt("\n")
        self._typed(question + ("" if secret or answer is None else answer))
        if answer is None:
            raise InputEnded
        return unmarked(answer)

    def cancel(self) -> bool:
        """Cancel the current question if that is possible. Return whether it was."""
        can_cancel, self._can_cancel = self._can_cancel, False
        if can_cancel:
            self._console.interrupt(Cancelled())
        return can_cancel

    def has_more(self) -> bool:
        """Return whether there is unread input."""
        return super().has_more() or self._echo.has_more()

    def finish(self, *, interrupted: bool) -> None:
        """Clean up. The echo stays off while half a password may be unread."""
        if not self._unanswered:
            self._echo.switch(on=True)

    def restore(self) -> None:
        """Restore the terminal. Discard an unread part of a password, so that it does not reach the shell."""
        if self._unanswered:
            self._discard()
        self._echo.switch(on=True)

    def _prompt(self, text: str) -> None:
        self._echo.write(text)

    def _typed(self, line: str) -> None:
        """Record a typed line that is visible, or a question with the visible part of its answer."""

    def _discard(self) -> None:
        self._console.discard()
        self._echo.discard()


class TerminalScreen(AskingScreen):
    """A terminal in line mode, for input and output.

    All output is kept in a transcript. It is printed again without timed messages when they expire, by the server's
    notice or by our own clock, whichever comes first, and without deleted messages.

    ``errors_apart``: standard error is not this terminal.
    """

    shows_timed = True

    def __init__(
        self,
        console: Console,
        write_error: Callable[[str], None],
        clock: IReactorTime,
        echo: Echo,
        *,
        colour: bool,
        errors_apart: bool,
    ) -> None:
        super().__init__(console, write_error, echo)
        self._renderer = Renderer(colour=colour)
        self._clock = clock
        self._errors_apart = errors_apart
        self._transcript = Transcript()
        self._ends: dict[str, float] = {}
        self._next_end = Alarm(clock, self._erase_ended)
        self._next_reprint = Alarm(clock, self._reprint)
        self._reprinted = -math.inf
        self._is_stale = False

    def show(self, event: events.Event, asked: requests.Request | None = None) -> None:
        """Show an event, and schedule the end of its timed messages."""
        super().show(event, asked)
        match event:
            case events.Message():
                self._watch(event)
            case events.History() | events.Found():
                for message in event.messages:
                    self._watch(message)
            case events.Erased(id=timed_id) if timed_id in self._ends:
                self._ends[timed_id] = min(self._ends[timed_id], self._clock.seconds())
                self._plan()
            case events.Amended(deleted=True):
                self._drop(event.chat, event.seq)

    def note(self, text: str) -> None:
        """Show a note."""
        self._put([self._renderer.note(text)])

    def sent(self, line: str, reply: events.Sent | events.Amended) -> None:
        """Record that ``line`` sent or edited a message and disappears with it."""
        self._transcript.sent(line, reply)
        if isinstance(reply, events.Sent):
            self._watch(reply)

    def forget(self, line: str) -> None:
        """Do not show the typed ``line`` again."""
        self._transcript.forget(line)

    def finish(self, *, interrupted: bool) -> None:
        """Erase the timed messages that are still shown. Nothing would erase them after the end."""
        if interrupted:
            self._prompt("\n")
        self._next_end.cancel()
        self._next_reprint.cancel()
        if self._ends or self._is_stale:
            self._erase(list(self._ends))
        super().finish(interrupted=interrupted)

    def _typed(self, line: str) -> None:
        self._transcript.typed(line)

    def _prompt(self, text: str) -> None:
        self._console.write(text.encode("utf-8", "replace"))

    def _put(self, lines: list[TextLine]) -> None:
        if lines:
            self._transcript.show(lines)
            shown = "".join(f"{line.text}\r\n" for line in lines)
            self._prompt(f"{_REDRAW}{shown}{self._question}" if self._question else shown)

    def _put_error(self, lines: list[TextLine]) -> None:
        if self._errors_apart:
            super()._put_error(lines)
        else:
            self._put(lines)

    def _watch(self, message: events.Message | events.Sent) -> None:
        if message.id is not None:
            end = self._clock.seconds() + seconds_left(message.left_ms)
            self._ends[message.id] = min(end, self._ends.get(message.id, end))
            self._plan()

    def _plan(self) -> None:
        """Schedule the next reprint at the first end, or at the last one within half a second after it."""
        if self._ends:
            latest = min(self._ends.values()) + REPRINT_SECONDS
            self._next_end.set(max(end for end in self._ends.values() if end <= latest))

    def _erase_ended(self) -> None:
        now = self._clock.seconds()
        self._erase([timed_id for timed_id, end in self._ends.items() if end <= now])
        self._plan()

    def _erase(self, timed_ids: list[str]) -> None:
        for timed_id in timed_ids:
            del self._ends[timed_id]
        self._transcript.erase(timed_ids)
        self._reprint()

    def _drop(self, chat: str, seq: int) -> None:
        """Drop a deleted message, and schedule a reprint if it was shown: at most one in two seconds."""
        if self._transcript.erase((), [(chat, seq)]) and not self._is_stale:
            self._is_stale = True
            self._next_reprint.set(self._reprinted + DELETION_REPRINT_SECONDS)

    def _reprint(self) -> None:
        self._next_reprint.cancel()
        self._is_stale = False
        self._reprinted = self._clock.seconds()
        self._prompt(self._transcript.reprint() + self._question)
