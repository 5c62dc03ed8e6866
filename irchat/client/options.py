"""The client's command line."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from irchat import __version__
from irchat.client.preferences import Preferences
from irchat.net.fingerprints import parse_fingerprint


class ClientOptions(NamedTuple):
    """The options of the command line."""

    address: str
    tls: bool
    json: bool
    fingerprint: str | None
    plain: bool = False
    bell: bool = True
    forget: bool = False


def parse_options(arguments: Sequence[str] | None = None) -> ClientOptions:
    """Parse the command line, by default ``sys.argv``. Exit after --help and on invalid options."""
    parser = argparse.ArgumentParser(
        prog="irchat",
        description="Join an IRChat server. Inside, !help shows all commands.",
        epilog="If the server runs on this machine, the client finds its port. The default port is 7667. "
        "irchat say --help describes how a script says one thing.",
    )
    parser.add_argument(
        "address",
        metavar="[user@]host[:port]",
        nargs="?",
        default="",
        help="the server, and your username on it (default: server in client.toml, else the server used last)",
    )
    parser.add_argument("--version", action="version", version=f"irchat {__version__}")
    parser.add_argument(
        "--no-tls",
        action="store_false",
        dest="tls",
        help="connect without encryption to a server started with --no-tls",
    )
    parser.add_argument(
        "--fingerprint",
        type=parse_fingerprint_option,
        metavar="SHA256",
        help="trust only the certificate with this fingerprint",
    )
    parser.add_argument("--json", action="store_true", help="pass lines of JSON through unchanged, for bots")
    parser.add_argument(
        "--plain", action="store_true", help="print plain lines instead of the full screen, for screen readers"
    )
    parser.add_argument("--no-bell", action="store_false", dest="bell", help="turn off the bell and notifications")
    parser.add_argument("--forget", action="store_true", help="forget the saved sign-in and exit")
    return ClientOptions(**vars(parser.parse_args(arguments)))


def complete_options(options: ClientOptions, settings: Preferences, last_server: tuple[str, bool]) -> ClientOptions:
    """Return the options, completed from the settings. Exit with a message if there is no server to connect to.

    ``last_server``: the address of the server used last, and whether with TLS. An address that is typed or in the
    settings means TLS unless ``--no-tls`` is typed too.
    """
    plain = options.plain or settings.plain
    if address := options.address or settings.server:
        return options._replace(address=address, plain=plain)
    address, tls = last_server
    if not address:
        sys.exit("! Which server? Type irchat [user@]host[:port], as the server prints it at its start.")
    return options._replace(address=address, tls=options.tls and tls, plain=plain)


def wants_full_screen(options: ClientOptions, environment: Mapping[str, str]) -> bool:
    """Return whether to open the full screen. It needs a capable terminal and no option for another mode."""
    if options.json or options.plain or options.forget or environment.get("TERM", "dumb") == "dumb":
        return False
    return os.isatty(0) and os.isatty(1)


def parse_fingerprint_option(text: str) -> str:
    """Return the fingerprint of an option. Raises ArgumentTypeError."""
    try:
        return parse_fingerprint(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a fingerprint is 32 pairs of hex digits, AB:CD:...") from None
