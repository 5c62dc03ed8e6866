"""A server for bots: it greets, records the requests, and answers them as the test says."""

import asyncio
import json
import ssl
from collections.abc import Callable
from typing import Any

Answer = Callable[[dict[str, Any]], "list[dict[str, Any]]"]

CHATS = [{"chat": "GLOBAL", "id": "1", "unread": 0, "last_seq": 10, "read_seq": 0, "last_at": None, "rev": 2}]


def welcome(epoch: str = "e") -> dict[str, Any]:
    """Return the reply to a sign-in as bot."""
    return {"type": "welcome", "name": "bot", "epoch": epoch}


def message(seq: int | None, text: str = "hi", chat: str = "GLOBAL", sender: str = "alice", **more: Any) -> Any:
    """Return a message, a timed one without ``seq``."""
    numbered = {} if seq is None else {"seq": seq}
    return {"type": "message", "chat": chat, "from": sender, "at": "2026-11-27T00:00:00.000Z", "text": text} | (
        numbered | more
    )


class BotServer:
    """A server on the loopback interface. ``answer`` returns the lines for a request; a reply has no ``ref`` yet."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.received = b""
        self.connections = 0
        self.answer = answer
        self._context = context
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "BotServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._server.close()
        self.drop()

    def drop(self) -> None:
        """Drop all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def tell(self, *events: dict[str, Any]) -> None:
        """Send events over the last connection."""
        for event in events:
            self._writers[-1].write(json.dumps(event).encode() + b"\n")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        writer.write(b"IRChat/1 Test: your username?\n")
        try:
            while line := await reader.readline():
                self.received += line
                request = json.loads(line)
                self.requests.append(request)
                for reply in self.answer(request):
                    is_event = reply["type"] in ("message", "erased", "bye", "ping")
                    line = reply if is_event else {**reply, "ref": request.get("ref")}
                    writer.write(json.dumps(line).encode() + b"\n")
        except ConnectionError:
            pass
        finally:
            writer.close()
