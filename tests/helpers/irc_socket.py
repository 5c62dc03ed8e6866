"""An IRC client on a socket, for tests with a real server."""

import base64
import socket
import ssl
from collections.abc import Iterable

from tests.helpers.processes import PATIENCE, ServerProcess


class IRCSocket:
    """Sends and reads lines. With a password it signs in by SASL, otherwise it enters the waiting room."""

    def __init__(
        self, server: ServerProcess, nick: str, password: str = "", caps: Iterable[str] = (), *, tls: bool = True
    ) -> None:
        self.nick = nick
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._socket = context.wrap_socket(self._socket)
        self._lines = self._socket.makefile("rwb")
        self.send("CAP LS 302", f"NICK {nick}", f"USER {nick} 0 * :{nick}")
        wanted = [*caps, *(["sasl"] if password else [])]
        if wanted:
            self.send(f"CAP REQ :{' '.join(wanted)}")
        if password:
            plain = base64.b64encode(f"\0{nick}\0{password}".encode()).decode()
            self.send("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain}")
        self.send("CAP END")

    def send(self, *lines: str) -> None:
        """Send lines."""
        self._lines.write(b"".join(line.encode() + b"\r\n" for line in lines))
        self._lines.flush()

    def next(self) -> str:
        """Return the next line, without its end. Empty at the end of the connection."""
        try:
            return self._lines.readline().decode().rstrip("\r\n")
        except (ConnectionError, ssl.SSLError):
            return ""

    def until(self, wanted: str) -> list[str]:
        """Return the lines up to the first that contains ``wanted``, with it."""
        lines = []
        while line := self.next():
            lines.append(line)
            if wanted in line:
                return lines
        raise AssertionError(f"the connection ended before {wanted!r}: {lines}")

    def synced(self) -> list[str]:
        """Return all lines up to the answer to a ping, without it."""
        self.send("PING :are-you-there")
        return self.until("are-you-there")[:-1]

    def close(self) -> None:
        """Close the connection."""
        self._lines.close()
        self._socket.close()
