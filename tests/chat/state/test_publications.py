"""The publications of each kind of entry: the same on all nodes, in the order of the log."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.directory import Directory
from irchat.interfaces.writes import UserCreated
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from tests.helpers.chat import BEGIN_MS
from tests.helpers.nodes_in_memory import NodeWorld
from tests.helpers.random_changes import RandomChanges, state_of
from tests.helpers.shared_log import SharedDatabase, random_delay

_USERS = ("alice", "bob", "carol")


class NodesMachine(RandomChanges):
    """Random changes on two of three nodes, faults, and messages that take their time."""

    @initialize(seed=st.none() | st.integers(0, 1 << 32))
    def begin(self, seed: int | None) -> None:
        """Begin with three users, who have two sessions on each node. Without a seed, messages take no time."""
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.store = SQLiteStore(self.folder / "irchat.db", NoThreads(), lambda: BEGIN_MS)
        self.store.commit([UserCreated(name, name, None, BEGIN_MS, None) for name in _USERS])
        self.database = SharedDatabase(self.store, self.clock)
        self.nodes = [NodeWorld(self.database, self.clock) for _ in range(3)]
        self.world = self.nodes[0]
        for node in self.nodes:
            for name in _USERS:
                node.enter(name, 1)
                node.enter(name, 2)
        self.is_quick = seed is None
        if seed is not None:
            self.database.delay = random_delay(seed)

    def teardown(self) -> None:
        """Compare once more, and leave no file behind."""
        if hasattr(self, "store"):
            self.compare()
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(number=st.integers(0, 1))
    def act_on(self, number: int) -> None:
        """Make the next changes on a node."""
        self.world = self.nodes[number]

    @rule(seconds=st.floats(0, 0.1))
    def pass_time(self, seconds: float) -> None:
        """Let some messages arrive."""
        self.clock.advance(seconds)

    @precondition(lambda self: not self.is_quick)
    @rule(number=st.integers(0, 2), call=st.sampled_from(["begin", "commit", "read"]))
    def refuse(self, number: int, call: str) -> None:
        """Refuse the next call of a kind."""
        self.nodes[number].store.log.refusing.append(call)

    @rule()
    def take_turn_away(self) -> None:
        """Take the turn away from the node that has it."""
        self.database.end_turn()

    @rule()
    def cut(self) -> None:
        """Cut the third node off from the log."""
        self.nodes[2].store.log.is_cut = True

    def load_again(self) -> None:
        """Let the third node return, when it is too late to follow."""
        self.nodes[2].store.log.is_cut = False
        self.nodes[2].store.log.on_reset()
        for node in self.nodes:
            node.published.clear()

    @rule()
    def compare(self) -> None:
        """At the end of the log, all memories are the snapshot, and all users were told the same on each node."""
        for _ in range(100):
            for node in self.nodes:
                node.store.log.refusing.clear()
                node.store.log.on_news()
            self.clock.pump([0.05] * 10)
            if self.is_quiet():
                break
        if self.nodes[2].store.log.is_cut:
            self.load_again()
        self.agree()

    def is_quiet(self) -> bool:
        """Return whether all changes are committed, and all commits are applied where they can be read."""
        followers = (node.store.log for node in self.nodes if not node.store.log.is_cut)
        return all(log.position == self.database.head for log in followers) and not any(
            node.chat.queue._running for node in self.nodes
        )

    @precondition(lambda self: self.is_quick)
    @invariant()
    def agree_at_once(self) -> None:
        """Where messages take no time, all of this holds after each change."""
        self.agree()

    def agree(self) -> None:
        """Check that the nodes agree."""
        stored = state_of(Directory(self.store.snapshot()))
        nodes = [node for node in self.nodes if not node.store.log.is_cut]
        for node in nodes:
            assert node.store.log.position == self.database.head
            assert state_of(node.directory) == stored
        for user in range(1, 4):
            told = [node.told_to(user) for node in nodes]
            assert told == [told[0]] * len(nodes), user


class NodesTests(SynchronousTestCase):
    """The publications of entries."""

    def test_nodes_agree(self) -> None:
        """After random changes on two nodes, three hold the same and have told each user the same, in one order."""
        run_state_machine_as_test(NodesMachine, settings=settings(max_examples=15, stateful_step_count=40))

    @pytest.mark.slow
    def test_more(self) -> None:
        """The same, for more changes."""
        run_state_machine_as_test(NodesMachine, settings=settings(max_examples=80, stateful_step_count=40))
