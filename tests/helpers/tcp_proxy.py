"""A TCP proxy in threads, which can drop the answers of a server, or cut its connections."""

import select
import socket
import threading
from contextlib import suppress


class TcpProxy:
    """Forwards connections to a port of the loopback interface.

    ``swallows``: whether answers are dropped. ``cut_after``: a request that contains these bytes is forwarded, and its
    answer is swallowed; then the connection is cut. ``refuses``: whether new connections are closed at once.
    """

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.swallows = self.refuses = False
        self.cut_after: bytes | None = None
        self._is_open = True
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut all connections."""
        for pair in self._pairs:
            for one in pair:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut all connections, and refuse new ones."""
        self._is_open = False
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while self._is_open:
            try:
                client, _ = self._server.accept()
            except OSError:
                continue
            try:
                if self.refuses:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self._to_port))
            except OSError:
                client.close()
                continue
            for one in client, server:  # answers must not wait for acknowledgements
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs.append((client, server))
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        is_last = False
        with client, server, suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if client in ready:
                    data = client.recv(65536)
                    is_last |= self.cut_after is not None and self.cut_after in data
                    if not data:
                        return
                    server.sendall(data)
                if server in ready:
                    data = server.recv(65536)
                    if not data or is_last:
                        self.cut_after = None
                        return
                    if not self.swallows:
                        client.sendall(data)
