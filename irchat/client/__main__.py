"""The command ``irchat``, also ``python -m irchat.client``."""

import os
import sys
from collections.abc import Sequence

from irchat.system.streams import prepare_streams


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the client and exit with its status: 0 if the user left, 1 after an error."""
    prepare_streams()
    try:
        status = _run(arguments)
    except KeyboardInterrupt:  # before the reactor runs there is nothing to close
        status = 0
    sys.exit(status)


def _run(arguments: Sequence[str] | None) -> int:
    # A user may press Ctrl-C during these slow imports, so they run inside the `try` of `main`.
    from irchat.client.options import parse_options, wants_full_screen  # noqa: PLC0415
    from irchat.system.core_dumps import forbid_memory_access  # noqa: PLC0415

    options = parse_options(arguments)
    forbid_memory_access()
    if wants_full_screen(options, os.environ):
        _install_asyncio_reactor()
        from irchat.client.terminal.full_screen_run import run_full_screen as run  # noqa: PLC0415
    else:
        from irchat.client.wiring import run_plain as run  # noqa: PLC0415
    from twisted.internet import reactor  # noqa: PLC0415

    from irchat.system.clock import install_forward_clock  # noqa: PLC0415

    install_forward_clock(reactor)  # type: ignore[arg-type]
    return run(reactor, options)


def _install_asyncio_reactor() -> None:
    """Let Twisted run on an asyncio loop, which prompt_toolkit needs. No other client does."""
    import asyncio  # noqa: PLC0415

    from twisted.internet import asyncioreactor  # noqa: PLC0415

    from irchat.client.terminal.loop import ForwardLoop  # noqa: PLC0415

    loop = ForwardLoop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)


if __name__ == "__main__":
    main()
