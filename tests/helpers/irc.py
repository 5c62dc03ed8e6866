"""IRC clients of the server in memory (`tests.helpers.server`)."""

import base64

from tests.helpers.server import PASSWORD, Client, Server, ServerTestCase


class IRCClient(Client):
    """An IRC client that takes ``caps``. With ``name``, it is signed in, in a new account if there is none.

    ``room``: the bytes that its socket takes from then on (`tests.helpers.server.Socket`).
    """

    def __init__(
        self,
        server: Server,
        name: str | None = None,
        *caps: str,
        room: int | None = None,
        host: str | None = None,
        password: str = PASSWORD,
        keep_greeting: bool = False,
    ) -> None:
        super().__init__(server, host=host)
        if not keep_greeting:
            self.read()
        if name is not None:
            self._sign_in(name, password, caps)
        self.socket.room = room

    def _sign_in(self, name: str, password: str, caps: tuple[str, ...]) -> None:
        known = self.server.chat.directory.find_user(name) is not None
        self.type("CAP LS 302", f"NICK {name}", f"USER {name[:10]} 0 * :{name}")
        if caps:
            self.type(f"CAP REQ :{' '.join(caps)}")
        if known and self.server.accounts.passwords:
            self.type("CAP REQ sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain(name, password)}")
        elif self.server.accounts.passwords:
            self.type(f"REGISTER * * :{password}")
        self.type("CAP END")
        self.burst = self.got()
        if not any(" 001 " in line for line in self.burst):
            raise AssertionError(f"not signed in: {self.burst}")

    def type(self, *lines: str) -> None:
        """Send lines."""
        self.send(*(f"{line}\r\n".encode() for line in lines))

    def got(self) -> list[str]:
        """Return the lines received since the last call, each without its end."""
        data = self.read()
        if data and not data.endswith("\r\n"):
            raise AssertionError(f"half a line: {data!r}")
        return data.removesuffix("\r\n").split("\r\n") if data else []

    def wait(self, *seconds: float) -> list[str]:
        """Let time pass in these steps, sending on as far as the server reads. Return the lines received."""
        lines = []
        for step in seconds:
            self.server.advance(step)
            self.send()
            lines += self.got()
        return lines

    def ask(self, *lines: str) -> list[str]:
        """Send lines, and return the lines received from then on."""
        self.got()
        self.type(*lines)
        return self.got()


class IRCTestCase(ServerTestCase):
    """A test with IRC clients of one server, whose ``options`` are those of `Server`."""

    options: dict[str, object] = {}

    def setUp(self) -> None:
        """Start a server."""
        self.server = self.make_server(**self.options)

    def irc(self, name: str | None = None, *caps: str, **how: object) -> IRCClient:
        """Return an IRC client."""
        return IRCClient(self.server, name, *caps, **how)  # type: ignore[arg-type]

    def fall_behind(self, client: IRCClient, talker: IRCClient) -> None:
        """Let a client read nothing, while another one writes more to everyone than waits for it in memory."""
        client.socket.room = 0
        for _ in range(90):
            talker.ask(*[f"PRIVMSG #global :{'x' * 490}"] * 10)
        self.assertTrue(client.outbox.behind)


def plain(name: str, password: str = PASSWORD) -> str:
    """Return the parameter of AUTHENTICATE PLAIN."""
    return base64.b64encode(f"{name}\0{name}\0{password}".encode()).decode()


def numerics(lines: list[str]) -> list[str]:
    """Return the numerics among these lines, in order."""
    return [word for line in lines if (word := line.split(" ")[1 if line.startswith(":") else 0]).isdecimal()]
