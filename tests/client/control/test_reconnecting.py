"""The connection to the server: established, lost, and established again; leaving."""

import msgspec
from twisted.internet.error import ConnectionDone

from irchat.client.connect.server_connection import UNENCRYPTED, ServerConnection
from irchat.client.connect.tokens import Kept
from irchat.client.control.questions import Stage
from irchat.client.exceptions import ClientError
from irchat.client.view.navigation import Place
from irchat.protocol import events, requests
from tests.client.control.test_controller import ControllerCase as _ControllerCase
from tests.helpers.client_fakes import FakeServer, error, message, sent, welcome


class LineTests(_ControllerCase):
    """The connection is lost and restored."""

    def come_back(self) -> None:
        """The server is back, and the next attempt succeeds."""
        self.servers.append(FakeServer())
        self.clock.pump([1] * 10)

    def test_comes_back(self) -> None:
        """The client shows the loss, signs in by token, loads missed messages, and repeats unanswered ones."""
        self.open("@bob", message("one", chat="@bob", seq=1))
        self.submit("mine")
        before = self.asked()
        self.lose()
        self.assertIn("Trying again in 1 s", self.view.link)
        self.submit("typed meanwhile")
        self.assertEqual(self.texts(), ["one", "mine", "typed meanwhile"])
        self.come_back()
        self.assertEqual(self.asked(), [requests.Resume(token="token")])
        self.server.answer(welcome())
        self.assertEqual(self.view.link, "")
        self.asked()
        self.server.answer(events.Chats([events.Chat("@bob", "id", 0, 3, 0, None)]))
        self.assertEqual(self.asked(), [requests.History(chat="@bob", after=1, limit=500), *before])
        self.server.answer(
            events.Users([], [], False), events.Blocks([]),
            events.History("@bob", [message("missed", chat="@bob", seq=2)], True),
            sent(chat="@bob", seq=4),
        )  # fmt: skip
        self.server.answer(events.History("@bob", [message("too", chat="@bob", seq=3)], False))
        self.server.answer(sent(chat="@bob", seq=5))
        self.assertEqual([item.text for item in self.view.here.items if item.seq != 4],
                         ["one", "missed", "too", "typed meanwhile"])  # fmt: skip

    def test_back_to_a_backup(self) -> None:
        """After a restore from a backup, no earlier marker is reported: its number has another meaning."""
        self.open("@bob", message("one", chat="@bob", seq=7))
        self.controller.open("GLOBAL")
        self.clock.advance(1)
        self.server.tell(message("two", chat="@bob", seq=8))
        self.lose()
        self.clock.advance(0.5)
        self.controller.open("@bob")
        self.servers.append(FakeServer())
        self.clock.advance(0.5)
        self.server.answer(msgspec.structs.replace(welcome(), epoch="another"))
        self.clock.advance(1)
        self.assertFalse([request for request in self.asked() if isinstance(request, requests.Read)])

    def test_signing_in(self) -> None:
        """Until the sign-in is complete, the status shows the progress."""
        self.lose()
        self.assertIn("Trying again", self.view.link)
        self.come_back()
        self.assertEqual(self.view.link, "signing in")
        self.server.answer(welcome())
        self.assertEqual(self.view.link, "")

    def test_pauses_grow(self) -> None:
        """Each failed attempt makes the pause longer, up to half a minute, and the reason is shown."""
        self.lose()
        shown: list[str] = []
        for _ in range(130):
            self.clock.advance(1)
            shown.append(self.view.link)
        self.assertIn("Nothing is listening. Trying again in 2 s", shown)
        self.assertIn("Nothing is listening. Trying again in 15 s", shown)
        self.assertEqual(max(int(text.split()[-2]) for text in shown), 30)

    def _pause(self) -> int:
        """Return the pause that the status shows."""
        return int(self.view.link.split()[-2])

    def test_lost_after_each_welcome(self) -> None:
        """A connection lost soon after the sign-in does not reset the pauses. One that lasted a minute does."""
        pauses: list[int] = []
        for stood in 0, 1, 59, 59, 3, 59, 60, 0:
            self.clock.pump([1] * stood)
            self.lose()
            pauses.append(self._pause())
            self.servers.append(FakeServer())
            self.clock.pump([1] * pauses[-1])
            self.server.answer(welcome())
            self.assertEqual(self.view.link, "")
        self.assertEqual(pauses, [1, 2, 4, 8, 15, 30, 1, 2])

    def test_jitter(self) -> None:
        """Clients that lost the server together do not reconnect together: the pauses vary at random."""
        tries: list[float] = []

        async def connect() -> ServerConnection:
            tries.append(self.clock.seconds())
            raise ClientError("Nothing is listening.")

        self.controller._link._connect = connect
        chances = iter([0.0, 1.0] * 4)
        self.controller._link._jitter = lambda: next(chances)
        self.lose()
        self.clock.pump([0.5] * 250)
        between = [after - before for before, after in zip([0.0, *tries], tries, strict=False)]
        self.assertEqual(between[:7], [0.5, 3, 2, 12, 7.5, 45, 15])

    def test_refused_for_now(self) -> None:
        """A token refused for another reason is tried again later, without asking for a password.

        The full reason is shown once, and in the status while the client waits.
        """
        self.lose()
        for _ in range(3):
            self.come_back()
            self.clock.pump([1] * 30)
            self.server.answer(error("too-many", "You have 100 sessions. End one of them."))
            self.assertFalse(self.controller.questions.is_asking)
            self.assertIn("You have 100 sessions. Trying again in", self.view.link)
        self.assertEqual(
            [item.text for item in self.view.here.items if "sessions" in item.text],
            ["You have 100 sessions. End one of them."],
        )
        self.come_back()
        self.clock.pump([1] * 30)
        self.server.answer(welcome())
        self.assertEqual(self.view.link, "")

    def test_banned(self) -> None:
        """Each attempt of a banned user counts as a failed sign-in, so there are few."""
        self.lose()
        self.come_back()
        self.server.answer(error("banned", "You are banned until tomorrow: spam."))
        self.assertIn("You are banned until tomorrow: spam. Trying again in 300 s", self.view.link)

    def test_timed_message_ends_meanwhile(self) -> None:
        """A timed message ends without the server. If it expired unsent, it is reported and not sent later."""
        self.open("@bob")
        self.server.tell(message("psst", chat="@bob", id="t", left_ms=2_000))
        self.lose()
        self.submit("*2 mine")
        self.clock.pump([0.25] * 9)
        (report,) = self.texts()
        self.assertIn("A timed message to @bob was not sent", report)
        self.come_back()
        self.server.answer(welcome(), events.Chats([]))
        self.assertFalse(any(isinstance(request, requests.Send) for request in self.asked()))

    def test_commands_want_a_line(self) -> None:
        """Without a connection a command stays in the input. A command in progress is reported as unanswered."""
        self.submit("~bob")
        self.lose()
        self.assertIn("before the server answered: ~bob", self.texts()[-1])
        taken = self.submit("~bob")
        self.assertFalse(taken.accepted)
        self.assertIn("Not connected", taken.trouble)
        self.controller.open("@bob")
        self.assertFalse(self.view.chat("@bob").loading)

    def test_lost_while_asked(self) -> None:
        """A question whose connection was lost keeps the input until that is acknowledged."""
        self.lose()
        self.tokens.forget("host:7667", "alice")
        self.come_back()
        self.server.answer(error("bad-request"), error("name-taken"))
        self.assertTrue(self.controller.questions.current.secret)
        self.lose()
        self.assertIs(self.controller.questions.current.stage, Stage.OVER)
        self.come_back()
        self.server.answer(welcome())
        self.assertEqual(self.view.link, "")
        self.assertIs(self.controller.questions.current.stage, Stage.OVER)
        self.controller.questions.acknowledge()
        self.assertIs(self.controller.target, self.view.chat("GLOBAL"))


class FirstTests(_ControllerCase):
    """The first sign-in."""

    def enter(self) -> None:
        """The server asks for the password."""
        self.server.answer(error("bad-request"), error("name-taken"))

    def test_server_does_not_wait(self) -> None:
        """If the server closed before the answer, it is dialed again, and the question is asked again."""
        self.clock.advance(60)
        self.servers.append(FakeServer())
        self.servers[0].lose(ConnectionDone())
        self.assertNoResult(self.done)
        self.server.answer(error("bad-request"), error("name-taken"))
        self.assertTrue(self.controller.questions.current.secret)
        self.submit("correct horse")
        self.server.answer(welcome())
        self.assertIs(self.view.place, Place.CHAT)

    def test_server_ends_each_question(self) -> None:
        """A server that closes at each question is not dialed again without pauses."""
        self.servers.append(FakeServer())
        self.servers[0].lose(ConnectionDone())
        self.assertIn("Trying again in 1 s", self.view.link)
        self.assertEqual(len(self.servers), 2)
        self.clock.advance(1)
        self.server.answer(error("bad-request"), error("name-taken"))
        self.assertTrue(self.controller.questions.current.secret)

    def test_wrong_passwords(self) -> None:
        """Three wrong passwords end the client."""
        for _ in range(3):
            self.submit("wrong")
            self.server.answer(error("bad-credentials"))
        self.assertIn("Wrong password", self.failureResultOf(self.done, ClientError).value.text)

    def test_nobody_listens(self) -> None:
        """If nothing listens when the server is dialed again, the client ends."""
        self.clock.advance(60)
        self.server.lose(ConnectionDone())
        self.assertIn("Nothing is listening", self.failureResultOf(self.done, ClientError).value.text)


class LeavingTests(_ControllerCase):
    """Leaving."""

    def test_exit(self) -> None:
        """``exit`` reports read markers and leaves."""
        self.open("@bob", message("hi", chat="@bob", seq=1))
        self.server.tell(message("ho", chat="@bob", seq=2))
        self.submit("exit")
        self.assertEqual(self.asked(), [requests.Read(chat="@bob", seq=2), requests.Logout()])
        self.server.answer(events.Ok(), events.Bye("you left"))
        self.successResultOf(self.controller.left)
        self.successResultOf(self.done)
        self.assertEqual(self.tokens.find("host:7667", "alice"), Kept("token", UNENCRYPTED))

    def test_forget(self) -> None:
        """``exit --forget`` ends the token in the file and on the server."""
        self.submit("exit --forget")
        self.assertEqual(self.asked(), [requests.Logout(forget=True)])
        self.assertIsNone(self.tokens.find("host:7667", "alice"))

    def test_cannot_forget(self) -> None:
        """If the file cannot be written, the user sees an error."""
        self.tokens.path.unlink()
        self.tokens.path.mkdir()
        self.submit("exit --forget")
        self.assertIn("cannot be saved", self.texts()[-1])

    def test_leaving_without_a_line(self) -> None:
        """Without a connection the user leaves at once, and there are no further attempts."""
        self.lose()
        self.controller.leave()
        self.successResultOf(self.controller.left)
        self.clock.advance(1)
        self.successResultOf(self.done)
        self.controller.leave()
