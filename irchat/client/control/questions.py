"""The dialogue on the full screen: lines in the pane, the question before the input."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from twisted.internet.defer import Deferred

from irchat.client.exceptions import Cancelled, ClientError
from irchat.client.view.chat_state import clean
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events
from irchat.rendering.lines import Renderer


class Stage(Enum):
    """How far a question has come."""

    ASKED = "asked"
    ANSWERED = "answered"
    DONE = "done"
    OVER = "over"


class Question:
    """A question, which owns what is typed for it. ``secret``: the answer is not shown.

    When it is answered it keeps the input until the dialogue asks again or is ``DONE``. One that is ``OVER`` lost its
    dialogue before it was answered. It takes no more text and keeps the input until it is acknowledged: the rest of a
    password that is being typed must not reach a chat.
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
    """Asks in the view. ``changed`` is called when there is something new to draw.

    ``current`` is the question that has the input. ``waiting`` is one that was asked meanwhile: it takes the input in
    `settle`, when nothing is being typed.
    """

    interactive = True

    def __init__(self, view: ScreenState, changed: Callable[[], None]) -> None:
        self.current: Question | None = None
        self.waiting: Question | None = None
        self._suggestion = ""
        self._said: set[str] = set()
        self._view = view
        self._changed = changed
        self._renderer = Renderer(colour=False)
        self._broken: ClientError | None = None

    @property
    def is_asking(self) -> bool:
        """Whether somebody waits for an answer."""
        asked = self.waiting or self.current
        return asked is not None and asked.stage is Stage.ASKED

    def show(self, event: events.Event) -> None:
        """Show a reply."""
        if isinstance(event, events.Error):
            self.complain(event.text)
        else:
            for line in self._renderer.lines(event):
                self.note(line.text)

    def note(self, text: str) -> None:
        """Tell what goes on, once: each new connection would have the same to tell."""
        if text not in self._said:
            self._said.add(text)
            self._view.note(text)
            self._changed()

    def complain(self, text: str) -> None:
        """Say what went wrong."""
        self._view.complain(text)
        self._changed()

    async def ask(self, question: str, *, secret: bool = False, can_cancel: bool = False) -> str:
        """The answer to a question. Raises the ClientError of `break_off`, or Cancelled."""
        if self._broken is not None:
            raise self._broken
        asked = Question(clean(question), secret=secret, can_cancel=can_cancel, suggestion=self._suggestion)
        self._suggestion = ""
        self.waiting = asked
        self._changed()
        return await asked.answer

    def settle(self) -> None:
        """Nothing is being typed: a question that waits takes the input, one that is done gives it back."""
        current = self.current
        if current is not None and current.stage is Stage.DONE:
            current = self.current = None
        if self.waiting is not None and (
            current is None or current.stage is Stage.ANSWERED or (current.stage is Stage.OVER and not current.touched)
        ):
            self.current, self.waiting = self.waiting, None

    @contextmanager
    def by_key(self) -> Iterator[None]:
        """What the user does inside may ask a question. It takes the input at once: the next key may be its answer."""
        before = self.waiting
        yield
        if self.waiting is not before or (self.current is not None and self.current.stage is Stage.DONE):
            self.settle()

    def answer(self, text: str) -> None:
        """The user has answered the current question. It keeps the input until the dialogue asks again or ends.

        The line ends that a paste brings along are no part of an answer, and alone no secret.
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
        """The user does not want to answer the current question."""
        asked = self.current
        assert asked is not None
        self.current = None
        asked.answer.errback(Cancelled())
        self._changed()

    def acknowledge(self) -> None:
        """The user has seen that the current question is over."""
        self.current = None
        self._changed()

    def dismiss(self) -> None:
        """The dialogue is at its end: the input goes back in `settle`."""
        if self.current is not None and self.current.stage is Stage.ANSWERED:
            self.current.stage = Stage.DONE
            self._changed()

    def suggest(self, text: str) -> None:
        """What the input of the next question begins with."""
        self._suggestion = text

    def break_off(self, stop: ClientError) -> None:
        """Whoever waits for an answer, now or later, gets ``stop``."""
        self._broken = stop
        waiting, self.waiting = self.waiting, None
        for asked in (waiting, self.current):
            if asked is not None and asked.stage is Stage.ASKED:
                asked.stage = Stage.OVER
                asked.answer.errback(stop)
        self._changed()

    def mend(self) -> None:
        """There can be questions again."""
        self._broken = None
