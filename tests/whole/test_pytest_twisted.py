"""One conversation, from sign-in to the end of a timed message, as pytest-style tests with pytest-twisted.

All other tests are trial's `TestCase`s, which run under trial as well. Trial ignores the functions of this file.
"""

import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import DeferredQueue, ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.protocols.basic import LineReceiver

from irchat.tap import ChatServer
from tests.helpers.service import Terminal, options_of, sighup_kept

Join = Callable[[str], Awaitable["Person"]]


class Person(LineReceiver):
    """A user of the JSON protocol, who sends requests and waits for events."""

    delimiter = b"\n"

    def __init__(self) -> None:
        self._events: DeferredQueue[dict[str, Any]] = DeferredQueue()

    def lineReceived(self, line: bytes) -> None:
        """Store an event. The greeting is not JSON."""
        if line.startswith(b"{"):
            self._events.put(json.loads(line))

    def ask(self, **request: Any) -> None:
        """Send a request."""
        self.sendLine(json.dumps(request).encode())

    async def next(self, kind: str) -> dict[str, Any]:
        """Return the next event of a type, and skip others."""
        while (event := await self._events.get())["type"] != kind:
            pass
        return event


@pytest.fixture(autouse=True)
def reactor_of_trial() -> Iterator[None]:
    """Leave the plugin's reactor after each test: those of trial, which may follow in this process, run it again."""
    yield
    from twisted.internet import reactor  # noqa: PLC0415 -- as below

    instances = pytest_twisted._instances
    reactor.callLater(0, reactor.crash)  # type: ignore[attr-defined]
    instances.gr_twisted.switch()
    instances.gr_twisted = None
    pytest_twisted.init_twisted_greenlet()


@pytest_twisted.async_yield_fixture
async def join() -> AsyncIterator[Join]:
    """Start a server on a free loopback port. Return a function that creates an account and signs in."""
    from twisted.internet import reactor  # noqa: PLC0415 -- the plugin must install it first

    with sighup_kept(), tempfile.TemporaryDirectory(prefix="irchat-") as folder:
        options = options_of("--data", f"{folder}/data", "--host", "127.0.0.1", "--port", "0", "--no-tls")
        server = ChatServer(options, Terminal(), Path(folder) / "run")
        server.startService()
        people: list[Person] = []

        async def join_as(name: str) -> Person:
            person = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", server.port), Person())
            people.append(person)
            person.ask(type="register", name=name, password="a long password")
            assert (await person.next("welcome"))["name"] == name
            return person

        yield join_as
        for person in people:
            person.transport.loseConnection()
        await server.stopService()


@pytest_twisted.ensureDeferred
async def test_a_message_reaches_the_other_user(join: Join) -> None:
    """A message reaches the other user, and the sender gets its number."""
    alice, bob = await join("alice"), await join("bob")
    alice.ask(type="line", line="@bob lunch at noon?")
    assert (await alice.next("sent"))["seq"] == 1
    message = await bob.next("message")
    assert (message["chat"], message["from"], message["text"]) == ("@alice", "alice", "lunch at noon?")


@pytest_twisted.inlineCallbacks
def test_a_timed_message_is_erased(join: Join) -> Any:
    """A timed message has no number, and ``erased`` follows after its second is over."""
    alice = yield ensureDeferred(join("alice"))  # type: ignore[arg-type]
    bob = yield ensureDeferred(join("bob"))  # type: ignore[arg-type]
    alice.ask(type="line", line="*1@bob the door code is 4711")
    message = yield ensureDeferred(bob.next("message"))
    assert message["text"] == "the door code is 4711"
    assert "seq" not in message
    erased = yield ensureDeferred(bob.next("erased"))
    assert erased["id"] == message["id"]
