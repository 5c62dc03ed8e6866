"""The bot, with a server of the test: reconnecting, repeating, and what is final."""

import asyncio
import json
import logging
import stat
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.bot import Bot, BotError, Change, Message, Refused, Unconfirmed, bot
from tests.helpers.bot_server import CHATS, BotServer, message, welcome

# Only a failing test waits so long.
_PATIENCE = 60.0


class BotTests(SynchronousTestCase):
    """`Bot`."""

    def setUp(self) -> None:
        """Let no pause take long, and log nothing."""
        self.patch(bot, "_jitter", lambda seconds: 0.001)
        logging.getLogger("irchat.bot").disabled = True
        self.addCleanup(setattr, logging.getLogger("irchat.bot"), "disabled", False)
        self.replies: dict[str, Any] = {}

    def answer(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Answer a request: from ``replies``, or as a server with an empty GLOBAL would."""
        reply = self.replies.get(request["type"])
        if callable(reply):
            return reply(request)
        if reply is not None:
            return [reply]
        known = {
            "resume": welcome(),
            "chats": {"type": "chats", "chats": CHATS},
            "history": {"type": "history", "chat": "GLOBAL", "messages": [], "more": False},
            "send": {"type": "sent", "chat": request.get("chat"), "seq": 11, "at": "x"},
            "mark": {"type": "amended", "chat": request.get("chat"), "seq": 11, "rev": 3, "by": "bot", "at": "x"},
        }
        return [known[request["type"]]] if request["type"] in known else []

    def run_with(self, test: "Any", **how: Any) -> Any:
        """Run ``test(server, bot)`` with a bot that is signed in."""

        async def whole() -> Any:
            async with BotServer(self.answer) as server:
                how.setdefault("tls", False)
                async with Bot(server.address, "secret", **how) as one:
                    return await test(server, one)

        return self.run_async(whole())

    def run_async(self, test: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine with patience."""
        return asyncio.run(asyncio.wait_for(test, _PATIENCE))

    def requests(self, server: BotServer, kind: str) -> list[dict[str, Any]]:
        """Return the requests of a type, without refs."""
        return [
            {name: value for name, value in request.items() if name != "ref"}
            for request in server.requests
            if request["type"] == kind
        ]

    def test_said(self) -> None:
        """It signs in by the token, hears messages, and answers, marks and says in their chats."""

        async def test(server: BotServer, one: Bot) -> None:
            self.assertEqual(one.name, "bot")
            server.tell({"type": "ping"}, message(11, "!ping", "*ops"), message(11, "!ping"))
            self.replies["chats"] = {"type": "chats", "chats": [*CHATS, {"chat": "*ops", "id": "*4", "last_seq": 1}]}
            async for heard in one.said():
                self.assertEqual(await one.reply(heard, "pong"), 11)
                await one.mark(heard, "ok")
                break
            self.assertEqual(await one.say("@bob", "hi", 30), 11)
            (reply, timed) = self.requests(server, "send")
            self.assertEqual((reply["chat"], reply["text"]), ("GLOBAL", "#11 pong"))
            self.assertEqual((timed["chat"], timed["text"], timed["expires_in"]), ("@bob", "hi", 30))
            self.assertNotEqual(reply["nonce"], timed["nonce"])
            (mark,) = self.requests(server, "mark")
            self.assertEqual((mark["seq"], mark["mark"], mark["on"]), (11, "ok", True))
            self.assertEqual(server.requests[0], {"type": "resume", "token": "secret", "ref": 0})
            self.assertEqual(len(self.requests(server, "pong")), 1)

        self.run_with(test)

    def test_timed(self) -> None:
        """The answer to a timed message is a timed one. It cannot be marked."""

        async def test(server: BotServer, one: Bot) -> None:
            server.tell(message(None, "psst", id="a", left_ms=59_001))
            async for heard in one.said():
                await one.reply(heard, "ok")
                with self.assertRaises(ValueError):
                    await one.mark(heard, "ok")
                break
            (send,) = self.requests(server, "send")
            self.assertEqual((send["text"], send["expires_in"]), ("ok", 60))

        self.run_with(test, timed=True)

    def test_timed_while_away(self) -> None:
        """A timed message that came while the bot was away is handed over once when it is back."""

        async def test(server: BotServer, one: Bot) -> list[str]:
            heard = []
            async for said in one.said():
                heard.append(said.text)
                if said.text == "live":
                    page = [message(None, text, id=text, left_ms=59_000) for text in ("live", "missed")]
                    self.replies["history"] = {"type": "history", "chat": "GLOBAL", "messages": page, "more": True}
                    server.drop()
                elif said.text == "missed":
                    server.tell(message(11, "the end"))
                else:
                    break
            return heard

        def resume(request: dict[str, Any]) -> list[dict[str, Any]]:
            first = [message(None, "live", id="live", left_ms=60_000)] if "history" not in self.replies else []
            return [welcome(), *first]

        self.replies["resume"] = resume
        self.assertEqual(self.run_with(test, timed=True), ["live", "missed", "the end"])

    def test_repeated(self) -> None:
        """A message whose answer was lost, or that came too fast, is sent again with its nonce."""
        attempts: list[dict[str, Any]] = []
        running: list[BotServer] = []

        def send(request: dict[str, Any]) -> list[dict[str, Any]]:
            attempts.append(request)
            if len(attempts) == 1:
                running[0].drop()
                return []
            codes = {2: "too-fast", 3: "unavailable"}
            if len(attempts) in codes:
                return [{"type": "error", "code": codes[len(attempts)], "text": "later"}]
            return [{"type": "sent", "chat": "GLOBAL", "seq": 12, "at": "x"}]

        async def test(server: BotServer, one: Bot) -> None:
            running.append(server)
            self.replies["send"] = send
            self.assertEqual(await one.say("GLOBAL", "hi"), 12)
            self.assertEqual((len(attempts), server.connections), (4, 2))
            self.assertEqual(len({request["nonce"] for request in attempts}), 1)

        self.run_with(test)

    def test_unconfirmed(self) -> None:
        """A message is not repeated when the server may no longer recognise it."""
        self.patch(bot, "_RECOGNISED", -1.0)
        running: list[BotServer] = []

        def drop(request: dict[str, Any]) -> list[dict[str, Any]]:
            running[0].drop()
            return []

        async def test(server: BotServer, one: Bot) -> None:
            running.append(server)
            self.replies["send"] = drop
            with self.assertRaises(Unconfirmed):
                await one.say("GLOBAL", "hi")
            self.assertEqual(len(self.requests(server, "send")), 1)

        self.run_with(test)

    def test_refused(self) -> None:
        """A refusal is raised with its code."""

        async def test(server: BotServer, one: Bot) -> None:
            self.replies["send"] = {"type": "error", "code": "no-such-group", "text": "No."}
            with self.assertRaises(Refused) as raised:
                await one.say("*ops", "hi")
            self.assertEqual((raised.exception.code, str(raised.exception)), ("no-such-group", "No."))
            self.patch(bot, "_PATIENCE", 0.0)
            self.replies["send"] = {"type": "error", "code": "unavailable", "text": "The disk is full."}
            with self.assertRaises(Refused):
                await one.say("*ops", "hi")

        self.run_with(test)

    def test_missed(self) -> None:
        """After a lost connection, what was missed comes first, and nothing comes twice."""

        async def test(server: BotServer, one: Bot) -> list[str]:
            heard = []
            server.tell(message(11, "11"))
            async for said in one.said():
                heard.append(said.text)
                if len(heard) == 1:
                    self.replies["chats"] = {"type": "chats", "chats": [{**CHATS[0], "last_seq": 13}]}
                    page = [message(12, "12"), message(13, "13")]
                    self.replies["history"] = {"type": "history", "chat": "GLOBAL", "messages": page, "more": False}
                    server.drop()
                elif len(heard) == 3:
                    server.tell(message(14, "14"))
                elif len(heard) == 4:
                    break
            self.assertEqual([one["after"] for one in self.requests(server, "history")], [11])
            return heard

        self.assertEqual(self.run_with(test), ["11", "12", "13", "14"])

    def test_state(self) -> None:
        """With a state, another run goes on behind what was handed over. Only its owner can read it."""
        path = Path(self.mktemp())

        async def first(server: BotServer, one: Bot) -> None:
            server.tell(message(11, "11"), message(12, "12"))
            async for said in one.said():
                self.assertEqual(said.text, "11")
                self.assertEqual(json.loads(path.read_text())["chats"], {"1": [11, 2]})
                break

        async def second(server: BotServer, one: Bot) -> str:
            async for said in one.said():
                return said.text
            raise AssertionError

        self.run_with(first, state=path)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.replies["chats"] = {"type": "chats", "chats": [{**CHATS[0], "last_seq": 12}]}
        self.replies["history"] = lambda request: [
            {"type": "history", "chat": "GLOBAL", "more": False}
            | {"messages": [message(seq, str(seq)) for seq in (11, 12) if seq > request["after"]]}
        ]
        self.assertEqual(self.run_with(second, state=path), "12")
        self.replies["resume"] = {**welcome(), "name": "other"}
        with self.assertRaisesRegex(BotError, "The state is that of bot"):
            self.run_with(second, state=path)
        path.write_text("[]")
        with self.assertRaisesRegex(BotError, "not the state of a bot"):
            self.run_with(second, state=path)

    def test_full_disk(self) -> None:
        """If the state cannot be written, the message is not handed over, and the bot learns of it."""
        handed = []

        async def test(server: BotServer, one: Bot) -> None:
            def fail(path: Path, state: dict[str, Any]) -> None:
                raise OSError(28, "No space left on device")

            self.patch(bot, "_write_state", fail)
            server.tell(message(11, "11"))
            async for said in one.said():
                handed.append(said)

        with self.assertRaisesRegex(BotError, "No space left on device"):
            self.run_with(test, state=Path(self.mktemp()))
        self.assertEqual(handed, [])
        with self.assertRaisesRegex(BotError, "cannot be written"):  # at the start already
            self.run_with(test, state=Path(self.mktemp()) / "no" / "folder")

    def test_changes(self) -> None:
        """Edits, deletions and marks are handed over if asked for."""

        async def test(server: BotServer, one: Bot) -> list[Message | Change]:
            heard = []
            edit = {"type": "amended", "chat": "GLOBAL", "seq": 10, "rev": 3, "by": "alice", "at": "x", "text": "new"}
            server.tell(message(11), edit, {**edit, "rev": 4, "text": None, "deleted": True})
            async for one_heard in one.said_and_changed():
                heard.append(one_heard)
                if len(heard) == 3:
                    break
            return heard

        said, edited, deleted = self.run_with(test)
        self.assertEqual((said.seq, edited.text, deleted.deleted, deleted.rev), (11, "new", True, 4))

    def test_final(self) -> None:
        """A token that is no longer valid ends the bot: at the start, and later for everything that waits."""
        refused = {"type": "error", "code": "bad-token", "text": "That token is no longer valid."}

        async def test(server: BotServer, one: Bot) -> None:
            self.replies["resume"] = refused
            server.drop()
            async for said in one.said():
                raise AssertionError(said)

        for _ in range(2):  # the second time it is refused at the start
            with self.assertRaisesRegex(BotError, "Ask the administrator"):
                self.run_with(test)

    def test_later(self) -> None:
        """A temporary refusal, nonsense, and a server that is not there yet, are tried again."""
        replies = [
            {"type": "error", "code": "too-many-tries", "text": "Wait."},
            {"type": "error", "code": "banned", "text": "You are banned."},
            {"type": "nonsense"},
            welcome(),
        ]
        self.replies["resume"] = lambda request: [replies.pop(0)]

        async def test(server: BotServer, one: Bot) -> int:
            return server.connections

        self.assertEqual(self.run_with(test), 4)

    def test_lost_after_each_welcome(self) -> None:
        """The pauses grow while the connection is lost right after each sign-in, and are short again after a minute."""
        pauses: list[float] = []
        self.patch(bot, "_jitter", lambda seconds: pauses.append(seconds) or 0.001)

        async def test(server: BotServer, one: Bot) -> None:
            for _ in range(4):
                count = server.connections
                server.drop()
                while server.connections == count or one._writer is None:
                    await asyncio.sleep(0.005)
            one._steady_at = 0
            count = len(pauses)
            server.drop()
            while len(pauses) == count:
                await asyncio.sleep(0.005)

        self.run_with(test)
        self.assertEqual(pauses[:5], [1, 2, 4, 8, 1])

    def test_silence(self) -> None:
        """A silent server is asked whether it is there, and given up if it does not answer."""
        self.patch(bot, "_SILENCE", 0.02)

        async def test(server: BotServer, one: Bot) -> None:
            while server.connections < 2:
                await asyncio.sleep(0.01)
            self.assertIn({"type": "ping"}, self.requests(server, "ping"))

        self.run_with(test)

    def test_signed_out(self) -> None:
        """At the end it signs out. Afterwards it is of no use."""

        async def test(server: BotServer, one: Bot) -> tuple[BotServer, Bot]:
            return server, one

        async def whole() -> None:
            async with BotServer(self.answer) as server:
                async with Bot(server.address, "secret", tls=False) as one:
                    pass
                while not self.requests(server, "logout"):
                    await asyncio.sleep(0.01)
                with self.assertRaises(BotError):
                    await one.say("GLOBAL", "hi")

        self.run_async(whole())
