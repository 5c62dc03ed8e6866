"""The dialogue on the full screen: replies in the pane, the question as the prompt of the input."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from twisted.internet.defer import Deferred

from irchat.client.exceptions import Cancelled, ClientError
from irchat.client.view.items import clean
from irchat.client.view.screen_state import ScreenState


class Stage(Enum):
    """The progress of a question."""

    ASKED = "asked"
    ANSWERED = "answered"
    DONE = "done"
    OVER = "over"


class Question:
    """A question, which owns the text typed for it. ``secret``: the answer is not shown.

    After the answer it keeps the input until the dialogue asks again or is ``DONE``. A question is ``OVER`` if its
    dialogue was lost before the answer. It then takes no more text but keeps the input until it is acknowledged: the
    rest of a password being typed must not reach a chat.
    """

    def __init__(self, text: str, *, secret: bool, can_cancel: bool, suggestion: str) -> None:
        self.text = text
        self.secret = secret
        self.can_cancel = can_cancel
        self.suggestion = suggestion
        self.stage = Stage.ASKED
        self.touched = False
        self.answer: Deferred[str] = Deferred()


class Questions:
    """Ask questions on the full screen. ``changed`` is called when there is something new to draw.

    ``current`` is the question that has the input. ``waiting`` is the next question. It takes the input in `settle`,
    when nothing is being typed.
    """

    interactive = True

    def __init__(self, view: ScreenState, changed: Callable[[], None]) -> None:
        self.current: Question | None = None
        self.waiting: Question | None = None
        self._suggestion = ""
        self._said: set[str] = set()
        self._view = view
        self._changed = changed
        self._broken: ClientError | None = None

    @property
    def is_asking(self) -> bool:
        """Whether a question waits for its answer."""
        asked = self.waiting or self.current
        return asked is not None and asked.stage is Stage.ASKED

    def note(self, text: str) -> None:
        """Show a progress note, once only: each new connection would repeat it."""
        if text not in self._said:
            self._said.add(text)
            self._view.note(text)
            self._changed()

    def complain(self, text: str) -> None:
        """Show an error."""
        self._view.complain(text)
        self._changed()

    async def ask(self, question: str, *, secret: bool = False, can_cancel: bool = False) -> str:
        """Return the answer to a question. Raises Cancelled, or the ClientError of `break_off`."""
        if self._broken is not None:
            raise self._broken
        asked = Question(clean(question), secret=secret, can_cancel=can_cancel, suggestion=self._suggestion)
        self._suggestion = ""
        self.waiting = asked
        self._changed()
        return await asked.answer

    def settle(self) -> None:
        """Let a waiting question take the input, and a finished one release it. Call this while nothing is typed."""
        current = self.current
        if current is not None and current.stage is Stage.DONE:
            current = self.current = None
        if self.waiting is not None and (
            current is None or current.stage is Stage.ANSWERED or (current.stage is Stage.OVER and not current.touched)
        ):
            self.current, self.waiting = self.waiting, None

    @contextmanager
    def by_key(self) -> Iterator[None]:
        """Let a question asked inside the block take the input at once: the next key may be its answer."""
        before = self.waiting
        yield
        if self.waiting is not before or (self.current is not None and self.current.stage is Stage.DONE):
            self.settle()

    def answer(self, text: str) -> None:
        """Answer the current question. It keeps the input until the dialogue asks again or ends.

        Line ends around a pasted answer are removed. A secret of line ends alone is not an answer.
        """
        asked = self.current
        assert asked is not None
        text = text.strip("\r\n")
        if asked.secret and not text:
            return
        asked.stage = Stage.ANSWERED
        self._view.note(asked.text + ("" if asked.secret else clean(text)))
        asked.answer.callback(text)
        self._changed()

    def cancel(self) -> None:
        """Cancel the current question."""
        asked = self.current
        assert asked is not None
        self.current = None
        asked.answer.errback(Cancelled())
        self._changed()

    def acknowledge(self) -> None:
        """Acknowledge that the current question is over."""
        self.current = None
        self._changed()

    def dismiss(self) -> None:
        """End the dialogue. The input is released in `settle`."""
        if self.current is not None and self.current.stage is Stage.ANSWERED:
            self.current.stage = Stage.DONE
            self._changed()

    def suggest(self, text: str) -> None:
        """Set the initial text of the next answer."""
        self._suggestion = text

    def break_off(self, stop: ClientError) -> None:
        """Fail the questions asked now or later with ``stop``."""
        self._broken = stop
        waiting, self.waiting = self.waiting, None
        for asked in (waiting, self.current):
            if asked is not None and asked.stage is Stage.ASKED:
                asked.stage = Stage.OVER
                asked.answer.errback(stop)
        self._changed()

    def mend(self) -> None:
        """Allow questions again after `break_off`."""
        self._broken = None
