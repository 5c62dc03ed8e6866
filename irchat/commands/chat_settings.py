"""The settings that a user has for one chat."""

from irchat.commands.base import Caller, Command, Outcome, Services
from irchat.commands.syntax import GAP, NameKind, Part, Syntax, name, word
from irchat.protocol import requests

_SET = word("!set")
_CHAT = name("chat", NameKind.CHATS)
_ALERT = Part("(?P<alert>all|mentions|none)", "[a-z]*")


class ShowAlert(Command):
    """``!set *team``"""

    prefix = "!"
    usage = "!set <chat_name>"
    meaning = "show when a chat alerts you"
    syntax = Syntax(_SET, GAP, _CHAT)
    request = requests.Alert
    feature = "alert"

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Alert) -> Outcome:
        return services.chat.reading.alert(caller.user, request.chat, request.alert, caller.id)


class SetAlert(ShowAlert):
    """``!set *team alert none``"""

    usage = "!set <chat_name> alert all|mentions|none"
    meaning = "let a chat alert you to every message, to those that mention you, or to none"
    syntax = Syntax(_SET, GAP, _CHAT, GAP, word("alert"), GAP, _ALERT)
