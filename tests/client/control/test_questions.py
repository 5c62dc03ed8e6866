"""Questions on the full screen: which one has the input, and until when."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.control.questions import Questions, Stage
from irchat.client.exceptions import Cancelled, ClientError
from irchat.client.view.items import Kind
from irchat.client.view.screen_state import ScreenState


class QuestionsTests(SynchronousTestCase):
    """`Questions`."""

    def setUp(self) -> None:
        """Nothing is asked."""
        self.changes = 0
        self.view = ScreenState("host:7667")
        self.questions = Questions(self.view, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def ask(self, question: str, *, secret: bool = False) -> Deferred[str]:
        """Ask; the question waits."""
        return Deferred.fromCoroutine(self.questions.ask(question, secret=secret, can_cancel=True))

    def current(self) -> str | None:
        """The text of the question that has the input."""
        return None if self.questions.current is None else self.questions.current.text

    def notes(self, kind: Kind = Kind.NOTE) -> list[str]:
        """Return the texts in the pane."""
        return [item.text for item in self.view.here.items if item.kind is kind]

    def test_waits(self) -> None:
        """A question takes the input only when nothing is being typed."""
        self.ask("Name: ")
        self.assertEqual((self.current(), self.questions.is_asking), (None, True))
        self.questions.settle()
        self.assertEqual(self.current(), "Name: ")

    def test_answered(self) -> None:
        """An answered question keeps the input until the next one or the end of the dialogue."""
        name, password = self.ask("Name: "), None
        self.questions.settle()
        self.questions.answer("alice")
        self.assertEqual(self.successResultOf(name), "alice")
        self.questions.settle()
        self.assertEqual((self.current(), self.questions.is_asking), ("Name: ", False))
        password = self.ask("Password: ", secret=True)
        self.questions.settle()
        self.assertEqual(self.current(), "Password: ")
        self.questions.answer("secret")
        self.assertEqual(self.successResultOf(password), "secret")
        self.questions.dismiss()
        self.questions.settle()
        self.assertIsNone(self.current())

    def test_no_secret_in_the_pane(self) -> None:
        """The pane shows questions with their answers, but no secret."""
        for secret in False, True:
            answer = self.ask("Say: ", secret=secret)
            self.questions.settle()
            self.questions.answer("word")
            self.successResultOf(answer)
        self.assertEqual(self.notes(), ["Say: word", "Say: "])

    def test_by_key(self) -> None:
        """A question that a key asks takes the input at once, and one that waited before does not."""
        with self.questions.by_key():
            answer = self.ask("Old password: ")
        self.assertEqual(self.current(), "Old password: ")
        self.questions.cancel()
        self.failureResultOf(answer, Cancelled)
        self.ask("Name: ")
        with self.questions.by_key():
            pass
        self.assertIsNone(self.current())

    def test_cancel(self) -> None:
        """A cancelled question fails and returns the input."""
        answer = self.ask("Name: ")
        self.questions.settle()
        self.questions.cancel()
        self.failureResultOf(answer, Cancelled)
        self.assertEqual((self.current(), self.questions.is_asking), (None, False))

    def test_break_off(self) -> None:
        """A lost dialogue ends its questions, also those that come, until there is another one."""
        stop = ClientError("The connection was lost.")
        first = self.ask("Name: ")
        self.questions.settle()
        self.questions.break_off(stop)
        self.assertIs(self.failureResultOf(first).value, stop)
        self.assertIs(self.failureResultOf(self.ask("Password: ")).value, stop)
        self.questions.mend()
        again = self.ask("Name again: ")
        self.assertNoResult(again)

    def test_over(self) -> None:
        """A lost question for which something was typed keeps the input until it is acknowledged."""
        for touched in True, False:
            answer = self.ask("Password: ", secret=True)
            self.questions.settle()
            assert self.questions.current is not None
            self.questions.current.touched = touched
            self.questions.break_off(ClientError("lost"))
            self.failureResultOf(answer, ClientError)
            self.assertIs(self.questions.current.stage, Stage.OVER)
            self.questions.mend()
            self.ask("Name: ")
            self.questions.settle()
            self.assertEqual(self.current(), "Password: " if touched else "Name: ")
            if touched:
                self.questions.acknowledge()
                self.questions.settle()
                self.assertEqual(self.current(), "Name: ")
            self.questions.answer("alice")

    def test_suggestion(self) -> None:
        """A suggestion is for one question."""
        self.questions.suggest("alice")
        for suggestion in "alice", "":
            self.ask("Name: ")
            assert self.questions.waiting is not None
            self.assertEqual(self.questions.waiting.suggestion, suggestion)

    def test_said_once(self) -> None:
        """A note is shown once, an error each time."""
        for _ in range(2):
            self.questions.note("connecting")
            self.questions.complain("Wrong.")
        self.assertEqual((self.notes(), self.notes(Kind.ERROR)), (["connecting"], ["Wrong.", "Wrong."]))
        self.assertEqual(self.changes, 3)
