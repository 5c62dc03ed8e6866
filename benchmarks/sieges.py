"""Besiege the SSH door with many connections: ``python -m benchmarks.sieges NAME PORT``.

It stops when standard input ends.
"""

import asyncio
import os
import resource
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncssh

from benchmarks.servers import HOST

_NICENESS = 15  # leave the CPU to the server, as if the siege came from other machines
_HELD, _AT_ONCE, _CLIENTS_WITH_KEYS = 2_000, 50, 8
# The server disconnects a client after 30 requests of sign-in.
_KEYS = 40
_VERSION = b"SSH-2.0-Siege\r\n"
_KIND = b"ssh-ed25519"

Visit = Callable[[int], Awaitable[None]]


def _holds(data: bytes) -> Visit:
    """Return a visit that sends some bytes and stays."""

    async def visit(port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(data)
        ready()
        await reader.read()
        writer.close()

    return visit


def _sends(data: bytes) -> Visit:
    """Return a visit that sends bytes for which the server closes the connection."""

    async def visit(port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(data)
        with suppress(ConnectionError):
            while await reader.read(65_536):
                pass
        writer.close()
        ready()

    return visit


class _Offered(asyncssh.SSHKeyPair):
    """A public key that nobody has."""

    def __init__(self) -> None:
        blob = b"".join(struct.pack("!I", len(part)) + part for part in (_KIND, os.urandom(32)))
        super().__init__(_KIND, _KIND, [_KIND], [_KIND], blob, b"")


async def _offer_keys(port: int) -> None:
    with suppress(asyncssh.Error, OSError):
        async with asyncssh.connect(
            HOST, port, username="nobody", known_hosts=None, config=None, agent_path=None,
            client_keys=[_Offered() for _ in range(_KEYS)], preferred_auth="publickey",
        ):  # fmt: skip
            pass
    ready()


SIEGES: dict[str, tuple[int, Visit]] = {
    "half versions": (_HELD, _holds(b"SSH-2.0-half")),
    "silent connections": (_HELD, _holds(b"")),
    "endless versions": (_AT_ONCE, _sends(b"SSH-2.0-" + b"x" * 5_000)),
    "packets of 4 GiB": (_AT_ONCE, _sends(_VERSION + struct.pack("!IB", 2**32 - 1, 4) + bytes(20_000))),
    "thousands of keys": (_CLIENTS_WITH_KEYS, _offer_keys),
}
"""The number of connections at one time, and what each does."""

_missing = 0


def ready() -> None:
    """Note that a visit is under way. Print ``ready`` once all are."""
    global _missing  # noqa: PLW0603 -- the state of a small process
    _missing -= 1
    if _missing == 0:
        print("ready", flush=True)  # noqa: T201


async def _besiege(visit: Visit, port: int) -> None:
    while True:
        with suppress(OSError):
            await visit(port)
        await asyncio.sleep(0.01)


async def _run(name: str, port: int) -> None:
    global _missing
    _missing, visit = SIEGES[name]
    ended = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_reader(0, ended.set_result, None)
    async with asyncio.TaskGroup() as besiegers:
        for _ in range(_missing):
            besiegers.create_task(_besiege(visit, port))
        await ended
        os._exit(0)


if __name__ == "__main__":
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    asyncio.run(_run(sys.argv[1], int(sys.argv[2])))
