"""The errors that end the client, a connection attempt or a question."""


class ClientError(Exception):
    """Ends the client, a connection attempt or a question. ``text``: the problem and the next step, in lines."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Unencrypted(ClientError):
    """A server answered a TLS connection without TLS."""


class NoServer(ClientError):
    """There is no IRChat server at the address, or it does not answer."""


class Later(ClientError):
    """A temporary refusal by the server. Connect again after ``pause`` seconds.

    If ``pause`` is 0, wait as after a lost connection (see `irchat.client.control.reconnecting.Link`).
    """

    def __init__(self, text: str, pause: int = 0) -> None:
        super().__init__(text)
        self.pause = pause


class InputEnded(ClientError):
    """A question was not answered before the input ended."""

    def __init__(self) -> None:
        super().__init__("The input ended before a question was answered. Give an answer for each question.")


class Cancelled(ClientError):
    """The user cancelled a question."""

    def __init__(self) -> None:
        super().__init__("The question was cancelled.")
