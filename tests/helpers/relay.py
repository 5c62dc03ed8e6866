"""A TCP relay in front of a server, which can lose an answer."""

import contextlib
import socket
import threading
from collections.abc import Callable


class Relay:
    """Relays connections to a port of the loopback interface, until `close`.

    ``on_answer`` is called with each piece from the server, before it is passed on. If it returns False, the piece is
    dropped, and so is the connection.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.on_answer: Callable[[bytes], bool] = lambda data: True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._copy, args=(client, server, lambda data: True), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client, self._answer), daemon=True).start()

    def _answer(self, data: bytes) -> bool:
        return self.on_answer(data)

    def _copy(self, source: socket.socket, target: socket.socket, look: Callable[[bytes], bool]) -> None:
        try:
            while (data := source.recv(65_536)) and look(data):
                target.sendall(data)
        except OSError:
            pass
        for end in source, target:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
