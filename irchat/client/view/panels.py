"""Paint the parts of the screen as rows: the pane, the list of chats, the header, the status line."""

from datetime import tzinfo

from irchat.client.control.referring import typed_reference
from irchat.client.control.typed import BETWEEN_USAGES, Hint, hint
from irchat.client.view.chat_state import ChatState
from irchat.client.view.items import Item, Kind
from irchat.client.view.key_table import KEYS, Category, KeyMap, KeyRow, keys
from irchat.client.view.listing import first_row
from irchat.client.view.manual import manual
from irchat.client.view.navigation import Place
from irchat.client.view.pane import Paint
from irchat.client.view.rows import Brush, Row, at_bottom, column, filled, one_line, styled
from irchat.client.view.screen_state import ScreenState
from irchat.commands import Registry
from irchat.commands.full_screen import SCREEN
from irchat.commands.registry import offered
from irchat.protocol.rules import GLOBAL_NAME
from irchat.text.cells import cells, fit, wrap
from irchat.text.links import Link

_NUMBERED = 9
# Chats with unread messages that the status line names, and the length of each name.
_WAITING, _WAITING_CELLS = 4, 16
# The length of a message in the status line.
_REFERRED_CELLS = 60


class Painter:
    """Paint the screen state. ``zone`` is the time zone of displayed times, None for the local one."""

    def __init__(
        self,
        view: ScreenState,
        zone: tzinfo | None = None,
        language: Registry = SCREEN,
        key_map: KeyMap = KEYS,
    ) -> None:
        self._keys = key_map
        self._view = view
        self._zone = zone
        self._language = language

    def pane(self, width: int, height: int, now: float) -> list[Row]:
        """Return exactly ``height`` rows for the pane."""
        view = self._view
        view.pane.height, view.pane.drawn = height, None
        if view.manual is not None:
            rows = self._manual(view.manual, width, height)
        elif view.filter is not None:
            rows = self._choices(width, height)
        elif view.choice.links is not None:
            rows = self._links(view.choice.links, width, height)
        elif view.place is Place.CHAT and view.open is not None:
            return at_bottom(self._chat(view.open, width, height, now), height)
        elif view.place is Place.FOUND:
            rows = self._found(width, height, now)
        elif view.place is Place.HOME:
            rows = self._home(width, height, now)
        else:
            return at_bottom(self._own_lines(width, height, now), height)
        return [*rows[:height], *[Row(())] * (height - len(rows))]

    def paint(self, width: int, now: float) -> Paint:
        """Return a function that paints the items of the open chat, for `irchat.client.view.pane.Pane`."""
        chat = self._view.here
        brush = self._brush(chat, width, now)
        unread = chat.first_unread
        return lambda index: self._item_rows(brush, chat, index, unread)

    def header(self, width: int) -> Row:
        """Return the row above the pane, which names its content."""
        title, detail = self._title(width)
        rest = f"  {fit(detail, max(0, width - cells(title) - 4))}" if detail else ""
        return filled(width, ("class:title", f" {title}"), ("class:detail", rest), fill="class:header")

    def sidebar(self, width: int, height: int, *, with_online: bool = True) -> list[Row]:
        """Return the rows of the sidebar: the chats with their unread counts, and the users who are online."""
        if with_online:
            room = max(3, height - min(len(self._view.online) + 3, height // 3))
            rows = [*self._side_chats(width, room), Row(())]
            rows += self._online(width, height - len(rows))
        else:
            rows = self._side_chats(width, height)
        return [*rows[:height], *[Row(())] * (height - len(rows))]

    def people(self, width: int, height: int) -> list[Row]:
        """Return the rows of the list at the right: the members of the open group, or the users who are online."""
        view, roster = self._view, self._view.here.roster
        if roster.is_known:
            members = sorted(roster.names, key=lambda name: name not in view.online)
            names = [(f"{name} (owner)" if name == roster.owner else name, name in view.online) for name in members]
            rows = column(f"Members {len(members):,}", names, width, height)
        else:
            rows = self._online(width, height)
        return [*rows, *[Row(())] * (height - len(rows))]

    def _online(self, width: int, height: int) -> list[Row]:
        names = [(name, True) for name in self._view.online if name != self._view.me]
        return column(f"Online {self._view.online_count:,}", names, width, height)

    def status(self, width: int, max_rows: int, line: str, trouble: str) -> list[Row]:
        """Return the status line in at most ``max_rows`` rows.

        An error (``trouble``) comes first, then the usage of the command in ``line``, then the general state.
        """
        view = self._view
        if trouble:
            return _status_rows(trouble, "class:wrong", width, max_rows)
        if view.waits:
            return _status_rows(view.waits, "class:hint", width, max_rows)
        if view.is_choosing and not view.link:
            return _status_rows(self._choosing(), "class:hint", width, max_rows)
        if not view.link and (usage := self._hint(line)) is not None:
            return _status_rows(usage.text, "class:wrong" if usage.wrong else "class:hint", width, max_rows)
        if view.link:
            style = "class:status" if view.link.startswith(("connecting", "signing in")) else "class:wrong"
            return _status_rows(view.link, style, width, max_rows)
        return [self._state(width)]

    def _state(self, width: int) -> Row:
        """Return the row with the user, the number of users online, and the chats in which something is unread."""
        view, right = self._view, self._right()
        waiting = [chat for chat in view.waiting() if not self._is_open(chat)]
        names = ", ".join(f"{fit(chat.name, _WAITING_CELLS)} {chat.unread_label}" for chat in waiting[:_WAITING])
        more = f" and {len(waiting) - _WAITING:,} more" if len(waiting) > _WAITING else ""
        unread = f"{sum(chat.unread for chat in waiting):,} unread: {names}{more}" if names else ""
        whole = [f"{view.me}@{view.server}", f"{view.online_count:,} online", unread]
        room = width - cells(right) - 2
        for parts in whole, [whole[0], unread], [view.me, unread], [unread or view.me]:
            left = "  ·  ".join(filter(None, parts))
            if cells(left) < room:
                break
        left = fit(left, max(0, room - 1))
        text = f" {left}{' ' * max(1, room - cells(left))}{right}"
        return filled(width, ("class:status", text), fill="class:status")

    def _right(self) -> str:
        view = self._view
        if view.place is Place.CHAT and view.open is not None and (not view.pane.follows or view.open.newer):
            new = f"{view.open.unread:,} new below" if view.open.unread else "more below"
            return f"↓ {new}: End"
        if view.place is Place.FOUND:
            return "↑↓ Enter: open  Esc: back"
        return "Ctrl-K: chats  F1: help"

    def _choosing(self) -> str:
        """Return the keys on the chosen message."""
        view = self._view
        if view.choice.links is not None:
            return "↑↓ Enter: copy an address, open a message  Esc: back"
        item = view.choice.item(view.here.items)
        shown = [key for key in keys(Category.MESSAGE) if key is not KeyRow.CHOOSE]
        number = f"#{item.seq}  " if item is not None else ""
        each = [*(f"{self._keys.shown(key)}: {key.help}" for key in shown), "Esc: back"]
        return number + "  ".join(text.replace(" ", "\xa0") for text in each)

    def _hint(self, line: str) -> Hint | None:
        """Return the message to which the line refers, and the usage of the command in it."""
        view = self._view
        if view.filter is not None:
            return None
        usage = hint(line, self._offered)
        reference = typed_reference(line, view, self._offered) if "around" in view.features else None
        if reference is None:
            return usage
        chat, seq = reference
        item = view.quoted(chat, seq)
        if item is not None:
            text = fit(one_line(item), _REFERRED_CELLS)
        elif chat.was_deleted(seq):
            text = "was deleted"
        else:
            text = "cannot be seen here" if seq in chat.quotes else "…"
        text = f"#{seq} {text}"
        return Hint(text) if usage is None else usage._replace(text=BETWEEN_USAGES.join((text, usage.text)))

    @property
    def _offered(self) -> Registry:
        return offered(self._language, self._view.features)

    def _title(self, width: int) -> tuple[str, str]:
        """Return the title and the detail of a header of ``width`` cells."""
        view = self._view
        if view.manual is not None:
            return "Keys and commands", "F1 goes back"
        if view.choice.links is not None:
            return "Links", "of the chosen message"
        if view.filter is not None:
            return "Go to", "type a part of the name, ↑↓ and Enter; Esc goes back"
        match view.place:
            case Place.CHAT if view.open is not None:
                name = view.open.name
                return name, self._chat_detail(view.open, width - cells(name) - 4)
            case Place.FOUND:
                return "Found", f"{view.found_for}"
            case Place.HOME:
                muted = " in chats that alert you" * any(chat.unread for chat in view.chats.values())
                return (
                    "Unread",
                    f"{view.unread:,} message{'s' * (view.unread > 1)}" if view.unread else f"nothing{muted}",
                )
        return "IRChat", view.server

    def _chat_detail(self, chat: ChatState, width: int) -> str:
        if chat.gone:
            return f"{chat.gone.rstrip('.')}. Nothing can be sent here."
        pins = f"{chat.pins}  ·  " if str(chat.pins) else ""
        if chat.is_private:
            return pins + ("online" if chat.name[1:] in self._view.online else "away: reads it later")
        if chat.roster.is_known:
            return pins + chat.roster.line(width - cells(pins))
        return pins + ("everyone" if chat.name == GLOBAL_NAME else "group")

    def _manual(self, first: int, width: int, height: int) -> list[Row]:
        """Return the rows of the manual from ``first`` on, or its last ``height`` rows."""
        rows = manual(width, self._offered, self._keys)
        first = self._view.manual = max(0, min(first, len(rows) - height))
        if first + height < len(rows):
            rows[first + height - 1] = Brush(width, 0).rule("PgDn: more", "class:day")
        return rows[first : first + height]

    def _brush(self, chat: ChatState, width: int, now: float) -> Brush:
        widest = max(chat.name_width, cells(self._view.me))
        return Brush(width, now, name_width=widest, zone=self._zone, me=self._view.me)

    def _chat(self, chat: ChatState, width: int, height: int, now: float) -> list[Row]:
        if not chat.items and chat.loading:
            return [Row((("class:note", "  loading"),))]
        if not chat.items and not chat.gone:
            return [Row((("class:note", "  No messages yet. What you type goes here."),))]
        pane, choice, paint = self._view.pane, self._view.choice, self.paint(width, now)
        if (chosen := choice.item(chat.items)) is not None:
            choice.key = chosen.key
            pane.reveal(chat.items, paint, chat.items.index(chosen))
        return pane.rows(chat.items, paint, height)

    def _item_rows(self, brush: Brush, chat: ChatState, index: int, unread: Item | None) -> list[Row]:
        item = chat.items[index]
        before = next((chat.items[at] for at in range(index - 1, -1, -1) if chat.items[at].kind is Kind.MESSAGE), None)
        is_marked = item.seq is not None and item.seq == chat.marked
        rows = brush.rows(
            item, before, unread_line=item is unread, quote=self._quote(chat, item), with_details=is_marked
        )
        if is_marked and not self._view.is_choosing:
            rows = styled(rows, "class:marked")
        if item.seq is not None and item.key == self._view.choice.key:
            rows = styled(rows, "class:chosen")
        if index == 0 and chat.older:
            rows = [brush.rule("PgUp: older", "class:day"), *rows]
        return rows

    def _quote(self, chat: ChatState, item: Item) -> Item | None:
        """Return the message that an item answers, if it can be had."""
        answered = item.reply_to
        if answered is None or "around" not in self._view.features:
            return None
        return self._view.quoted(chat, answered)

    def _own_lines(self, width: int, height: int, now: float) -> list[Row]:
        own = self._view.own
        brush = self._brush(own, width, now)
        rows = [row for item in own.items[-height:] for row in brush.rows(item, None, unread_line=False)]
        return rows[-height:] if height > 0 else []

    def _home(self, width: int, height: int, now: float) -> list[Row]:
        view = self._view
        own = self._own_lines(width, max(0, height - 4), now)
        rows = self._choices(width, height - len(own) - 2)
        if rows and not any(chat.unread for chat in view.listed()):
            rows = [
                Row((("class:note", "  Nothing unread. The latest chats:"),)),
                *rows[: max(1, height - len(own) - 3)],
            ]
        elif not rows:
            texts = ["", "  Nothing unread.", "", "  Ctrl-K goes to a chat; @bob text goes to bob alone.",
                     "  F1 shows keys and commands."]  # fmt: skip
            rows = [Row((("class:note", fit(text, width)),)) for text in texts]
        elif not view.own.items:
            rows += [Row(()), Row((("class:note", fit("  ↑↓ and Enter open one; Ctrl-N goes to the next.", width)),))]
        return [*rows, Row(()), *own] if own else rows

    def _links(self, links: list[Link], width: int, height: int) -> list[Row]:
        chosen = self._view.choice.cursor.settle(links)
        first = first_row(chosen, len(links), height)
        return [
            filled(width, ("class:choice", f"▸ {link.text}"), fill="class:chosen")
            if number == chosen
            else Row((("class:choice", f"  {fit(link.text, width - 2)}"),))
            for number, link in enumerate(links[first : first + height], first)
        ]

    def _choices(self, width: int, height: int) -> list[Row]:
        view = self._view
        chats = view.listed()
        chosen = view.cursor.settle(view.choices())
        first = first_row(chosen, len(chats), max(1, height))
        return [
            self._choice(chat, width, is_chosen=number == chosen)
            for number, chat in enumerate(chats[first : first + max(1, height)], first)
        ]

    def _choice(self, chat: ChatState, width: int, *, is_chosen: bool) -> Row:
        count = f"{chat.unread_label} unread" if chat.unread else "left" if chat.gone else ""
        name = fit(chat.name, width - 18)
        pad = " " * max(1, 34 - cells(name)) if width >= 60 else " " * max(1, width - 16 - cells(name))
        if is_chosen:
            return filled(width, ("class:choice", f"▸ {name}{pad}{count}"), fill="class:chosen")
        dim = chat.is_muted
        return Row((("class:muted" if dim else "class:choice", f"  {name}"), ("", pad),
                    ("class:muted" if dim else "class:unread", count)))  # fmt: skip

    def _found(self, width: int, height: int, now: float) -> list[Row]:
        view = self._view
        if not view.found:
            return [Row((("class:note", "  Nothing found."),))]
        brush = Brush(width, now, name_width=max(cells(item.sender) for item in view.found), zone=self._zone)
        rows: list[Row] = []
        chosen, chosen_ends = view.cursor.settle(view.choices()), 0
        before: Item | None = None
        for number, item in enumerate(view.found):
            painted = brush.rows(item, before, unread_line=False, with_chat=True)
            before = item
            if number == chosen:
                painted = styled(painted, "class:chosen")
                chosen_ends = len(rows) + len(painted)
            rows += painted
        first = first_row(chosen_ends, len(rows), height)
        return rows[first : first + height]

    def _side_chats(self, width: int, height: int) -> list[Row]:
        """Return as many chats as fit, including the open one, and how many are above and below."""
        chats = self._view.chats.in_order()
        if len(chats) <= height:
            return [self._side_chat(number, chat, width) for number, chat in enumerate(chats, 1)]
        at = next((number for number, chat in enumerate(chats) if self._is_open(chat)), 0)
        first, last = _window(at, len(chats), height)
        rows = [self._side_chat(number, chats[number - 1], width) for number in range(first + 1, last + 1)]
        above = [_side_more("↑", chats[:first], width)] if first else []
        below = [_side_more("↓", chats[last:], width)] if last < len(chats) else []
        return [*above, *rows, *below]

    def _is_open(self, chat: ChatState) -> bool:
        return chat is self._view.open and self._view.place is Place.CHAT

    def _side_chat(self, number: int, chat: ChatState, width: int) -> Row:
        is_open = self._is_open(chat)
        key = str(number) if number <= _NUMBERED and not chat.gone else " "
        dot = "●" if chat.is_private and chat.name[1:] in self._view.online else " "
        count = f" {chat.unread_label}" if chat.unread else " left" if chat.gone else ""
        count += " ✎" if chat.has_draft and not is_open else ""
        name = fit(chat.name, width - 4 - cells(count))
        style, count_style = "class:has-unread" if chat.unread else "", "class:unread"
        if chat.is_muted:
            style = count_style = "class:muted"
        if is_open:
            style = "class:open"
        pad = " " * max(0, width - 3 - cells(name) - cells(count) - 1)
        return Row((("class:key", key), ("class:online", dot), (style, f" {name}{pad}"), (count_style, f"{count} ")))


def _window(at: int, count: int, height: int) -> tuple[int, int]:
    """Return the visible part of a list, which includes ``at``. A row above and one below count the hidden entries."""
    first = first_row(at, count, height)
    last = first + height
    return first + (first > 0), last - (last < count)


def _side_more(mark: str, chats: list[ChatState], width: int) -> Row:
    unread = sum(chat.unread for chat in chats if not chat.is_muted)
    text = f" {mark} {len(chats):,} more" + (f", {unread:,} unread" if unread else "")
    return Row((("class:unread" if unread else "class:detail", fit(text, width)),))


def _status_rows(text: str, style: str, width: int, max_rows: int) -> list[Row]:
    """Return a text for the status line, in at most ``max_rows`` rows."""
    first, *others = text.split(BETWEEN_USAGES)
    whole = BETWEEN_USAGES.join([first, *(other.replace(" ", "\xa0") for other in others)])
    lines = [line.replace("\xa0", " ").removesuffix("  ·") for line in wrap(whole, max(1, width - 2))]
    if len(lines) > max_rows:
        lines[max_rows - 1 :] = [fit(f"{lines[max_rows - 1]} {lines[max_rows]}", width - 1)]
    return [filled(width, (style, f" {line}"), fill=style) for line in lines]
