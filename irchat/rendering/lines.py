"""Render an event as readable lines for the text protocol and the plain client. No control sequence passes."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, tzinfo
from typing import NamedTuple, Never

from irchat.protocol import events, requests
from irchat.protocol.rules import visible
from irchat.system.clock import wall_ms
from irchat.text.cells import cells, padded
from irchat.text.excerpts import find, shorten

# The beginning of a line that is not a message.
OWN_MARK = "-- "
# Behind the name of the sender: no name contains a comma.
_EDITED = ", edited"
_INDENT = "    "
_NAMES_A_LINE = 20
_PRESENCE_LINES = 20
# Readable on light and on dark backgrounds.
_NAME_COLOURS = (31, 32, 33, 34, 35, 36, 91, 92, 94, 95)
_DIM, _BOLD, _UNDERLINE, _RED, _YELLOW = 2, 1, 4, 31, 33
_ALERTS = {"all": "every message", "mentions": "messages that mention you", "none": "nothing"}
# The length of an excerpt, in cells.
_EXCERPT_CELLS = 300
# The most characters of a page that are searched for each word: some 20 ms of work.
_LOOKED_THROUGH = 20_000


Place = tuple[str, int]
"""The place of a stored message: its chat, as its reader sees it, and its seq."""


class TextLine(NamedTuple):
    """One line for a screen. ``timed``: the id of the timed message in it. ``stored``: the place of the stored one."""

    text: str
    timed: str | None = None
    stored: Place | None = None


class Renderer:
    """Renders events for one kind of reader.

    ``colour``: with ANSI colours. ``zone``: the time zone of shown times, None for the system's. ``withhold_timed``:
    show that a timed message came, and never its text. ``wall_ms``: the wall clock, for the current day.
    """

    def __init__(
        self,
        *,
        colour: bool,
        zone: tzinfo | None = None,
        withhold_timed: bool = False,
        wall_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self._colour = colour
        self._zone = zone
        self._withhold_timed = withhold_timed
        self._wall_ms = wall_ms

    def lines(self, event: events.Event, asked: requests.Request | None = None) -> list[TextLine]:
        """Return the lines that show ``event``, the answer to ``asked``. An event that is not for people has none."""
        if isinstance(asked, requests.Search) and isinstance(event, events.Found):
            return list(self._found(event, asked.words))
        if isinstance(asked, requests.History) and isinstance(event, events.History):
            if asked.unread and not event.messages:
                return [self.note(f"{event.chat}: nothing is unread")]
            return list(self._history(event, asked.around))
        if asked is not None and isinstance(event, events.Amended):
            return [self._changed(event)]
        render = _RENDERERS.get(type(event))
        return [] if render is None else list(render(self, event))  # type: ignore[arg-type]  # chosen by its type

    def note(self, text: str) -> TextLine:
        """Return a line that is not a message: ``-- text``."""
        return TextLine(self._paint(f"{OWN_MARK}{_one_line(text)}", _DIM))

    def _paint(self, text: str, *codes: int) -> str:
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m" if self._colour else text

    def _name(self, name: str) -> str:
        safe = _one_line(name)
        return self._paint(safe, _BOLD, _NAME_COLOURS[zlib.crc32(safe.casefold().encode()) % len(_NAME_COLOURS)])

    def _today(self) -> date:
        return datetime.fromtimestamp(self._wall_ms() / 1000, self._zone).date()

    def _place(self, at: str, chat: str, seq: int | None) -> str:
        """Return the time and the chat. What stands in the second brackets is typed to refer to the message."""
        local = local_time(at, self._zone)
        number = "" if seq is None else f" #{seq}"
        return self._paint(f"[{local:%H:%M}]" if local else "[--:--]", _DIM) + f" [{_one_line(chat)}{number}] "

    def _head(self, message: events.Message) -> str:
        head = self._place(message.at, message.chat, message.seq)
        if message.id is not None:
            seconds = max(0, -(-(message.left_ms or 0) // 1000))
            head += self._paint(f"({seconds}s)", _YELLOW) + " "
        return f"{head}{self._name(message.sender)}{_EDITED if message.edited is not None else ''}: "

    def _text(self, message: events.Message) -> str:
        if message.id is not None and self._withhold_timed:
            return "(a timed message; its text is shown only on a terminal)"
        return visible(message.text)

    def _message(self, message: events.Message) -> Iterator[TextLine]:
        stored = None if message.seq is None else (message.chat, message.seq)
        first, *others = self._text(message).split("\n")
        yield TextLine(self._head(message) + first, message.id, stored)
        for other in others:
            yield TextLine(_INDENT + other, message.id, stored)

    def _messages(self, messages: Iterable[events.Message], alone: int | None) -> Iterator[TextLine]:
        """Return the lines of messages, with a line before each day other than today.

        ``alone``: the seq of the message that is shown with its edit and its marks.
        """
        day = self._today()
        for message in messages:
            local = local_time(message.at, self._zone)
            if local and local.date() != day:
                day = local.date()
                yield self.note(f"{day:%A, %Y-%m-%d}")
            yield from self._message(message)
            if alone is not None and message.seq == alone:
                yield from self._details(message, alone)

    def _details(self, message: events.Message, seq: int) -> Iterator[TextLine]:
        """Return the lines that show when a message was edited, and its marks."""
        details = []
        if message.edited is not None:
            details.append(f"edited {self._moment(message.edited)}")
        for mark in message.marks or ():
            others = mark.count - len(mark.names)
            more = f" and {others:,} more" if others > 0 else ""
            details.append(f"{mark.mark} {mark.count:,}: {', '.join(mark.names)}{more}")
        for detail in details:
            yield self.note(f"#{seq} {detail}")._replace(stored=(message.chat, seq))

    def _moment(self, at: str) -> str:
        """Return a time, with its day unless it is today."""
        local = local_time(at, self._zone)
        if local is None:
            return "at an unknown time"
        return f"{local:%H:%M}" if local.date() == self._today() else f"{local:%Y-%m-%d %H:%M}"

    def _amended(self, amended: events.Amended) -> Iterator[TextLine]:
        """Return the lines of an edit or a mark. A deletion shows as lines that are gone."""
        stored = amended.chat, amended.seq
        if amended.text is not None and amended.edited is not None:
            author = f"{self._name(amended.by)}{_EDITED}" if amended.by else "edited"
            head = f"{self._place(amended.at, amended.chat, amended.seq)}{author}: "
            first, *others = visible(amended.text).split("\n")
            yield TextLine(head + first, None, stored)
            for other in others:
                yield TextLine(_INDENT + other, None, stored)
        elif amended.mark is not None:
            yield self._changed(amended, f"{amended.by}: ")

    def _changed(self, amended: events.Amended, by: str = "") -> TextLine:
        """Return the line that reports a change."""
        place = f"{amended.chat} #{amended.seq}"
        if amended.deleted:
            text = f"deleted {place}"
        elif amended.mark is None:
            text = f"edited {place}"
        else:
            text = f"{amended.mark} {'taken off' if amended.on is False else 'on'} {place}"
        return self.note(by + text)

    def _alert(self, alert: events.Alert) -> Iterator[TextLine]:
        yield self.note(f"{alert.chat} alerts you to {_ALERTS.get(alert.alert, alert.alert)}")

    def _sent(self, sent: events.Sent) -> Iterator[TextLine]:
        if sent.id is not None:
            seconds = max(0, -(-(sent.left_ms or 0) // 1000))
            note = f"timed message to {sent.chat}: {sent.reached} of {sent.of} have it now; erased in {seconds} s"
            yield self.note(note)._replace(timed=sent.id)

    def _welcome(self, welcome: events.Welcome) -> Iterator[TextLine]:
        name = self._name(welcome.name)
        yield TextLine(f"Welcome to IRChat, {name}!" if welcome.new else f"Welcome back, {name}.")
        if welcome.unread:
            yield TextLine("Unread messages (ls -n <chat_name> shows them):")
            yield from self._columns((unread.chat, _unread(unread)) for unread in welcome.unread)
        elif not welcome.new:
            yield TextLine("Nothing unread.")
        shown = ", ".join(self._name(name) for name in welcome.online[:_NAMES_A_LINE])
        hidden = welcome.online_count - min(len(welcome.online), _NAMES_A_LINE)
        yield TextLine(f"Online ({welcome.online_count:,}): {shown}" + (f" and {hidden:,} more" if hidden > 0 else ""))
        yield TextLine("Type a message and it goes to everyone; !help shows what else you can type.")

    def _columns(self, rows: Iterable[tuple[str, ...]]) -> Iterator[TextLine]:
        table = [tuple(_one_line(text) for text in row) for row in rows]
        widths = [max(map(cells, column)) for column in zip(*table, strict=True)]
        for row in table:
            yield TextLine("  " + "  ".join(map(padded, row, widths)).rstrip())

    def _history(self, history: events.History, alone: int | None = None) -> Iterator[TextLine]:
        """Return the lines of a page. ``alone``: the seq of the message for which it was requested."""
        if not history.messages:
            yield self.note(f"{history.chat}: no messages to show")
            return
        yield self.note(f"{history.chat}:" + (" (there is more)" if history.more else ""))
        yield from self._messages(history.messages, alone)
        if alone is not None and all(message.seq != alone for message in history.messages):
            yield self.note(f"there is no #{alone} that you can see")
        yield self.note(f"end of {history.chat}")

    def _found(self, found: events.Found, words: str = "") -> Iterator[TextLine]:
        if not found.messages:
            yield self.note("nothing found")
            return
        yield self.note("found, newest first:")
        room = _LOOKED_THROUGH
        for message in found.messages:
            local = local_time(message.at, self._zone)
            day = self._paint(f"{local:%Y-%m-%d} ", _DIM) if local else ""
            text = self._text(message)
            # Past this limit no words are marked, so that rendering never takes long.
            hit = shorten(find(text, words) if room > 0 else find(text[: 2 * _EXCERPT_CELLS], ""), _EXCERPT_CELLS)
            room -= len(text) * len(words.split())
            pieces = (self._paint(text, _BOLD, _UNDERLINE) if is_word else text for text, is_word in hit.pieces())
            stored = None if message.seq is None else (message.chat, message.seq)
            yield TextLine(day + self._head(message) + "".join(pieces), message.id, stored)
        if found.more and words:
            yield self.note("there is more; use more words, or search in one chat: ls <chat_name> ?<words>")
        elif found.more:
            yield self.note("there is more than is shown")

    def _chats(self, chats: events.Chats) -> Iterator[TextLine]:
        yield self.note("your chats, latest first:")
        yield from self._columns(
            (chat.chat, _unread(chat) if chat.unread else "", self._when(chat.last_at)) for chat in chats.chats
        )

    def _when(self, at: str | None) -> str:
        local = local_time(at, self._zone) if at else None
        if local is None:
            return "no messages yet"
        return f"{local:%H:%M}" if local.date() == self._today() else f"{local:%Y-%m-%d}"

    def _users(self, users: events.Users) -> Iterator[TextLine]:
        for label, names in ("online", users.online), ("offline", users.offline):
            for start in range(0, len(names), _NAMES_A_LINE):
                row = ", ".join(self._name(name) for name in names[start : start + _NAMES_A_LINE])
                yield TextLine(f"{label + ':':9}{row}")
        if users.more:
            yield self.note("there are more users than shown")

    def _group(self, group: events.Group) -> Iterator[TextLine]:
        names = ", ".join(map(self._name, group.members))
        yield TextLine(f"{_one_line(group.group)}, owner {self._name(group.owner)}: {names}")

    def _added(self, added: events.Added) -> Iterator[TextLine]:
        yield self.note(f"{added.by} added {added.name} to {added.group}")

    def _removed(self, removed: events.Removed) -> Iterator[TextLine]:
        if removed.by == removed.name:
            yield self.note(f"{removed.name} left {removed.group}")
        else:
            yield self.note(f"{removed.by} removed {removed.name} from {removed.group}")

    def _presence(self, presence: events.Presence) -> Iterator[TextLine]:
        for names, what in (presence.online, "connected"), (presence.offline, "disconnected"):
            if len(names) > _PRESENCE_LINES:
                yield self.note(f"{len(names):,} users {what}")
            else:
                yield from (self.note(f"{name} {what}") for name in names)

    def _blocks(self, blocks: events.Blocks) -> Iterator[TextLine]:
        yield self.note(f"you block: {', '.join(blocks.names)}" if blocks.names else "you block nobody")

    def _sessions(self, listed: events.Sessions) -> Iterator[TextLine]:
        yield self.note("your sessions, oldest first:")
        yield from self._columns(
            (str(number), one.label, *self._session(one)) for number, one in enumerate(listed.sessions, 1)
        )
        if listed.unlisted:
            what = "session that has" if listed.unlisted == 1 else "sessions that have"
            yield self.note(f"online, too: {listed.unlisted:,} {what} no saved sign-in, as in IRC and by SSH key")
        if listed.more:
            yield self.note("there are more, which were not used for longer")
        yield self.note("!sessions end <number> ends one, !sessions end others all except this one")

    def _session(self, one: events.ListedSession) -> tuple[str, str]:
        """Return the columns of a session: its beginning and its state."""
        since = "" if one.since is None else f"since {self._moment(one.since)}"
        used = local_time(one.used, self._zone)
        if one.online:
            return since, "online, this one" if one.this else "online"
        return since, f"last used {used:%Y-%m-%d}" if used else ""

    def _keys(self, listed: events.Keys) -> Iterator[TextLine]:
        if listed.keys:
            yield self.note("your keys for SSH, oldest first:")
            yield from self._columns(
                (str(key.number), key.kind, key.fingerprint, key.comment, self._last_use(key.used))
                for key in listed.keys
            )
            yield self.note("!keys remove <number> ends one")
        else:
            yield self.note("you have no keys for SSH: !keys add <public_key> adds one, from ~/.ssh/id_ed25519.pub")
        if listed.offered:
            yield self.note("your ssh has offered these, which !keys add <number> adds:")
            yield from self._columns((str(key.number), key.kind, key.fingerprint) for key in listed.offered)

    def _last_use(self, used: str | None) -> str:
        return "never used" if used is None else f"last used {self._moment(used)}"

    def _help(self, manual: events.Help) -> Iterator[TextLine]:
        yield from (TextLine(visible(line)) for line in manual.text.split("\n"))

    def _error(self, error: events.Error) -> Iterator[TextLine]:
        yield TextLine(self._paint(f"! {_one_line(error.text)}", _RED))
        if error.usage:
            yield from (TextLine(f"  usage: {visible(usage)}") for usage in error.usage.split("\n"))

    def _bye(self, bye: events.Bye) -> Iterator[TextLine]:
        yield self.note(f"goodbye: {bye.reason}")

    def _ok(self, _: events.Ok) -> Iterator[TextLine]:
        yield self.note("done")

    def _pong(self, _: events.Pong) -> Iterator[TextLine]:
        yield self.note("pong")


_RENDERERS: dict[type[events.Event], Callable[[Renderer, Never], Iterator[TextLine]]] = {
    events.Message: Renderer._message,
    events.Sent: Renderer._sent,
    events.Amended: Renderer._amended,
    events.Alert: Renderer._alert,
    events.Welcome: Renderer._welcome,
    events.History: Renderer._history,
    events.Found: Renderer._found,
    events.Chats: Renderer._chats,
    events.Users: Renderer._users,
    events.Group: Renderer._group,
    events.Added: Renderer._added,
    events.Removed: Renderer._removed,
    events.Presence: Renderer._presence,
    events.Blocks: Renderer._blocks,
    events.Sessions: Renderer._sessions,
    events.Keys: Renderer._keys,
    events.Help: Renderer._help,
    events.Error: Renderer._error,
    events.Bye: Renderer._bye,
    events.Ok: Renderer._ok,
    events.Pong: Renderer._pong,
}


def _unread(chat: events.UnreadChat | events.Chat) -> str:
    mentions = f", {chat.mentions:,} for you" if chat.mentions else ""
    return f"{chat.unread:,} unread{mentions}"


def local_time(at: str, zone: tzinfo | None) -> datetime | None:
    """Convert a wire time to ``zone``, or to the local time zone if that is None. Return None for an invalid time."""
    try:
        return datetime.fromisoformat(at).astimezone(zone)
    except (ValueError, OverflowError):
        return None


def _one_line(text: str) -> str:
    return visible(text).replace("\n", "\u240a").replace("\t", "\u2409")
