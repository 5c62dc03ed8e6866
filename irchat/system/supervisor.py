"""What the server tells a supervisor that started it, by the protocol of sd_notify(3) of systemd."""

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Send ``state``, such as ``READY=1``, to the socket that ``NOTIFY_SOCKET`` names, if there is one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # an abstract socket of Linux
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.setblocking(False)
        sending.sendto(state.encode(), address)
