"""Puts the parts of the full-screen client together."""

import gc
import random
import secrets
from functools import partial
from typing import Any

from twisted.internet.stdio import StandardIO

from irchat.client import wiring
from irchat.client.connect.entry import Entry
from irchat.client.connect.trust import Trust
from irchat.client.control.controller import Controller
from irchat.client.errors import ClientError
from irchat.client.options import Options
from irchat.client.signals import leave_on_signals
from irchat.client.terminal.run import FullScreen, say_last
from irchat.client.view.screen_state import ScreenState

_STDIN, _STDOUT = 0, 1


def run_full_screen(reactor: Any, options: Options) -> int:
    """Run the client in ``reactor``; gives its exit status: 0 where the user left, 1 where something went wrong."""
    try:
        address, dialer = wiring.make_dialer(reactor, options)
    except ClientError as stop:
        wiring.write_error(f"! {stop.text}")
        return 1
    label = dialer.target.label
    view = ScreenState(label)
    controller = Controller(reactor, view, partial(secrets.token_urlsafe, 12), random.random)
    terminal = wiring.open_again(_STDIN)
    screen = FullScreen(reactor, reactor, controller, terminal, bell=options.bell)
    StandardIO(screen.device, terminal, wiring.open_again(_STDOUT), reactor)  # type: ignore[call-arg]
    tokens = wiring.tokens()
    entry = Entry(tokens, label, address.user, controller.questions, partial(_complain_later, reactor, controller))
    trust = Trust(dialer, wiring.known_hosts(), tokens, controller.questions, options.fingerprint, entry.warn)
    leave_on_signals(reactor, screen.stop)
    try:
        screen.begin(trust.connect, entry)
        gc.freeze()  # what is loaded stays: looking through it again and again would hold keys up
        reactor.run()
    finally:
        screen.restore()
        say_last(screen.last_words)
    return screen.status


def _complain_later(reactor: Any, controller: Controller, text: str) -> None:
    """Complain when the screen that follows the sign-in is open: what stood on the one before goes."""

    def complain() -> None:
        controller.view.complain(text)
        controller.changed()

    reactor.callLater(0, complain)
