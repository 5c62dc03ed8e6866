"""The change of a password: what is asked, and what is shown."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.control.password import change_password
from irchat.client.exceptions import Cancelled
from irchat.protocol import events, requests


class PasswordTests(SynchronousTestCase):
    """`change_password`."""

    def change(self, *answers: str, reply: events.Event | None = None) -> Deferred[None]:
        """Answer the questions, and the request, as long as there is something to say."""
        self.typed = list(answers)
        self.reply = reply
        self.asked: list[requests.Request] = []
        self.questions: list[str] = []
        self.notes: list[str] = []
        self.complaints: list[str] = []
        return Deferred.fromCoroutine(change_password(self, self._ask, self.notes.append, self.complaints.append))

    async def ask(self, question: str, *, secret: bool = False, can_cancel: bool = False) -> str:
        """Answer a question, or cancel it when there are no more answers."""
        self.assertTrue(secret and can_cancel)
        self.questions.append(question)
        if not self.typed:
            raise Cancelled
        return self.typed.pop(0)

    async def _ask(self, request: requests.Request) -> events.Event | None:
        self.asked.append(request)
        return self.reply

    def test_changed(self) -> None:
        """The old and the new password go to the server, which confirms."""
        self.successResultOf(self.change("old", "new", "new", reply=events.Ok()))
        self.assertEqual(self.questions, ["Old password: ", "New password: ", "New password again: "])
        self.assertEqual(self.asked, [requests.Password(old="old", new="new")])
        self.assertEqual((self.notes, self.complaints), (["your password is changed"], []))

    def test_different(self) -> None:
        """Two new passwords that differ are not sent."""
        self.successResultOf(self.change("old", "new", "other"))
        self.assertEqual((self.asked, self.notes), ([], []))
        self.assertIn("Type !password to try again", self.complaints[0])

    def test_refused(self) -> None:
        """The reason of a refusal is shown."""
        self.successResultOf(self.change("old", "new", "new", reply=events.Error("bad-credentials", "That is not it.")))
        self.assertEqual((self.notes, self.complaints), ([], ["That is not it."]))

    def test_cancelled(self) -> None:
        """After a cancelled question nothing is asked of the server."""
        for answers in (), ("old",), ("old", "new"):
            self.successResultOf(self.change(*answers))
            self.assertEqual((self.asked, self.complaints), ([], []))
            self.assertEqual(self.notes, ["cancelled: the password is unchanged"])
