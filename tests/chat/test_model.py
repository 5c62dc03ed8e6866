"""The whole core against a simple model: the contents of each user's pages, searches and counts."""

import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.helpers.chat import World

_NAMES = ("alice", "bob", "carol")
_GROUPS = ("team", "club")

users = st.sampled_from(_NAMES)
members_rather = st.sampled_from([None, None, None, *_NAMES])
group_names = st.sampled_from(_GROUPS)
seconds = st.none() | st.none() | st.integers(1, 9)


class _Said(NamedTuple):
    """A message. ``to`` are the chat's members at that time. A stored one has a ``seq``, a timed one an ``end``."""

    number: int
    sender: str
    to: frozenset[str]
    end: float | None
    seq: int | None = None


class _Chat:
    """A chat of the model: all messages, and how far each user has read."""

    def __init__(self, members: list[str]) -> None:
        self.members = members
        self.said: list[_Said] = []
        self.stored = 0
        self.read: dict[str, int] = {}
        self.timed_read: set[tuple[str, int]] = set()


class ChatMachine(RuleBasedStateMachine):
    """Random sends, reads, blocks, groups, time steps and restarts."""

    @initialize()
    def begin(self) -> None:
        """Begin with three online users and a group of one of them."""
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.folder, _NAMES)
        self.enter()
        self.chats: dict[str, _Chat] = {"GLOBAL": _Chat(list(_NAMES))}
        for first, second in (("alice", "bob"), ("alice", "carol"), ("bob", "carol")):
            self.chats[f"{first} {second}"] = _Chat([first, second])
        self.blocks: set[tuple[str, str]] = set()
        self.count = 0
        self.create("alice", "team", [])

    def teardown(self) -> None:
        """Leave no file behind."""
        if hasattr(self, "world"):
            self.world.close()
            shutil.rmtree(self.folder)

    def enter(self) -> None:
        """Bring everyone online."""
        for name in _NAMES:
            self.world.enter(name)

    # The model

    def chat_of(self, name: str, label: str) -> str:
        """Return the model's name of the chat that a user calls ``label``."""
        return " ".join(sorted((name, label[1:]))) if label.startswith("@") else label.removeprefix("*")

    def labels(self, name: str) -> list[str]:
        """Return the chats of a user, in that user's names."""
        groups = [f"*{group}" for group in _GROUPS if group in self.chats and name in self.chats[group].members]
        return ["GLOBAL", *(f"@{other}" for other in _NAMES if other != name), *groups]

    def silent(self, name: str, other: str) -> bool:
        """Whether there is a block between the two."""
        return (name, other) in self.blocks or (other, name) in self.blocks

    def visible(self, name: str, chat: _Chat) -> tuple[list[_Said], list[_Said]]:
        """Return the stored and timed messages visible to a user."""
        now = self.world.clock.seconds()
        seen = [said for said in chat.said if name in said.to and not self.silent(name, said.sender)]
        return (
            [said for said in seen if said.end is None],
            [said for said in seen if said.end is not None and said.end > now],
        )

    def lose_sight(self, chat: _Chat, name: str) -> None:
        """Remove a member, who then sees nothing of the group."""
        chat.members.remove(name)
        chat.said = [said._replace(to=said.to - {name}) for said in chat.said]
        chat.read.pop(name, None)

    # The rules

    def answer(self, asked: Deferred[object]) -> object:
        """Return the result of a request, or its refusal code."""
        answers: list[object] = []
        asked.addCallbacks(answers.append, lambda failure: answers.append(failure.value.code))
        return answers[0]

    @rule(name=users, where=st.integers(0, 9), expires_in=seconds)
    def send(self, name: str, where: int, expires_in: int | None) -> None:
        """Send a message to one of the user's chats."""
        labels = self.labels(name)
        label = labels[where % len(labels)]
        chat = self.chats[self.chat_of(name, label)]
        self.count += 1
        sent = self.answer(self.world.send(name, label, f"word {self.count}", expires_in=expires_in))
        if label.startswith("@") and self.silent(name, label[1:]):
            assert sent == Code.BLOCKED
            return
        assert isinstance(sent, events.Sent)
        end = None if expires_in is None else self.world.clock.seconds() + expires_in
        if end is None:
            chat.stored += 1
            chat.read[name] = chat.stored
            assert sent.seq == chat.stored
            chat.said.append(_Said(self.count, name, frozenset(chat.members), None, chat.stored))
        else:
            others = [member for member in chat.members if member != name and not self.silent(name, member)]
            assert (sent.reached, sent.of) == (len(others), len(others))
            chat.said.append(_Said(self.count, name, frozenset(chat.members), end))

    @rule(name=users, where=st.integers(0, 9), seq=st.integers(0, 20))
    def mark(self, name: str, where: int, seq: int) -> None:
        """Move a marker."""
        labels = self.labels(name)
        label = labels[where % len(labels)]
        chat = self.chats[self.chat_of(name, label)]
        assert self.answer(self.world.chat.reading.mark(self.world[name], label, seq, None)) == events.Ok()
        end = chat.stored
        if any(self.silent(name, other) for other in _NAMES):  # the last visible message counts as the end
            end = max((said.seq or 0 for said in self.visible(name, chat)[0]), default=0)
        if seq >= end:
            seq = chat.stored
        chat.read[name] = max(chat.read.get(name, 0), seq)
        if seq >= chat.stored:
            chat.timed_read |= {(name, said.number) for said in self.visible(name, chat)[1]}

    @rule(name=users, other=users)
    def block(self, name: str, other: str) -> None:
        """Set or lift a block."""
        answer = self.answer(self.world.chat.blocks.block(self.world[name], other, None, None))
        if name == other:
            assert answer == Code.YOURSELF
            return
        self.blocks ^= {(name, other)}
        assert answer == events.Blocks(sorted(blocked for blocker, blocked in self.blocks if blocker == name))

    @rule(name=users, group=group_names, others=st.lists(users, max_size=3))
    def create(self, name: str, group: str, others: list[str]) -> None:
        """Create a group."""
        answer = self.answer(self.world.chat.groups.create(self.world[name], group, others, None))
        if any(self.silent(name, other) for other in others):
            assert answer == Code.BLOCKED
        elif group in self.chats:
            assert answer == Code.GROUP_EXISTS
        else:
            self.chats[group] = _Chat(list(dict.fromkeys([name, *others])))

    @rule(who=members_rather, group=group_names, other=users)
    def add(self, who: str | None, group: str, other: str) -> None:
        """Add a member, by default as one of the members."""
        name = who or self.some_member(group)
        answer = self.answer(self.world.chat.groups.add(self.world[name], group, other, None))
        chat = self.chats.get(group)
        if chat is None or name not in chat.members:
            assert answer == Code.NO_SUCH_GROUP
        elif other in chat.members:
            assert answer == Code.ALREADY_A_MEMBER
        elif self.silent(name, other):
            assert answer == Code.BLOCKED
        else:
            chat.members.append(other)
            chat.read[other] = chat.stored
            assert isinstance(answer, events.Group)

    @rule(name=users, group=group_names, other=users)
    def remove(self, name: str, group: str, other: str) -> None:
        """Remove a member as the owner, who is the first member."""
        answer = self.answer(self.world.chat.groups.remove(self.world[name], group, other, None))
        chat = self.chats.get(group)
        if chat is None or name not in chat.members:
            assert answer == Code.NO_SUCH_GROUP
        elif other not in chat.members:
            assert answer == Code.NOT_A_MEMBER
        elif other != name and not self.owns(name, chat):
            assert answer == Code.NOT_THE_OWNER
        else:
            self.lose_sight(chat, other)
            if not chat.members:
                del self.chats[group]

    def some_member(self, group: str) -> str:
        """Return a member of the group, or anybody if there is no such group."""
        return self.chats[group].members[-1] if group in self.chats else _NAMES[0]

    @rule(who=members_rather, group=group_names, expires_in=seconds)
    def say_in_group(self, who: str | None, group: str, expires_in: int | None) -> None:
        """Send a message to a group."""
        name = who or self.some_member(group)
        if f"*{group}" in self.labels(name):
            self.send(name, self.labels(name).index(f"*{group}"), expires_in)
        else:
            assert self.answer(self.world.send(name, f"*{group}")) == Code.NO_SUCH_GROUP

    def owns(self, name: str, chat: _Chat) -> bool:
        """Check that the owner is always the longest-standing member."""
        return chat.members[0] == name

    @rule(passed=st.integers(1, 4))
    def pass_time(self, passed: int) -> None:
        """Let time pass."""
        self.world.pass_time(passed)

    @rule()
    def restart(self) -> None:
        """Restart the server: timed messages are gone, everything else stays."""
        self.world.restart()
        self.enter()
        for chat in self.chats.values():
            chat.said = [said for said in chat.said if said.end is None]

    # What must hold after each

    @invariant()
    def finds_what_the_model_says(self) -> None:
        """Each user's pages, searches and counts equal the model's."""
        if not hasattr(self, "chats"):
            return
        for name in _NAMES:
            found: set[str] = set()
            unread: dict[str, int] = {}
            for label in self.labels(name):
                chat = self.chats[self.chat_of(name, label)]
                stored, timed = self.visible(name, chat)
                page = self.answer(self.world.history(name, label, limit=500))
                assert isinstance(page, events.History)
                texts = [f"word {said.number}" for said in (*stored, *timed)]
                assert [message.text for message in page.messages] == texts, (name, label)
                found.update(texts[: len(stored)])
                seqs = {message.text: message.seq or 0 for message in page.messages}
                unread[label] = sum(
                    said.sender != name and seqs[f"word {said.number}"] > chat.read.get(name, 0) for said in stored
                ) + sum(said.sender != name and (name, said.number) not in chat.timed_read for said in timed)
            search = self.answer(self.world.search(name, "word", limit=500))
            assert isinstance(search, events.Found)
            assert {message.text for message in search.messages} == found, name
            listed = self.answer(self.world.chats(name))
            assert isinstance(listed, events.Chats)
            told = {chat.chat: chat.unread for chat in listed.chats}
            assert told == {label: count for label, count in unread.items() if label in told}, name
            assert not sum(count for label, count in unread.items() if label not in told), name

    @invariant()
    def memory_is_what_the_disk_holds(self) -> None:
        """Groups, owners, members and blocks are equal in memory and on the disk."""
        if not hasattr(self, "chats"):
            return
        snapshot = self.world.store.snapshot()
        held = self.world.directory.groups.values()
        assert [(group.id, group.owner.id, list(group.members)) for group in held] == [
            (group.id, group.owner, group.members) for group in snapshot.groups
        ]
        assert {(user.id, blocked) for user in self.world.directory.users.values() for blocked in user.blocking} == set(
            snapshot.blocks
        )


class ChatModelTests(SynchronousTestCase):
    """The core against the model."""

    def test_model(self) -> None:
        """For any sequence of actions, the core behaves like the model."""
        run_state_machine_as_test(ChatMachine, settings=settings(max_examples=8, stateful_step_count=40))

    @pytest.mark.slow
    def test_more(self) -> None:
        """The same, for more sequences."""
        run_state_machine_as_test(ChatMachine, settings=settings(max_examples=60, stateful_step_count=40))
