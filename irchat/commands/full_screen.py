"""The language of the full-screen client: all commands, plus those for an open chat or a saved sign-in."""

import re

from irchat.commands import REGISTRY, Registry
from irchat.commands.messages import TIME, Timed
from irchat.commands.people import Logout
from irchat.commands.syntax import GAP, Syntax, sign, text, word


class TimedToOpenChat(Timed):
    """``*30 hi``"""

    usage = "*<time> <message>"
    meaning = "timed, to the open chat"
    syntax = Syntax(sign("*"), TIME._replace(pattern="(?P<time>[0-9]+)"), GAP, text("text"))
    secret = re.compile(r"\*[0-9]+\s")
    to_open_chat = True


class ForgetSignIn(Logout):
    """``exit --forget``"""

    usage = "exit --forget"
    meaning = "leave, and ask for the password next time"
    syntax = Syntax(word("exit"), GAP, word("--forget"))
    untyped = {"forget": True}


# *30 -> team is a timed message here: a number is not a name.
SCREEN = Registry(TimedToOpenChat, *REGISTRY.commands, ForgetSignIn)
