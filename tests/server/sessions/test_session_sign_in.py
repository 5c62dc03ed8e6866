"""A session's sign-in, with concurrent events, and its end."""

from irchat.interfaces.limits import Limits
from irchat.interfaces.stored import GLOBAL
from irchat.protocol.errors import Refusal, unavailable
from tests.helpers.server import PASSWORD, JSONClient, ServerTestCase, request, texts
from tests.server.sessions.test_session import history, send


class SignInTests(ServerTestCase):
    """Signing in and out."""

    def setUp(self) -> None:
        """Bob is online, and alice has an account."""
        self.server = self.make_server()
        self.bob = self.server.json("bob")
        alice = self.server.json("alice")
        self.token = alice.welcome["token"]
        alice.leave()
        self.server.advance(2)
        self.bob.got()

    def test_back_at_once(self) -> None:
        """Signing in again does not give a user a new allowance: it is kept after the last session until it is full."""
        self.server.chat.limits.change_to(Limits(rate=1))
        for count in 3, 0:
            alice = JSONClient(self.server)
            alice.send(request("resume", token=self.token, ref=0))
            alice.got()
            alice.send(b"".join(send("x", ref=ref) for ref in range(1, 5)))
            self.assertEqual(sum(line["type"] == "sent" for line in alice.got()), count)
            limiter = self.server.rate_limiters.of(alice.connection.session.user_id)
            alice.leave()
            self.assertIn(limiter, self.server.rate_limiters._kept)

    def _signing_in(self, name: str = "alice") -> JSONClient:
        """Return a client whose sign-in waits for the store's results."""
        client = JSONClient(self.server)
        client.send(request("login", name=name, password=PASSWORD, ref=0))
        return client

    def test_needs_somebody(self) -> None:
        """Before the sign-in, requests that need it are refused, others are answered."""
        client = JSONClient(self.server)
        client.send(
            send("x", ref=1)
            + history(ref=2)
            + request("line", line="ls", ref=3)
            + request("ping", ref=4)
            + request("help", ref=5)
        )
        self.assertEqual(
            [line.get("code", line["type"]) for line in client.got()], ["not-logged-in"] * 3 + ["pong", "help"]
        )

    def test_twice(self) -> None:
        """A signed-in user cannot sign in again, and stays signed in."""
        self.bob.send(
            request("login", name="alice", password=PASSWORD)
            + request("register", name="eve", password=PASSWORD)
            + request("resume", token=self.bob.welcome["token"])
        )
        self.assertEqual([line["code"] for line in self.bob.got()], ["already-logged-in"] * 3)
        self.bob.send(send("still bob"))
        self.bob.one("sent")

    def test_pipelined_after_the_sign_in(self) -> None:
        """Requests in the segment of the sign-in are answered as that user, after the welcome."""
        client = JSONClient(self.server)
        client.send(request("login", name="alice", password=PASSWORD, ref=1) + send("quick", ref=2))
        self.assertEqual([line["type"] for line in client.got()], ["welcome", "sent"])
        self.assertEqual(self.bob.told("message")[0]["from"], "alice")

    def test_message_during_the_sign_in(self) -> None:
        """A message committed during the sign-in is in the welcome or comes after it, never both or neither."""
        reads = self.server.threads.read
        for released_before in False, True:
            self.bob.send(send("before"))
            reads.holds = True
            client = self._signing_in()
            reads.release(1)  # the password
            self.server.turn()
            if released_before:
                ((done, question, arguments),) = reads.held
                states = question(*arguments)
                reads.held[0] = (done, lambda states=states: states, ())
            self.bob.send(send("during"))
            reads.holds = False
            reads.release()
            self.server.turn()
            self.bob.send(send("after"))
            welcome, *events = client.got()
            last_seq = welcome["unread"][0]["last_seq"]
            came = [event["seq"] for event in events if event["type"] == "message"]
            end = self.bob.told("sent")[-1]["seq"]
            self.assertEqual(came, list(range(last_seq + 1, end + 1)))
            self.assertEqual(len(came), 2 if released_before else 1)
            client.leave()

    def test_committed_but_not_told(self) -> None:
        """A message on the disk but not yet published is in the welcome or comes after it, not both."""
        writes = self.server.threads.write
        client = JSONClient(self.server)
        self.server.threads.read.holds = True
        client.send(request("resume", token=self.token))
        self.server.threads.read.release(1)  # the token
        writes.answers_late = True
        self.bob.send(send("on the disk"))
        self.server.threads.read.holds = False
        self.server.threads.read.release()
        self.server.turn()
        writes.answers_late = False
        writes.release()
        self.server.turn()
        welcome, *events = client.got()
        self.assertEqual((welcome["type"], welcome["unread"][0]["last_seq"]), ("welcome", 1))
        self.assertEqual(texts(events), [])

    def test_other_events_during_the_sign_in(self) -> None:
        """A group created and a timed message sent during the sign-in come after the welcome."""
        reads = self.server.threads.read
        reads.holds = True
        client = self._signing_in()
        reads.release(1)
        self.bob.ask("create_group", name="team", members=["alice"])
        self.bob.send(send("soon gone", expires_in=5))
        self.server.turn()
        self.assertEqual(client.got(), [])
        reads.holds = False
        reads.release()
        self.server.turn()
        self.assertEqual([line["type"] for line in client.got()], ["welcome", "added", "message"])

    def test_store_fails_at_the_welcome(self) -> None:
        """If the store fails meanwhile, the session has no user, gets no events, and may try again."""
        reads = self.server.threads.read
        for error, code in (unavailable(), "unavailable"), (ZeroDivisionError(), "internal"):
            reads.holds = True
            client = self._signing_in()
            reads.release(1)
            self.bob.send(send("during"))
            reads.fail(error)
            reads.holds = False
            self.server.turn()
            self.assertEqual(client.one("error")["code"], code)
            self.assertNotIn("alice", self.bob.welcome["online"])
            self.assertEqual(sum(self.server.services.admission.sessions_here().values()), 1)
            client.send(request("login", name="alice", password=PASSWORD))
            self.assertEqual(client.got()[0]["type"], "welcome")
            client.leave()
        self.flushLoggedErrors(ZeroDivisionError)

    def test_lost_during_the_sign_in(self) -> None:
        """A connection lost at any moment of its sign-in leaves nobody online."""
        reads = self.server.threads.read
        for released in 0, 1:
            reads.holds = True
            client = self._signing_in()
            reads.release(released)
            client.leave()
            reads.holds = False
            reads.release()
            self.server.turn()
            self.bob.send(request("users"))
            self.assertEqual(self.bob.told("users")[0]["online"], ["bob"])

    def test_lost_before_it_joins(self) -> None:
        """A session that is over joins nobody, whatever was on its way."""
        signed_in = []
        client = JSONClient(self.server)
        session = client.connection.session
        self.patch(session, "join", signed_in.append)
        client.ask("resume", token=self.token)
        del session.join
        client.leave()
        self.assertRaises(Refusal, session.join, *signed_in)
        self.bob.send(request("users"))
        self.assertEqual(self.bob.told("users")[0]["online"], ["bob"])

    def test_leaving(self) -> None:
        """``logout`` is answered with ``bye``, then the connection closes. Later requests are ignored."""
        alice = self.server.json("alice")
        alice.send(request("logout", ref=1) + send("never"))
        (bye,) = alice.got()
        self.assertEqual((bye["type"], bye["ref"], alice.is_open), ("bye", 1, False))
        self.assertEqual(self.bob.told("message"), [])

    def test_forget(self) -> None:
        """``logout`` with ``forget`` revokes the token, without it the token stays."""
        for forget, answer in (False, "welcome"), (True, "error"):
            alice = self.server.json("alice")
            alice.ask("logout", forget=forget)
            again = JSONClient(self.server)
            again.ask("resume", token=alice.welcome["token"])
            self.assertEqual(again.got()[0]["type"], answer)
            again.ask("logout", forget=True)

    def test_forget_without_a_token(self) -> None:
        """``forget`` without a token is only a farewell."""
        client = JSONClient(self.server)
        client.ask("logout", forget=True)
        client.one("bye")

    def test_several_sessions(self) -> None:
        """A user is online until the last session ends."""
        first, second = self.server.json("alice"), self.server.json("alice")
        self.server.advance(2)
        self.bob.got()
        first.leave()
        self.server.advance(2)
        self.assertEqual(self.bob.got(), [])
        second.leave()
        self.server.advance(2)
        self.assertEqual(self.bob.one("presence")["offline"], ["alice"])

    def test_replies_after_the_end(self) -> None:
        """Replies after the connection is lost go nowhere, and their changes are made all the same."""
        alice = self.server.json("alice")
        self.server.threads.write.holds = True
        alice.send(send("late"), history())
        alice.leave()
        self.server.threads.write.release()
        self.server.turn()
        self.assertEqual(alice.got(), [])
        self.assertEqual(texts(self.bob.got()), ["late"])

    def test_end_once(self) -> None:
        """An ended session sends and accepts nothing."""
        alice = self.server.json("alice", room=0)
        session = alice.connection.session
        session.end("first")
        session.end("second")
        session.refuse(unavailable(), None)
        session.hold_back(True)
        session.mark_shown(GLOBAL, 1)
        alice.socket.room = None
        self.server.advance(0, 0)
        self.assertEqual(alice.one("bye")["reason"], "first")
        self.assertRaises(Refusal, lambda: session.user)
