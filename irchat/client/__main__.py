"""The command ``irchat``, also ``python -m irchat.client``."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from irchat.system.streams import prepare_streams

if TYPE_CHECKING:
    from irchat.client.options import Options


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the client and exit with its status: 0 where the user left, 1 where something went wrong."""
    prepare_streams()
    try:
        status = _run(arguments)
    except KeyboardInterrupt:  # before the reactor ran, so there is nothing yet to leave in good order
        status = 0
    sys.exit(status)


def _run(arguments: Sequence[str] | None) -> int:
    # Imported here, because it takes long enough for a user to think better of it and press Ctrl-C.
    from irchat.client.options import parse_options, wants_full_screen  # noqa: PLC0415
    from irchat.system.core_dumps import forbid_memory_access  # noqa: PLC0415

    options = parse_options(arguments)
    forbid_memory_access()
    if wants_full_screen(options, os.environ):
        return _run_full_screen(options)
    from twisted.internet import reactor  # noqa: PLC0415

    from irchat.client.wiring import run_client  # noqa: PLC0415
    from irchat.system.clock import install_forward_clock  # noqa: PLC0415

    install_forward_clock(reactor)  # type: ignore[arg-type]
    return run_client(reactor, options)


def _run_full_screen(options: "Options") -> int:
    """prompt_toolkit wants an asyncio loop, so Twisted runs on one here, and only here."""
    import asyncio  # noqa: PLC0415

    from twisted.internet import asyncioreactor  # noqa: PLC0415

    from irchat.client.terminal.loop import ForwardLoop  # noqa: PLC0415

    loop = ForwardLoop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    from twisted.internet import reactor  # noqa: PLC0415

    from irchat.client.terminal.wiring import run_full_screen  # noqa: PLC0415
    from irchat.system.clock import install_forward_clock  # noqa: PLC0415

    install_forward_clock(reactor)  # type: ignore[arg-type]
    return run_full_screen(reactor, options)


if __name__ == "__main__":
    main()
