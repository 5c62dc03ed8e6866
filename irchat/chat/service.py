"""The one door of the core: what a session can ask of the chat, in parts."""

from collections.abc import Callable
from itertools import islice

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from irchat.chat.blocks import Blocks
from irchat.chat.commits import CommitQueue
from irchat.chat.directory import Directory, User
from irchat.chat.groups import Groups
from irchat.chat.messages import Messages
from irchat.chat.moderation import Moderation
from irchat.chat.read_state import Reading
from irchat.interfaces.limits import Limits
from irchat.interfaces.store import Publish, Store
from irchat.protocol import events
from irchat.protocol.rules import NAME_LENGTH
from irchat.text.names import fold_part

# Longer than any key, so that what is cut off makes no difference.
_PREFIX_LENGTH = 4 * NAME_LENGTH


class ChatService:
    """The chat. ``publish`` brings events to sessions; ``presence_changed`` hears of each who comes or goes.

    ``gathers``: whether changes gather for a turn of the reactor and more; else each is committed at once.
    """

    def __init__(
        self,
        store: Store,
        publish: Publish,
        presence_changed: Callable[[User], None],
        clock: IReactorTime,
        wall_ms: Callable[[], int],
        limits: Limits | None = None,
        gathers: bool = False,
    ) -> None:
        self.limits = limits = limits or Limits()
        self.wall_ms = wall_ms
        self.store = store
        self.directory = Directory(store.snapshot())
        self.queue = CommitQueue(store, publish, clock if gathers else None)
        self.messages = Messages(self.directory, clock, publish, wall_ms, limits)
        timed = self.messages.timed
        self.groups = Groups(self.directory, self.queue, timed, wall_ms, limits)
        self.blocks = Blocks(self.directory, self.queue)
        self.reading = Reading(self.directory, self.queue, timed, store)
        self.moderation = Moderation(self.directory, self.queue, timed, store, wall_ms, presence_changed)
        self._presence_changed = presence_changed

    def enter(self, user: User) -> None:
        """A session of ``user`` begins."""
        user.sessions += 1
        if user.sessions == 1:
            self.directory.online[user.id] = user
            self._presence_changed(user)

    def leave(self, user: User) -> None:
        """A session of ``user`` is over."""
        user.sessions -= 1
        if not user.sessions and not user.removed:  # who was removed went then
            del self.directory.online[user.id]
            self._presence_changed(user)

    def users(self, prefix: str, limit: int) -> events.Users:
        """The users whose name begins with ``prefix``, who is online first, at most ``limit``, by name."""
        beginning = fold_part(prefix[:_PREFIX_LENGTH])
        online = sorted(user.key for user in self.directory.online.values() if user.key.startswith(beginning))
        away = (user for user in self.directory.users_by_name(beginning) if not user.sessions)
        offline = list(islice(away, max(0, limit + 1 - len(online))))
        return events.Users(
            online=[self.directory.user(key).name for key in online[:limit]],
            offline=[user.name for user in offline[: max(0, limit - len(online))]],
            more=len(online) + len(offline) > limit,
        )

    def settled(self) -> Deferred[None]:
        """Fires when all that was asked so far is committed or refused."""
        return self.queue.when_idle()
