"""The process of the SSH door, ``python -m irchat.ssh``. Only the server starts it."""

import asyncio
import os
import signal
import sys

from irchat.system.core_dumps import forbid_memory_access

_NICE = 5


def main() -> int:
    """Read the configuration from standard input and run until that ends."""
    forbid_memory_access()
    os.nice(_NICE)
    for number in signal.SIGINT, signal.SIGHUP:  # the server ends this process, by the end of its input
        signal.signal(number, signal.SIG_IGN)
    line = sys.stdin.buffer.raw.readline() if hasattr(sys.stdin.buffer, "raw") else sys.stdin.buffer.readline()
    if not line:
        return 0
    from twisted.internet import asyncioreactor  # noqa: PLC0415

    from irchat.ssh.quiet_loop import QuietLoop  # noqa: PLC0415

    loop = QuietLoop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    from twisted.internet import reactor  # noqa: PLC0415

    from irchat.protocol.ssh_door import read_config  # noqa: PLC0415
    from irchat.ssh.process import run  # noqa: PLC0415
    from irchat.system.clock import install_forward_clock  # noqa: PLC0415

    install_forward_clock(reactor)  # type: ignore[arg-type]
    return run(reactor, read_config(line))


if __name__ == "__main__":
    sys.exit(main())
