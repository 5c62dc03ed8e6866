"""A simple model of a store, compared with it after random changes by several users."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from twisted.internet.defer import Deferred

from irchat.interfaces.store import PageQuery, SearchQuery, Store
from irchat.interfaces.stored import GLOBAL, ChatKey, StoredChange, StoredChat, StoredMark, StoredMessage
from irchat.interfaces.writes import (
    GroupCreated,
    MarkerMoved,
    MarkSet,
    MemberAdded,
    MemberRemoved,
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    MessagesDeleted,
    UserCreated,
    Write,
)
from irchat.protocol.errors import Code
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from tests.helpers.stores import NOW

_USERS = (1, 2, 3)
_TEAM = 2
_CHATS: tuple[ChatKey, ...] = (GLOBAL, _TEAM, (1, 2))
_WORDS = ("apple", "pear", "plum", "Straße")

_SEARCHES: tuple[tuple[tuple[str, ...], str | None, bool], ...] = (
    (("apple",), None, False), ((), "ok", False), (("STRASSE", "pear"), None, False), ((), None, True),
    (("plum",), "pin", False), (("plum",), None, True), ((), "ok", True),
)  # fmt: skip

users = st.sampled_from(_USERS)
chats = st.sampled_from(_CHATS)
numbers = st.integers(0, 99)
texts = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3).map(" ".join)
some_texts = st.lists(texts, min_size=1, max_size=3)
keys = st.sampled_from(["ok", "pin"])


class _Message:
    """A message of the model. ``text`` is None after its deletion."""

    def __init__(self, sender: int, at: int, text: str, to: set[int], notice: bool) -> None:
        self.sender, self.at, self.to, self.notice = sender, at, to, notice
        self.text: str | None = text
        self.rev = 0
        self.edited_at: int | None = None
        self.marks: dict[tuple[str, int], None] = {}


class _Chat:
    """A chat of the model. ``since`` and ``read`` are those of its members."""

    def __init__(self, members: tuple[int, ...]) -> None:
        self.since = dict.fromkeys(members, 0)
        self.read = dict.fromkeys(members, 0)
        self.messages: list[_Message] = []
        self.rev = 0

    def visible(self, user: int, hidden: set[int]) -> list[tuple[int, _Message]]:
        """Return the messages that a member sees."""
        since = self.since.get(user, len(self.messages))
        return [
            (seq, message)
            for seq, message in enumerate(self.messages, 1)
            if seq > since and message.text is not None and message.sender not in hidden
        ]


class StoreMachine(RuleBasedStateMachine):
    """The store, the model, and what a client of each user holds of each chat."""

    @initialize()
    def begin(self) -> None:
        """Begin with three users, a group of two of them, and their private chat."""
        self.make()
        self.open()
        self.write(*(UserCreated(f"u{user}", f"u{user}", None, NOW, None) for user in _USERS))
        self.write(GroupCreated("team", "team", (1, 2), NOW))
        self.model = {GLOBAL: _Chat(_USERS), _TEAM: _Chat((1, 2)), (1, 2): _Chat((1, 2))}
        self.blocks: set[frozenset[int]] = set()
        self.held: dict[tuple[int, ChatKey], tuple[dict[int, StoredMessage], int]] = {}
        self.now = NOW

    def teardown(self) -> None:
        """Check the database, and leave nothing behind."""
        if hasattr(self, "store"):
            self.store.close()
            self.check()

    def make(self) -> None:
        """Choose the place of the database."""
        self.folder = Path(tempfile.mkdtemp())

    def open(self) -> None:
        """Open the store."""
        self.store: Store = SQLiteStore(self.folder / "db", NoThreads(), lambda: NOW)

    def check(self) -> None:
        """Check that the database is sound, and delete it."""
        with opened(self.folder / "db") as connection:
            assert list(problems(connection)) == []
        shutil.rmtree(self.folder)

    def ask(self, asked: Deferred[Any]) -> Any:
        """Return a result of the store, which answers within the call."""
        results: list[Any] = []
        asked.addBoth(results.append)
        assert not isinstance(results[0], Exception), results
        return results[0]

    def write(self, *writes: Write[object]) -> list[Any]:
        """Commit writes."""
        results: list[Any] = self.ask(self.store.commit(writes))
        return results

    def hidden(self, user: int) -> set[int]:
        """Return the users that are hidden from a user."""
        return {other for block in self.blocks if user in block for other in block - {user}}

    def seq(self, chat: ChatKey, number: int) -> int:
        """Return the seq of some message of a chat, or the next one."""
        return 1 + number % (len(self.model[chat].messages) + 1)

    def tick(self) -> int:
        """Return the next time."""
        self.now += 1
        return self.now

    def as_seen(self, chat: ChatKey, seq: int, user: int) -> StoredMessage:
        """Return a message of the model as a user sees it."""
        message = self.model[chat].messages[seq - 1]
        hidden = self.hidden(user)
        marks: dict[str, list[int]] = {}
        for key, by in message.marks:
            if by not in hidden:
                marks.setdefault(key, []).append(by)
        assert message.text is not None
        return StoredMessage(
            chat, seq, message.sender, message.at, message.text, message.rev, message.edited_at,
            tuple(StoredMark(key, len(by), tuple(by), user in by) for key, by in marks.items()),
            tuple(sorted(message.to - hidden)), message.notice,
        )  # fmt: skip

    # Rules

    @rule(user=users, chat=chats, some=some_texts, to=st.sets(users), reply=st.none() | numbers, notices=numbers)
    def say(self, user: int, chat: ChatKey, some: list[str], to: set[int], reply: int | None, notices: int) -> None:
        """Send messages together. ``notices``: its bits say which of them are notices."""
        state = self.model[chat]
        if user not in state.since or (isinstance(chat, tuple) and self.hidden(user) & set(chat)):
            return
        hidden = self.hidden(user)
        reply = None if reply is None else self.seq(chat, reply)
        writes = []
        expected = []
        for number, text in enumerate(some):
            notice = bool(notices >> number & 1)
            at = self.tick()
            mentioned = {one for one in to if one in state.since}
            if reply is not None and state.since[user] < reply <= len(state.messages):
                answered = state.messages[reply - 1]
                if answered.text is not None and answered.sender in state.since:
                    mentioned.add(answered.sender)
            mentioned -= {user} | hidden
            calls = tuple(one for one in to if one in state.since)
            writes.append(MessageAdded(chat, user, text, at, None, 0, calls, reply, hidden, notice))
            state.messages.append(_Message(user, at, text, mentioned, notice))
            expected.append((len(state.messages), at, tuple(sorted(mentioned))))
        state.read[user] = len(state.messages)
        assert [(one.seq, one.at, one.to) for one in self.write(*writes)] == expected

    def change(
        self, write: Any, chat: ChatKey, seq: int, refuse: Callable[[_Message], Code | None], apply: Callable[..., Any]
    ) -> None:
        """Commit a change, which the model refuses too or applies too."""
        state = self.model[chat]
        found = dict(state.visible(write.user, self.hidden(write.user))).get(seq)
        code = Code.NO_SUCH_MESSAGE if found is None else refuse(found)
        (result,) = self.write(write)
        if found is None or code is not None:
            assert result == StoredChange(refusal=code), (result, code)
            return
        is_new, on = apply(found)
        if is_new:
            state.rev += 1
            found.rev = state.rev
        late = frozenset(user for user, since in state.since.items() if since >= seq) if is_new else frozenset()
        rev = state.rev if is_new else 0
        assert result == StoredChange(seq, rev, found.sender, write.at, found.at, on, is_new, late), result

    @rule(user=users, chat=chats, number=numbers, text=texts, age=st.integers(0, 60))
    def edit(self, user: int, chat: ChatKey, number: int, text: str, age: int) -> None:
        """Edit a message, within an age."""
        seq = self.seq(chat, number)
        at = self.tick()
        since = at - age

        def refuse(message: _Message) -> Code | None:
            if message.sender != user:
                return Code.NOT_YOURS
            return Code.TOO_LATE if message.at < since else None

        def apply(message: _Message) -> tuple[bool, bool]:
            message.text, message.edited_at = text, at
            return True, False

        self.change(MessageEdited(chat, seq, user, text, at, since, self.hidden(user)), chat, seq, refuse, apply)

    @rule(user=users, chat=chats, number=numbers, anyone=st.booleans())
    def delete(self, user: int, chat: ChatKey, number: int, anyone: bool) -> None:
        """Delete a message."""
        seq = self.seq(chat, number)

        def refuse(message: _Message) -> Code | None:
            return None if anyone or message.sender == user else Code.NOT_YOURS

        def apply(message: _Message) -> tuple[bool, bool]:
            message.text = None
            return True, False

        write = MessageDeleted(chat, seq, user, self.tick(), anyone, 0, self.hidden(user))
        self.change(write, chat, seq, refuse, apply)

    @rule(user=users, chat=chats, number=numbers, key=keys, on=st.none() | st.booleans())
    def mark(self, user: int, chat: ChatKey, number: int, key: str, on: bool | None) -> None:
        """Put a mark on a message, or take it off."""
        seq = self.seq(chat, number)

        def apply(message: _Message) -> tuple[bool, bool]:
            was = (key, user) in message.marks
            now = not was if on is None else on
            if now and not was:
                message.marks[key, user] = None
            elif was and not now:
                del message.marks[key, user]
            return was != now, now

        write = MarkSet(chat, seq, user, key, key, on, self.tick(), self.hidden(user))
        self.change(write, chat, seq, lambda message: None, apply)

    @rule(user=users, chat=chats, number=numbers)
    def read(self, user: int, chat: ChatKey, number: int) -> None:
        """Move a marker."""
        seq = self.seq(chat, number)
        state = self.model[chat]
        self.write(MarkerMoved(user, chat, seq))
        if user in state.read:
            state.read[user] = max(state.read[user], min(seq, len(state.messages)))

    @rule(pair=st.sets(users, min_size=2, max_size=2).map(frozenset))
    def block(self, pair: frozenset[int]) -> None:
        """Begin or end a block, which the core gives to the store with each call. Their clients begin again."""
        self.blocks ^= {pair}
        self.held = {(user, chat): held for (user, chat), held in self.held.items() if user not in pair}

    @rule(user=st.sampled_from([2, 3]))
    def join_or_leave(self, user: int) -> None:
        """Add a user to the group, or remove it."""
        state = self.model[_TEAM]
        self.held.pop((user, _TEAM), None)
        if user in state.since:
            self.write(MemberRemoved(_TEAM, user, 1, user))
            del state.since[user], state.read[user]
        else:
            self.write(MemberAdded(_TEAM, user, 1))
            state.since[user] = state.read[user] = len(state.messages)

    @rule(sender=users, chat=st.sampled_from([GLOBAL, _TEAM]), count=st.sampled_from([0, 0, 0, 1, 2]))
    def delete_all(self, sender: int, chat: ChatKey, count: int) -> None:
        """Delete messages of a user as the administrator does, which is no change. Clients begin again."""
        places = []
        for seq, message in enumerate(self.model[chat].messages, 1):
            if message.sender == sender and message.text is not None and len(places) < count:
                places.append((chat, seq))
                message.text = None
        if places:
            self.write(MessagesDeleted(tuple(places)))
            self.held.clear()

    @rule()
    def reopen(self) -> None:
        """Close and open the store."""
        self.store.close()
        self.open()

    @rule(user=users, chat=chats, limit=st.integers(1, 4))
    def catch_up(self, user: int, chat: ChatKey, limit: int) -> None:
        """A client that holds an older state gets the changes since, then the new messages, and holds what there is."""
        hidden = self.hidden(user)
        known, rev = self.held.get((user, chat), ({}, -1))
        if rev >= 0:
            more = True
            while more:
                page = self.ask(self.store.page(PageQuery(user, chat, limit, after_rev=rev, hidden=hidden)))
                revs = sorted([*(message.rev for message in page.messages), *page.deleted_revs])
                assert len(revs) <= limit and all(rev < one <= page.rev for one in revs)
                assert [one.rev for one in page.messages] == sorted({one.rev for one in page.messages})
                last = max(known, default=0)
                known.update({message.seq: message for message in page.messages if message.seq <= last})
                for seq in page.deleted:
                    known.pop(seq, None)
                assert page.rev > rev or not page.more
                rev, more = page.rev, page.more
        last, more = max(known, default=0), True
        while more:
            page = self.ask(self.store.page(PageQuery(user, chat, limit, after=last, hidden=hidden)))
            known.update({message.seq: message for message in page.messages})
            last, more = max(known, default=0), page.more
        self.held[user, chat] = known, self.model[chat].rev if user in self.model[chat].since else 0
        seen = self.model[chat].visible(user, hidden)
        assert known == {seq: self.as_seen(chat, seq, user) for seq, _ in seen}

    @rule(user=users, chat=chats, number=numbers, limit=st.integers(1, 6))
    def look_around(self, user: int, chat: ChatKey, number: int, limit: int) -> None:
        """Pages around a message and from its time on have its neighbours."""
        around = self.seq(chat, number)
        seen = [seq for seq, _ in self.model[chat].visible(user, self.hidden(user))]
        earlier, later = [seq for seq in seen if seq < around], [seq for seq in seen if seq >= around]
        half = limit // 2
        page = self.ask(self.store.page(PageQuery(user, chat, limit, around=around, hidden=self.hidden(user))))
        expected = earlier[len(earlier) - min(half, len(earlier)) :] + later[: limit - half]
        assert [message.seq for message in page.messages] == expected
        assert page.more == (len(later) > limit - half or len(earlier) > half)
        if around <= len(self.model[chat].messages):
            at = self.model[chat].messages[around - 1].at
            page = self.ask(self.store.page(PageQuery(user, chat, limit, since=at, hidden=self.hidden(user))))
            assert [message.seq for message in page.messages] == later[:limit]

    # What holds after each step

    @invariant()
    def pages(self) -> None:
        """Each user's pages and list of chats are those of the model."""
        for user in _USERS:
            hidden = self.hidden(user)
            expected = {}
            for chat, state in self.model.items():
                seen = state.visible(user, hidden)
                page = self.ask(self.store.page(PageQuery(user, chat, 500, hidden=hidden)))
                assert page.messages == [self.as_seen(chat, seq, user) for seq, _ in seen]
                if user not in state.since:
                    continue
                own = [
                    (seq, message)
                    for seq, message in enumerate(state.messages, 1)
                    if seq > state.since[user] and message.sender not in hidden
                ]
                end, end_at = (own[-1][0], own[-1][1].at) if own else (0, None)
                unread = [message for seq, message in seen if seq > state.read[user]]
                mentions = sum(user in message.to for message in unread)
                assert (page.rev, page.end) == (state.rev, end)
                if end or not isinstance(chat, tuple):
                    read = min(state.read[user], end)
                    expected[chat] = StoredChat(chat, end, end_at, read, len(unread), state.rev, mentions)
            assert {one.chat: one for one in self.ask(self.store.chats(user, hidden))} == expected

    @invariant()
    def searches(self) -> None:
        """A search of each user for words, a mark or mentions finds what the model has, and nothing else."""
        for user in _USERS:
            hidden = self.hidden(user)
            seen = [
                (message.at, self.as_seen(chat, seq, user), message)
                for chat, state in self.model.items()
                for seq, message in state.visible(user, hidden)
            ]
            seen.sort(key=lambda one: -one[0])
            words, mark, mentions = _SEARCHES[(self.now + user) % len(_SEARCHES)]
            found, more = self.ask(
                self.store.search(SearchQuery(user, words, None, hidden, 500, mark=mark, mentions=mentions))
            )
            expected = [
                one
                for _, one, message in seen
                if all(word.casefold() in one.text.casefold().split() for word in words)
                and (mark is None or mark in [put.mark for put in one.marks])
                and (not mentions or user in message.to)
            ]
            assert (found, more) == (expected, False), (words, mark, mentions)
