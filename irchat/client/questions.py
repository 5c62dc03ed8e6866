"""The dialogue on the full screen: lines in the pane, the question before the input."""

from collections.abc import Callable

from twisted.internet.defer import Deferred

from irchat import events
from irchat.client.stop import Stop
from irchat.client.view.chat import clean
from irchat.client.view.state import View
from irchat.render import Renderer


class Questions:
    """Asks in the view. ``changed`` is called when there is something new to draw.

    ``question`` is what is being asked, empty where nothing is; ``suggestion`` what its input begins with.
    """

    interactive = True

    def __init__(self, view: View, changed: Callable[[], None]) -> None:
        self.question = ""
        self.secret = False
        self.suggestion = ""
        self._said: set[str] = set()
        self._view = view
        self._changed = changed
        self._renderer = Renderer(colour=False)
        self._answer: Deferred[str] | None = None
        self._broken: Stop | None = None

    def show(self, event: events.Event) -> None:
        """Show a reply."""
        if isinstance(event, events.Error):
            self.complain(event.text)
        else:
            for line in self._renderer.lines(event):
                self.note(line.text)

    def note(self, text: str) -> None:
        """Tell what goes on, once: each new line to the server would have the same to tell."""
        if text not in self._said:
            self._said.add(text)
            self._view.note(text)
            self._changed()

    def complain(self, text: str) -> None:
        """Say what went wrong."""
        self._view.complain(text)
        self._changed()

    async def ask(self, question: str, *, secret: bool = False) -> str:
        """The answer to a question. Raises the Stop of `break_off`."""
        if self._broken is not None:
            raise self._broken
        self.question, self.secret = clean(question), secret
        self._answer = Deferred(lambda _: self._done())
        self._changed()
        return await self._answer

    def answer(self, text: str) -> None:
        """The user has answered. The line ends that a paste brings along are no part of it, and alone no secret."""
        text = text.strip("\r\n")
        if self.secret and not text:
            return
        answer, asked, secret = self._answer, self.question, self.secret
        self._done()
        self._view.note(asked + ("" if secret else clean(text)))
        if answer is not None:
            answer.callback(text)
        self._changed()

    def suggest(self, text: str) -> None:
        """What the input of the next question begins with."""
        self.suggestion = text

    def break_off(self, stop: Stop) -> None:
        """Whoever waits for an answer, now or later, gets ``stop``."""
        self._broken = stop
        if self._answer is not None:
            answer = self._answer
            self._done()
            answer.errback(stop)

    def mend(self) -> None:
        """There can be questions again."""
        self._broken = None

    def _done(self) -> None:
        self._answer, self.question, self.secret = None, "", False
