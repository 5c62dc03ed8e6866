"""Build the plain client, and the parts that both clients share."""

import os
import random
import secrets
import socket
import stat
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import platformdirs
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.stdio import StandardIO

from irchat.client.connect.address import Address, find_target, parse_address
from irchat.client.connect.dialer import PATIENCE, Dialer
from irchat.client.connect.entry import SavedSignIn
from irchat.client.connect.known_hosts import KnownHosts
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.connect.sign_in import SignIn
from irchat.client.connect.tokens import Tokens
from irchat.client.connect.trust import Trust
from irchat.client.exceptions import ClientError
from irchat.client.options import ClientOptions
from irchat.client.plain.console import Console
from irchat.client.plain.conversation import PlainChat
from irchat.client.plain.echo import Echo
from irchat.client.plain.forget import forget_sign_in
from irchat.client.plain.passthrough import PassThrough
from irchat.client.plain.plain_run import PlainRun, Talk, over_one
from irchat.client.plain.screens import AskingScreen, PlainScreen, TerminalScreen
from irchat.client.preferences import LastServer, Preferences, last_server_path
from irchat.client.shutdown import leave_on_signals
from irchat.net.port_note import default_directory, find_servers

_STDIN, _STDOUT, _STDERR = 0, 1, 2


def run_plain(reactor: Any, options: ClientOptions, settings: Preferences, problems: Sequence[str] = ()) -> int:
    """Run the client in ``reactor``. Return its exit status: 0 if the user left, 1 after an error.

    ``problems`` with the settings are shown first.
    """
    for problem in problems:
        write_error(f"! {problem}")
    try:
        return _run(reactor, options, settings)
    except ClientError as stop:
        write_error(f"! {stop.text}")
        return 1
    finally:
        # The shell shares these descriptors and fails if they are non-blocking.
        os.set_blocking(_STDIN, True)
        os.set_blocking(_STDOUT, True)


def _run(reactor: Any, options: ClientOptions, settings: Preferences) -> int:
    address, dialer = make_dialer(reactor, options)
    console = Console()
    screen = _open_screen(reactor, console, options, settings)
    trust = Trust(dialer, known_hosts(), tokens(), screen, options.fingerprint, screen.complain)
    run = PlainRun(reactor, reactor, console, screen, to_file=_is_file(_STDOUT))
    if options.forget:
        forget = forget_sign_in(reactor, tokens(), dialer.target.label, address.user, screen)
        run.begin(trust.connect, over_one(forget))
    elif options.json:
        run.begin(remembering(trust.connect, options), over_one(PassThrough(console).run))
    else:
        chat = PlainChat(reactor, console, screen, partial(secrets.token_urlsafe, 12), random.random)
        run.begin(remembering(trust.connect, options), _talk(chat, dialer.target.label, address.user, screen))
    leave_on_signals(reactor, run.stop, run.interrupt)
    try:
        reactor.run()
    finally:
        screen.restore()
    return run.status


def make_dialer(reactor: Any, options: ClientOptions) -> tuple[Address, Dialer]:
    """Return the parsed address and the dialer of its server. Raises ClientError."""
    address = parse_address(options.address)
    target = find_target(
        address, tls=options.tls, own_name=socket.gethostname(), find_servers=partial(find_servers, default_directory())
    )
    endpoint = HostnameEndpoint(reactor, target.host, target.port, timeout=PATIENCE)
    return address, Dialer(reactor, endpoint, target)


def known_hosts() -> KnownHosts:
    """Return the known_hosts file of this user."""
    return KnownHosts(Path(platformdirs.user_config_dir("irchat")) / "known_hosts")


def tokens() -> Tokens:
    """Return the tokens file of this user."""
    return Tokens(Path(platformdirs.user_state_dir("irchat")) / "tokens")


def remembering(
    connect: Callable[[], Awaitable[ServerConnection]], options: ClientOptions
) -> Callable[[], Awaitable[ServerConnection]]:
    """Return ``connect``, which also keeps the server as the one used last."""

    async def connect_and_keep() -> ServerConnection:
        connection = await connect()
        LastServer(last_server_path()).keep(options.address, options.tls)
        return connection

    return connect_and_keep


def _talk(chat: PlainChat, label: str, name: str | None, screen: PlainScreen) -> Talk:
    """Return the run of ``chat``. In a pipe, whose first line may be the password, it uses no saved sign-in."""
    if not screen.interactive:
        return partial(chat.run, sign_in=lambda channel: SignIn(channel, screen).run(name))
    saved = SavedSignIn(tokens(), label, name, screen, screen.complain)
    return partial(chat.run, sign_in=saved.sign_in, forget=saved.forget)


def _is_file(descriptor: int) -> bool:
    """Return whether the descriptor is a file or a device, and not a terminal, a pipe or a socket."""
    mode = os.fstat(descriptor).st_mode
    return not (os.isatty(descriptor) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


def _open_screen(reactor: Any, console: Console, options: ClientOptions, settings: Preferences) -> PlainScreen:
    if options.json or not os.isatty(_STDIN):
        StandardIO(console, reactor=reactor)
        return PlainScreen(console, write_error)
    terminal = open_again(_STDIN)
    is_dumb = os.environ.get("TERM") == "dumb"
    echo = Echo(terminal, marks=not is_dumb)
    if not os.isatty(_STDOUT):
        StandardIO(console, terminal, os.dup(_STDOUT), reactor)  # type: ignore[call-arg]
        return AskingScreen(console, write_error, echo)
    StandardIO(console, terminal, open_again(_STDOUT), reactor)  # type: ignore[call-arg]
    return TerminalScreen(
        console,
        write_error,
        reactor,
        echo,
        colour=settings.colours and not os.environ.get("NO_COLOR") and not is_dumb,
        errors_apart=not os.isatty(_STDERR),
    )


def open_again(descriptor: int) -> int:
    """Reopen a terminal, so that Twisted does not change the descriptor shared with the shell."""
    try:
        return os.open(os.ttyname(descriptor), os.O_RDWR | os.O_NOCTTY)
    except OSError:  # the terminal has no name, as in some containers
        return os.dup(descriptor)


def write_error(line: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(f"{line}\n")
