"""The settings that a user has for one chat."""

from irchat.commands.base import Caller, Command, Outcome, Services
from irchat.commands.syntax import GAP, NameKind, Part, Syntax, name, word
from irchat.protocol import requests

_SET = word("!set")
_CHAT = name("chat", NameKind.CHATS)
_ALERTS = ("all", "mentions", "none")
_BEGUN = "|".join(alert[:length] for alert in _ALERTS for length in range(len(alert) + 1))
_ALERT = Part(f"(?P<alert>{'|'.join(_ALERTS)})", f"(?:{_BEGUN})")


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
