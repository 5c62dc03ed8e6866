"""The entry point of the core: every operation that a session can request, grouped by subject."""

from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from irchat.chat.accounts.moderation import Moderation
from irchat.chat.accounts.sign_ins import SignIns
from irchat.chat.amending.amendments import Amendments
from irchat.chat.amending.removed_marks import RemovedMarks
from irchat.chat.blocks import Blocks
from irchat.chat.commits import CommitQueue
from irchat.chat.following import Following
from irchat.chat.groups import Groups
from irchat.chat.messages import Messages
from irchat.chat.read_state import Reading
from irchat.chat.signals import Signals
from irchat.chat.state.directory import Directory
from irchat.chat.state.personas import Personas
from irchat.chat.state.presence import Presence
from irchat.chat.state.publications import Publications
from irchat.chat.state.reasons import Reasons
from irchat.chat.state.state_machine import StateMachine
from irchat.chat.timed.answered import TimedAnswers
from irchat.interfaces.bus import Bus, Publication
from irchat.interfaces.limits import Limits
from irchat.interfaces.nodes import OtherNodes, ThisNode
from irchat.interfaces.store import Store
from irchat.protocol import events
from irchat.protocol.rules import NAME_LENGTH
from irchat.text.names import fold_part

# Longer than any key, so a truncated prefix matches no additional names.
_PREFIX_LENGTH = 4 * NAME_LENGTH
_LOADING = "the server loads its data again: reconnect"

Given = TypeVar("Given")


class ChatService:
    """The chat. ``bus`` carries its events. ``presence_changed`` is called with a name and whether it is online.

    With ``gathers``, changes are grouped for a turn of the reactor or longer. Otherwise each is committed at once.
    ``on_loaded`` is called after all data was loaded again.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        presence_changed: Callable[[str, bool], None],
        clock: IReactorTime,
        wall_ms: Callable[[], int],
        limits: Limits | None = None,
        gathers: bool = False,
    ) -> None:
        self.limits = limits = limits or Limits()
        self.wall_ms = wall_ms
        self.store = store
        self.directory = directory = Directory(store.snapshot())
        self.presence = Presence(
            lambda user, online: presence_changed(directory.users[user].name, online),
            lambda user: user in directory.users and not directory.users[user].removed,
        )
        self.personas = Personas(self.presence, wall_ms)
        self.reasons = Reasons(clock)
        publications = Publications(directory, self.presence, self.reasons)
        self.messages = Messages(directory, clock, bus, self.presence, publications.messages, wall_ms, limits)
        self.amendments = Amendments(self.messages)
        self.signals = Signals(self.messages, wall_ms)
        timed = self.messages.timed
        self._bus = bus
        self.on_loaded: Callable[[], None] = lambda: None
        self.state = StateMachine(directory, timed, self.presence, publications, self.messages.note_stored)
        queue_clock = clock if gathers else None
        self._following = (
            None if store.log is None else Following(store.log, bus, self.state.apply, self._load_again, queue_clock)
        )
        self.queue = CommitQueue(store, bus, self.state.apply, queue_clock, self._following)
        self.timed_answers = TimedAnswers(self.messages, self.queue, store)
        self.groups = Groups(directory, self.queue, wall_ms, limits, self.reasons)
        self.blocks = Blocks(directory, self.queue)
        self.reading = Reading(directory, self.queue, timed, publications, store, wall_ms)
        self.sign_ins = SignIns(directory, self.queue, self.presence, store, wall_ms)
        self._marks = RemovedMarks(self.messages, self.queue, store)
        self.moderation = Moderation(directory, self.queue, self.messages, self.presence, store, wall_ms, self._marks)

    def resume(self) -> None:
        """Continue the removals that were interrupted when the last process ended."""
        removed = [user.id for user in self.directory.users.values() if user.removed]
        if removed:
            Deferred.fromCoroutine(self._marks.take_off(removed))

    def share_timed(self, others: OtherNodes) -> ThisNode:
        """Share timed messages with the other nodes. Return the object that receives their calls."""
        return self.messages.share(others)

    def online(self, limit: int) -> list[str]:
        """Return the names of at most ``limit`` online users, in the order in which they came online."""
        return [self.directory.users[user].name for user in islice(self.presence.online, limit)]

    def users(self, prefix: str, limit: int) -> events.Users:
        """Return at most ``limit`` users whose names start with ``prefix``, online users first, then by name."""
        beginning = fold_part(prefix[:_PREFIX_LENGTH])
        is_online = self.presence.online
        users = (self.directory.users[user] for user in is_online)
        online = sorted((user for user in users if user.key.startswith(beginning)), key=lambda user: user.key)
        away = (user for user in self.directory.users_by_name(beginning) if user.id not in is_online)
        offline = list(islice(away, max(0, limit + 1 - len(online))))
        return events.Users(
            online=[user.name for user in online[:limit]],
            offline=[user.name for user in offline[: max(0, limit - len(online))]],
            more=len(online) + len(offline) > limit,
        )

    def when_current(self, answer: Callable[..., Given], *args: object) -> Given | Deferred[Given]:
        """Return ``answer(*args)``, which reads only memory.

        In a cluster, return a Deferred for it that fires after everything committed so far is applied.
        """
        if self.store.log is None:
            return answer(*args)
        return self.store.log.caught_up().addCallback(lambda _: answer(*args))

    def _load_again(self) -> None:
        """End all sessions, and load a new snapshot."""
        self._bus.publish([Publication(events.Bye(reason=_LOADING), None)])
        self.state.load(self.store.snapshot())
        self.on_loaded()

    def settled(self) -> Deferred[None]:
        """Return a Deferred that fires when all changes submitted so far are committed or refused."""
        return self.queue.when_idle()
