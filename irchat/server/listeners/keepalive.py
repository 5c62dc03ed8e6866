"""How the operating system finds out that a peer is gone, for clients that cannot be asked for a sign of life."""

import socket
import struct
from typing import Any

from irchat.protocol.rules import PING_AFTER, SILENCE_ENDS

_PROBES = 3
# tcpi_last_ack_recv of Linux's struct tcp_info, in milliseconds.
_LAST_HEARD = struct.Struct("=56xI")


def keep_alive(tcp: Any) -> None:
    """Have the system probe the peer of a TCP transport that is silent, and give it up after `SILENCE_ENDS` seconds."""
    tcp.setTcpKeepAlive(1)
    handle = tcp.getHandle()
    for option, value in (
        ("TCP_KEEPIDLE", PING_AFTER),
        ("TCP_KEEPINTVL", (SILENCE_ENDS - PING_AFTER) // _PROBES),
        ("TCP_KEEPCNT", _PROBES),
        # This also ends a peer that is there but reads nothing.
        ("TCP_USER_TIMEOUT", SILENCE_ENDS * 1_000),
    ):
        if hasattr(socket, option):
            handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def silence_of(tcp: Any) -> float | None:
    """Return for how many seconds the system has not heard of the peer, None if this system does not tell.

    The system sends no probes while something is unacknowledged but waits for that, and starts again with each
    write. In a busy chat it may take twice as long to give a peer up.
    """
    if not hasattr(socket, "TCP_INFO"):
        return None
    information = tcp.getHandle().getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_HEARD.size)
    (silence_ms,) = _LAST_HEARD.unpack(information)
    return float(silence_ms / 1_000)
