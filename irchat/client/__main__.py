"""The command ``irchat``, also ``python -m irchat.client``."""

import os
import sys
from collections.abc import Callable, Sequence

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
    arguments = sys.argv[1:] if arguments is None else arguments
    run = _say(arguments[1:]) if arguments and arguments[0] == "say" else _join(arguments)
    from twisted.internet import reactor  # noqa: PLC0415

    from irchat.system.clock import install_forward_clock  # noqa: PLC0415
    from irchat.system.core_dumps import forbid_memory_access  # noqa: PLC0415

    forbid_memory_access()
    install_forward_clock(reactor)  # type: ignore[arg-type]
    return run(reactor)


def _join(arguments: Sequence[str]) -> Callable[[object], int]:
    """Install the reactor of the full screen, if that is wanted. Return the client to run."""
    from irchat.client.options import complete_options, parse_options, wants_full_screen  # noqa: PLC0415
    from irchat.client.preferences import LastServer, last_server_path, preferences_path, read_preferences  # noqa: PLC0415

    options = parse_options(arguments)
    settings, problems = read_preferences(preferences_path(), _check_keys)
    if not options.bell:
        settings = settings._replace(bell=False, notify=False)
    options = complete_options(options, settings, LastServer(last_server_path()).read())
    if wants_full_screen(options, os.environ):
        _install_asyncio_reactor()
        from irchat.client.terminal.full_screen_run import run_full_screen as run  # noqa: PLC0415
    else:
        from irchat.client.wiring import run_plain as run  # noqa: PLC0415
    return lambda reactor: run(reactor, options, settings, problems)


def _say(arguments: Sequence[str]) -> Callable[[object], int]:
    from irchat.client.say import run_say  # noqa: PLC0415

    return lambda reactor: run_say(reactor, arguments)


def _check_keys(sequence: tuple[str, ...]) -> None:
    """Raise ValueError if ``sequence`` is no key. Only a user who sets keys pays for the import."""
    from prompt_toolkit.key_binding import KeyBindings  # noqa: PLC0415

    try:
        KeyBindings().add(*sequence)(lambda event: None)
    except ValueError:
        raise ValueError(
            f'there is no key {" ".join(sequence)!r}: they are written as in "f9", "c-n" or "escape n"'
        ) from None


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
