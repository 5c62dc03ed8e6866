"""Inquiries of protocols, in the order of the requests of a session."""

from typing import Any

from irchat.commands.inquiries import Inquiry
from irchat.protocol import events, requests
from tests.helpers.server import ServerTestCase


class InquireTests(ServerTestCase):
    """The command of an inquiry."""

    def test_in_turn(self) -> None:
        """It runs for the user of the session, after the requests before it were answered."""
        server = self.make_server()
        alice = server.json("alice")
        session = alice.connection.session
        asked: list[Any] = []

        async def read(user: Any) -> events.Event:
            asked.append(user)
            return events.Ok()

        server.threads.write.holds = True
        session.ask(requests.Send(chat="GLOBAL", text="hi"), 1)
        session.ask(Inquiry(read=read), 2)
        self.assertEqual(asked, [])
        server.threads.write.release()
        server.turn()
        self.assertEqual(asked, [session.user])
        self.assertEqual([line["ref"] for line in alice.got()], [1, 2])

    def test_not_from_a_client(self) -> None:
        """No program can send one."""
        alice = self.make_server().json("alice")
        alice.ask("inquiry", read="x")
        self.assertEqual(alice.one("error")["code"], "bad-request")
