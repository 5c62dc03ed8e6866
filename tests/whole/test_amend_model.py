"""The whole server against itself: sessions that follow the events end with what history shows.

Three users send, edit, delete, mark, block, join, leave and read. A watcher of each follows the events: one all the
time, one with pauses in which it falls behind, one that loses its connection and catches up by ``after_rev``.
"""

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events
from irchat.server.delivery import outbox
from tests.helpers.server import JSONClient, Server
from tests.helpers.watchers import Seen, Watcher

_NAMES = ("alice", "bob", "carol")

users = st.sampled_from(_NAMES)
changes = st.tuples(
    users,
    st.sampled_from(("send", "send", "edit", "edit", "delete", "mark", "mark", "read")),
    st.integers(0, 9),
    st.integers(0, 99),
)
"""A change: who makes it, of what kind, in which chat, and of which message."""


class AmendMachine(RuleBasedStateMachine):
    """Random changes, and readers that follow them."""

    @initialize()
    def begin(self) -> None:
        """Begin with a group of two. A session falls behind soon."""
        self.limit = patch.object(outbox, "WAITING_BYTES", 200)
        self.limit.start()
        self.server = Server()
        self.actors: dict[str, JSONClient] = {name: self.server.json(name) for name in _NAMES}
        self.watchers = {name: Watcher(self.server, name) for name in _NAMES}
        self.bob_reads = True
        self.stale: set[str] = set()
        self.count = 0
        self.act("alice", "create_group", name="team", members=["bob"])
        for name, chat in (("alice", "GLOBAL"), ("bob", "GLOBAL"), ("carol", "GLOBAL"), ("bob", "*team")):
            self.send(name, self.labels(name).index(chat), 0)
        for name in _NAMES:
            self.reload(name)

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "server"):
            self.server.close()
            self.limit.stop()

    def act(self, name: str, kind: str, /, **fields: Any) -> dict[str, Any]:
        """Make a request of a user. Return its reply."""
        self.actors[name].ask(kind, ref=1, **fields)
        (reply,) = [line for line in self.actors[name].got() if "ref" in line]
        assert reply.get("code") not in ("internal", "bad-request", "unavailable"), reply
        return reply

    def labels(self, name: str) -> list[str]:
        """Return the chats of a user."""
        user = self.server.chat.directory.user(name)
        others = [f"@{other}" for other in _NAMES if other != name]
        return ["GLOBAL", *others, *(f"*{group.name}" for group in user.groups.values())]

    def chat(self, name: str, place: int) -> str:
        """Return one of the chats of a user."""
        labels = self.labels(name)
        return labels[place % len(labels)]

    def reload(self, name: str) -> None:
        """Let the watcher of a user load everything: what it may see has changed."""
        watcher = self.watchers[name]
        if watcher.client is None:
            self.stale.add(name)
            return
        self.stale.discard(name)
        watcher.drop_all()
        self.resume_reading(name)
        watcher.take()
        for chat in self.labels(name):
            watcher.load(chat)

    def target(self, name: str, place: int, number: int, *, own: bool) -> tuple[str, int]:
        """Return one of the chats of a user, and the number of a message there."""
        chat = self.chat(name, place)
        seen = self.history(name, chat).items()
        seqs = [seq for seq, message in seen if not own or message["from"] == name] or [1]
        return chat, seqs[number % len(seqs)]

    # The rules.

    @rule(batch=st.lists(changes, min_size=3, max_size=15), bob_reads=st.booleans(), carol_stays=st.booleans())
    def change(self, batch: list[tuple[str, str, int, int]], bob_reads: bool, carol_stays: bool) -> None:
        """Make some changes, from which on bob may not read, and carol may be disconnected."""
        if not bob_reads:
            self.pause_reading()
        if not carol_stays and self.watchers["carol"].client is not None:
            self.watchers["carol"].leave()
        for name, kind, place, number in batch:
            getattr(self, kind)(name, place, number)

    def send(self, name: str, place: int, number: int) -> None:
        """Send a message, perhaps with a mention or as an answer."""
        self.count += 1
        chat, seq = self.target(name, place, number, own=False)
        text = f"word{self.count}"
        text = (text, f"{text} @{_NAMES[number % 3]}", f"#{seq} {text}", f"{text} {'x' * 90}")[number % 4]
        self.act(name, "send", chat=chat, text=text)

    def edit(self, name: str, place: int, number: int) -> None:
        """Edit a message."""
        self.count += 1
        chat, seq = self.target(name, place, number, own=True)
        self.act(name, "amend", chat=chat, seq=seq, text=f"word{self.count}")

    def delete(self, name: str, place: int, number: int) -> None:
        """Delete a message."""
        chat, seq = self.target(name, place, number, own=number % 2 == 0)
        self.act(name, "amend", chat=chat, seq=seq, delete=True)

    def mark(self, name: str, place: int, number: int) -> None:
        """Put a mark on a message, or take it off."""
        chat, seq = self.target(name, place, number, own=False)
        self.act(name, "mark", chat=chat, seq=seq, mark=("ok", "pin")[number % 2])

    def read(self, name: str, place: int, number: int) -> None:
        """Move a read marker."""
        chat, seq = self.target(name, place, number, own=False)
        self.act(name, "read", chat=chat, seq=seq)

    @rule(name=users, other=users)
    def block(self, name: str, other: str) -> None:
        """Set or lift a block."""
        if name != other:
            self.act(name, "block", name=other)
            for one in {name, other}:
                self.reload(one)

    @rule(name=users, other=users, adds=st.booleans())
    def change_group(self, name: str, other: str, adds: bool) -> None:
        """Add a member to the group, or remove one."""
        self.act(name, "add_member" if adds else "remove_member", group="team", name=other)
        self.reload(other)

    def pause_reading(self) -> None:
        """Stop bob's watcher from reading."""
        self.bob_reads = False
        client = self.watchers["bob"].client
        assert client is not None
        client.socket.room = 0

    @precondition(lambda self: not self.bob_reads)
    @rule()
    def go_on_reading(self) -> None:
        """Bob's watcher reads on."""
        self.resume_reading("bob")

    def resume_reading(self, name: str) -> None:
        client = self.watchers[name].client
        if name == "bob" and not self.bob_reads and client is not None:
            self.bob_reads = True
            client.socket.room = None
            for _ in range(5):
                self.server.advance(0)

    @precondition(lambda self: self.watchers["carol"].client is None)
    @rule(limit=st.integers(1, 4))
    def reconnect(self, limit: int) -> None:
        """Carol's watcher comes back and catches up."""
        watcher = self.watchers["carol"]
        watcher.enter()
        if "carol" in self.stale:
            self.reload("carol")
            return
        revs = {chat["chat"]: chat["rev"] for chat in watcher.ask("chats")["chats"]}
        for chat in list(watcher.chats):
            watcher.catch_up(chat, limit)
            assert watcher.revs[chat] == revs.get(chat, watcher.revs[chat]), (chat, revs)
            watcher.last_rev[chat] = watcher.revs[chat]

    # What must hold after each.

    def result(self, asked: Any) -> Any:
        """Return the result of a read."""
        results: list[Any] = []
        Deferred.fromCoroutine(asked).addCallback(results.append)
        return results[0]

    def history(self, name: str, chat: str) -> Seen:
        """Return all of a chat as history shows it."""
        user = self.server.chat.directory.user(name)
        page = self.result(self.server.chat.reading.history(user, chat, limit=500))
        return {
            message.seq: {
                "from": message.sender,
                "text": message.text,
                "edited": message.edited,
                "marks": {mark.mark: set(mark.names) for mark in message.marks or ()},
                "to": set(message.to or ()),
            }
            for message in page.messages
        }

    @invariant()
    def watchers_see_what_history_shows(self) -> None:
        """Each watcher that is up to date has the messages as they are."""
        if not hasattr(self, "server"):
            return
        for name, watcher in self.watchers.items():
            if watcher.client is None or (name == "bob" and not self.bob_reads):
                continue
            watcher.take()
            for chat in self.labels(name):
                seen = {seq: {**message} for seq, message in watcher.chats[chat].items()}
                for message in seen.values():
                    del message["rev"]
                assert seen == self.history(name, chat), (name, chat)

    @invariant()
    def counts_and_searches_are_right(self) -> None:
        """Unread counts equal counting, and searches find the present texts alone. Nothing is of a hidden user."""
        if not hasattr(self, "server"):
            return
        reading = self.server.chat.reading
        for name in _NAMES:
            user = self.server.chat.directory.user(name)
            pages = {chat: self.history(name, chat) for chat in self.labels(name)}
            hidden = {self.server.chat.directory.users[other].name for other in user.hidden}
            for chat in self.result(reading.chats(user)).chats:
                after = [message for seq, message in pages[chat.chat].items() if seq > chat.read_seq]
                others = [message for message in after if message["from"] != name]
                assert chat.unread == len(others), (name, chat)
                assert chat.mentions == sum(name in message["to"] for message in others), (name, chat)
            messages = [message for page in pages.values() for message in page.values()]
            for message in messages:
                assert not hidden.intersection({message["from"]}, message["to"], *message["marks"].values())
            for number in range(1, self.count + 1):
                found = self.result(reading.search(user, f"word{number}", None, 50))
                assert isinstance(found, events.Found)
                wanted = [message["text"] for message in messages if f"word{number}" in message["text"].split()]
                assert sorted(message.text for message in found.messages) == sorted(wanted), (name, number)


@pytest.mark.slow
class AmendModelTests(SynchronousTestCase):
    """The server against the watchers."""

    def test_model(self) -> None:
        """For any sequence of actions, all watchers end with what history shows."""
        run_state_machine_as_test(AmendMachine, settings=settings(max_examples=40, stateful_step_count=25))
