"""TCP keepalive, for clients that the protocol cannot ping."""

import socket
import struct
from typing import Any

from irchat.protocol.rules import PING_AFTER, SILENCE_ENDS

_PROBES = 3
# tcpi_last_ack_recv of Linux's struct tcp_info, in milliseconds.
_LAST_HEARD = struct.Struct("=56xI")


def keep_alive(tcp: Any) -> None:
    """Make the system probe a silent peer of a TCP transport, and close the connection after `SILENCE_ENDS` seconds."""
    tcp.setTcpKeepAlive(1)
    handle = tcp.getHandle()
    for option, value in (
        ("TCP_KEEPIDLE", PING_AFTER),
        ("TCP_KEEPINTVL", (SILENCE_ENDS - PING_AFTER) // _PROBES),
        ("TCP_KEEPCNT", _PROBES),
        # This also ends a peer that is alive but reads nothing.
        ("TCP_USER_TIMEOUT", SILENCE_ENDS * 1_000),
    ):
        if hasattr(socket, option):
            handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def silence_of(tcp: Any) -> float | None:
    """Return the seconds since the system last heard from the peer, or None if the system does not report them.

    The system sends no probes while bytes are unacknowledged. It waits for these instead, again after each write, so in
    a busy chat it can take twice as long to close the connection.
    """
    if not hasattr(socket, "TCP_INFO"):
        return None
    information = tcp.getHandle().getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_HEARD.size)
    (silence_ms,) = _LAST_HEARD.unpack(information)
    return float(silence_ms / 1_000)
