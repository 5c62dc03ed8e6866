"""The commands that change a message, mark it, or show it. They are said in its chat, by its number."""

import re

from irchat.commands.base import AS_MESSAGE, Caller, Command, Outcome, Services
from irchat.commands.history import ShowPage
from irchat.commands.syntax import GAP, MARK, Part, Syntax, sign, text
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.marks import clean_mark
from irchat.protocol.rules import GLOBAL_NAME

_SEQ = Part("(?P<seq>[1-9][0-9]{0,17})", "(?P<seq>[1-9][0-9]{0,17})?")
# The message and five on either side.
_AROUND = 11


class InText(Command):
    """Base of the commands in the text of a message. `Command.read` returns a request about GLOBAL."""

    prefix = "#"
    whole_line = True
    in_text = True
    to_open_chat = True

    @classmethod
    def begin(cls, seq: int) -> str:
        """Return the beginning of the line about message ``seq``, up to what the user has to type: ``#17+``."""
        return cls.usage.replace("<number>", str(seq)).partition("<")[0]


class ShowMessage(InText, ShowPage):
    """``#17``"""

    usage = "#<number>"
    meaning = "show a message with ten around it, or in another chat: *team #17"
    syntax = Syntax(sign("#"), _SEQ)
    feature = "around"

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.History:
        return requests.History(chat=GLOBAL_NAME, around=int(match["seq"]), limit=_AROUND)


class _Amend(InText):
    """Base of the commands that edit or delete a message."""

    request = requests.Amend
    pipelined = True
    feature = "amend"

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Amend) -> Outcome:
        return services.chat.amendments.to_amend(
            caller.user,
            request.chat,
            seq=request.seq,
            message_id=request.id,
            text=request.text,
            delete=request.delete,
            origin=caller.id,
            is_admin=caller.is_admin,
        )


class Edit(_Amend):
    """``#17= new text``"""

    usage = "#<number>= <message>"
    meaning = "edit your message: the new text replaces the old one"
    syntax = Syntax(sign("#"), _SEQ, sign("="), GAP, text("text"))
    slash_words = {"edit": usage}

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Amend:
        return requests.Amend(chat=GLOBAL_NAME, seq=int(match["seq"]), text=match["text"])


class Delete(_Amend):
    """``#17-``"""

    usage = "#<number>-"
    meaning = "delete your message for all (the owner of a group deletes any)"
    syntax = Syntax(sign("#"), _SEQ, sign("-"))
    slash_words = {"delete del redact": usage}

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Amend:
        return requests.Amend(chat=GLOBAL_NAME, seq=int(match["seq"]), delete=True)


class _AmendLast(InText):
    """Base of the commands about one's last message. A client asks for the last one that it shows instead.

    They are not pipelined, because they are committed alone.
    """

    request = requests.AmendLast
    untyped = {"chat": GLOBAL_NAME}
    feature = "amend"
    by_client = True

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.AmendLast) -> Outcome:
        return services.chat.amendments.to_amend_last(caller.user, request.chat, request.text, origin=caller.id)


def amend_shown(request: requests.AmendLast, chat: str, seq: int | None, timed_id: str | None) -> requests.Amend:
    """Return ``request`` about the message of ``chat`` that a client shows: a stored or a timed one. Raises Refusal."""
    if timed_id is not None and request.text is not None:
        raise Refusal(Code.BAD_REQUEST, "A timed message cannot be edited. #- takes it back.")
    return requests.Amend(chat=chat, seq=seq, id=timed_id, text=request.text, delete=request.text is None)


class EditLast(_AmendLast):
    """``#= new text``"""

    usage = "#= <message>"
    meaning = "edit your last message"
    syntax = Syntax(sign("#"), sign("="), GAP, text("text"))


class DeleteLast(_AmendLast):
    """``#-``"""

    usage = "#-"
    meaning = "take back your last message, also a timed one"
    syntax = Syntax(sign("#"), sign("-"))


class PutMark(InText):
    """``#17+ok``"""

    usage = "#<number>+<mark>"
    meaning = "put a mark on a message, such as ok, 👍 or pin"
    syntax = Syntax(sign("#"), _SEQ, sign("+"), MARK)
    request = requests.Mark
    pipelined = True
    feature = "marks"
    slash_words = {"react mark pin": usage}
    on = True

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.Mark:
        try:
            clean_mark(match["mark"])
        except Refusal as refusal:
            raise Refusal(refusal.code, refusal.text + AS_MESSAGE, cls.usage) from None
        return requests.Mark(chat=GLOBAL_NAME, seq=int(match["seq"]), mark=match["mark"], on=cls.on)

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Mark) -> Outcome:
        return services.chat.amendments.to_mark(
            caller.user, request.chat, request.seq, request.mark, request.on, origin=caller.id
        )


class TakeMark(PutMark):
    """``#17-ok``"""

    usage = "#<number>-<mark>"
    meaning = "take your mark off a message"
    syntax = Syntax(sign("#"), _SEQ, sign("-"), MARK)
    slash_words = {"unreact unmark unpin": usage}
    on = False
