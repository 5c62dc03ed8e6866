"""Puts the parts of the full-screen client together."""

import gc
import random
import secrets
from functools import partial
from typing import Any

from twisted.internet.stdio import StandardIO

from irchat.client import parts
from irchat.client.desk import Desk
from irchat.client.entry import Entry
from irchat.client.options import Options
from irchat.client.signals import leave_on_signals
from irchat.client.stop import Stop
from irchat.client.terminal.run import FullScreen, say_last
from irchat.client.trust import Trust
from irchat.client.view.state import View

_STDIN, _STDOUT = 0, 1


def run_full_screen(reactor: Any, options: Options) -> int:
    """Run the client in ``reactor``; gives its exit status: 0 where the user left, 1 where something went wrong."""
    try:
        address, dialer = parts.make_dialer(reactor, options)
    except Stop as stop:
        parts.write_error(f"! {stop.text}")
        return 1
    label = dialer.target.label
    view = View(label)
    desk = Desk(reactor, view, partial(secrets.token_urlsafe, 12), random.random)
    terminal = parts.open_again(_STDIN)
    screen = FullScreen(reactor, reactor, desk, terminal, bell=options.bell)
    StandardIO(screen.device, terminal, parts.open_again(_STDOUT), reactor)  # type: ignore[call-arg]
    tokens = parts.tokens()
    entry = Entry(tokens, label, address.user, desk.questions, partial(_complain_later, reactor, desk))
    trust = Trust(dialer, parts.known_hosts(), tokens, desk.questions, options.fingerprint, entry.warn)
    leave_on_signals(reactor, screen.stop)
    try:
        screen.begin(trust.connect, entry)
        gc.freeze()  # what is loaded stays: looking through it again and again would hold keys up
        reactor.run()
    finally:
        screen.restore()
        say_last(screen.last_words)
    return screen.status


def _complain_later(reactor: Any, desk: Desk, text: str) -> None:
    """Complain when the screen that follows the sign-in is open: what stood on the one before goes."""

    def complain() -> None:
        desk.view.complain(text)
        desk.changed()

    reactor.callLater(0, complain)
