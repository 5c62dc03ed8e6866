"""The command line of the client."""

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from irchat import __version__
from irchat.net.fingerprints import parse_fingerprint


class ClientOptions(NamedTuple):
    """What the user asked for on the command line."""

    address: str
    tls: bool
    json: bool
    fingerprint: str | None
    plain: bool = False
    bell: bool = True
    forget: bool = False


def parse_options(arguments: Sequence[str] | None = None) -> ClientOptions:
    """Read the command line, ``sys.argv`` for None. For help and for wrong options the process ends here."""
    parser = argparse.ArgumentParser(
        prog="irchat",
        description="Join an IRChat server. Inside, !help shows what can be typed.",
        epilog="On this machine the port of a running server is found where none is given.",
    )
    parser.add_argument("address", metavar="[user@]host[:port]", help="the server, and your name there")
    parser.add_argument("--version", action="version", version=f"irchat {__version__}")
    parser.add_argument("--no-tls", action="store_true", help="not encrypted: for a server that runs with --no-tls")
    parser.add_argument(
        "--fingerprint",
        type=_fingerprint,
        metavar="SHA256",
        help="trust exactly the certificate that has this fingerprint",
    )
    parser.add_argument("--json", action="store_true", help="pass lines of JSON through, for bots")
    parser.add_argument("--plain", action="store_true", help="lines in place of a full screen, for screen readers")
    parser.add_argument("--no-bell", action="store_true", help="do not ring and do not notify")
    parser.add_argument("--forget", action="store_true", help="forget the sign-in that is kept, and end")
    options = parser.parse_args(arguments)
    return ClientOptions(
        options.address,
        not options.no_tls,
        options.json,
        options.fingerprint,
        options.plain,
        not options.no_bell,
        options.forget,
    )


def wants_full_screen(options: ClientOptions, environment: Mapping[str, str]) -> bool:
    """Whether to open the full screen: on a terminal that can show it, where nothing else was asked for."""
    if options.json or options.plain or options.forget or environment.get("TERM", "dumb") == "dumb":
        return False
    return os.isatty(0) and os.isatty(1)


def _fingerprint(text: str) -> str:
    try:
        return parse_fingerprint(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a fingerprint is 32 pairs of hex digits, AB:CD:...") from None
