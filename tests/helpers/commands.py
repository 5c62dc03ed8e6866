"""A caller of commands, and a world that runs commands for it, shared by the commands' tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from argon2 import PasswordHasher
from twisted.internet.defer import Deferred, ensureDeferred

from irchat.chat.accounts.accounts import Accounts, SignedIn
from irchat.chat.changes import Change
from irchat.chat.service import ChatService
from irchat.chat.state.entities import User
from irchat.commands import REGISTRY
from irchat.interfaces.stored import ChatKey
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.requests import Request
from irchat.store.threads import NoThreads
from tests.helpers.chat import WorldTestCase


class FakeCaller:
    """A session as commands see it. It records the calls of commands."""

    def __init__(self, world_chat: ChatService, user: User | None = None, session: int = 0) -> None:
        self.id = session
        self._chat = world_chat
        self._user = user
        self.token: bytes | None = None
        self.wants_token = True
        self.ssh: Any = None
        self.listed: tuple[str, ...] = ()
        self.address = "192.0.2.1"
        self.is_admin = False
        self.notes: list[Any] = []

    @property
    def user(self) -> User:
        """Return the user who is signed in."""
        if self._user is None:
            raise Refusal(Code.NOT_LOGGED_IN, "Sign in first.")
        return self._user

    @contextmanager
    def registering(self) -> Iterator[None]:
        """Create an account."""
        self.notes.append("registration")
        yield

    @contextmanager
    def trying(self, name: str) -> Iterator[None]:
        """Try a sign-in."""
        self.notes.append(f"try {name}")
        yield

    def join(self, signed_in: SignedIn) -> None:
        """Sign in."""
        self._user = signed_in.user
        self.token = signed_in.digest
        self._chat.presence.enter(signed_in.user.id, self.id, self.token)
        self.notes.append("join")

    def part(self) -> None:
        """Sign out."""
        self._chat.presence.leave(self.user.id, self.id)
        self._user = None
        self.notes.append("part")

    def saw(self, ends: dict[ChatKey, int]) -> None:
        """Record the ends of chats listed in the welcome."""
        self.notes.append(ends)


class CommandTestCase(WorldTestCase):
    """A world whose users run commands."""

    def setUp(self) -> None:
        """Create the services and a caller for each user."""
        super().setUp()
        self.chat = self.world.chat
        self.admins: frozenset[str] = frozenset()
        self.accounts = Accounts(
            self.chat.directory, self.chat.queue, self.world.store, NoThreads().read, self.world.wall_ms,
            hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        )  # fmt: skip
        self.callers = {
            name: FakeCaller(self.chat, self.world[name], session) for session, name in enumerate(self.names, 100)
        }

    def ask(self, caller: FakeCaller | str, request: Request) -> Deferred[events.Event]:
        """Run the command of the request."""
        caller = self.callers[caller] if isinstance(caller, str) else caller
        outcome = REGISTRY.for_request(request).run(self, caller, request)  # type: ignore[arg-type]
        if isinstance(outcome, events.Event):
            fired: Deferred[events.Event] = Deferred()
            fired.callback(outcome)
            return fired
        if isinstance(outcome, Change):
            return self.world.chat.queue.submit(outcome).addCallback(self.world.said)
        asked = outcome if isinstance(outcome, Deferred) else ensureDeferred(outcome)
        return asked.addCallback(self.world.said)

    def run_line(self, name: str, line: str) -> events.Event:
        """Type a line and return its reply."""
        command, request = REGISTRY.read(line)
        self.assertIdentical(command.request, REGISTRY.for_request(request).request)
        return self.done(self.ask(name, request))
