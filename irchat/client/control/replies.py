"""Show the replies to typed commands."""

import re
from collections.abc import Callable
from functools import partial

import msgspec

from irchat.client.connect.request_channel import UNREADABLE, Reply
from irchat.client.control.incoming import Incoming
from irchat.client.control.pages import Pages
from irchat.client.control.typed import Understood, advise
from irchat.client.view.screen_state import ScreenState
from irchat.commands import Registry
from irchat.protocol import events, requests
from irchat.protocol.errors import WITH_NUMBERS
from irchat.text.names import same_name

_NUMBERS = re.compile(rf"\bls \S+ {re.escape(WITH_NUMBERS)}$")


class Replies:
    """Show replies. ``hold`` takes a change of the screen that waits until nothing is typed, and a text about it."""

    def __init__(
        self,
        view: ScreenState,
        incoming: Incoming,
        pages: Pages,
        hold: Callable[[str, Callable[[], object]], None],
        open_chat: Callable[[str], None],
        language: Registry,
    ) -> None:
        self._view = view
        self._incoming = incoming
        self._pages = pages
        self._hold = hold
        self._open = open_chat
        self._language = language

    def show(self, reply: Reply, understood: Understood) -> None:
        view, request = self._view, understood.request
        match reply:
            case None:
                view.complain(UNREADABLE)
            case events.History() | events.Found():
                self._show_page(reply, request)
            case events.Group():
                self._show_group(reply, understood)
            case events.Error():
                self._refused(reply, request)
            case events.Amended():
                self._incoming.amended(reply)
                if reply.chat != view.here.name:
                    view.say(reply, asked=request)
            case events.Ok() if isinstance(request, requests.Amend) and request.id is not None:
                self._incoming.event(events.Erased(chat=request.chat, id=request.id))
                view.note("taken back")
            case events.Blocks():
                self._incoming.event(reply)
                self._say_blocks(reply, request)
            case _:
                if isinstance(reply, events.Chats):
                    view.list_chats(reply)
                if isinstance(reply, events.Alert):
                    self._incoming.event(reply)
                view.say(reply)
                if isinstance(request, requests.RemoveMember):  # the user left
                    self._incoming.refresh()
        self._incoming.changed()

    def _show_group(self, group: events.Group, understood: Understood) -> None:
        self._view.list_members(group)
        if understood.command.opens_chat:
            self._view.say(group, group.group)
            self._hold(f"{group.group} is there.", partial(self._open, group.group))
        else:
            self._view.say(group)

    def _refused(self, error: events.Error, request: requests.Request | None) -> None:
        advice = advise(error.text, getattr(request, "line", ""), self._view.here.name, self._language)
        advice = _NUMBERS.sub("Shift-Tab chooses one.", advice)
        if isinstance(request, requests.Amend | requests.Mark):
            self._view.complain_in_view(advice)
        else:
            self._view.say(msgspec.structs.replace(error, text=advice))

    def _show_page(self, page: events.History | events.Found, request: requests.Request | None) -> None:
        if isinstance(page, events.Found):
            search = request if isinstance(request, requests.Search) else requests.Search()
            show = partial(self._view.show_found, page, search.words, _searched(search))
            self._hold(f"{len(page.messages):,} found.", show)
        elif isinstance(request, requests.History) and (request.around or request.since):
            self._hold(f"{page.chat} is here.", partial(self._open, page.chat))
        else:
            self._hold(f"{page.chat} is here.", partial(self._pages.open_page, page))

    def _say_blocks(self, blocks: events.Blocks, request: requests.Request | None) -> None:
        if not isinstance(request, requests.Block):
            self._view.say(blocks)
        elif any(same_name(request.name, name) for name in blocks.names):
            self._view.note(f"You block {request.name}: neither of you sees what the other writes. "
                           f"~{request.name} again lifts the block.")  # fmt: skip
        else:
            self._view.note(f"You no longer block {request.name}.")


def _searched(search: requests.Search) -> str:
    """Return a title for the results of a search."""
    what = "what mentions you" if search.mentions else f"+{search.mark}" if search.mark else search.words
    return f"{what} in {search.chat}" if search.chat else what
