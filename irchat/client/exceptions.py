"""The errors that end the client, a connection attempt or a question."""


class ClientError(Exception):
    """The client cannot go on. ``text``, of one or more lines, names the problem and the next step."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Unencrypted(ClientError):
    """A server answered a TLS connection without TLS."""


class Later(ClientError):
    """A temporary refusal. Try again after ``pause`` seconds, or after the usual pauses if that is 0."""

    def __init__(self, text: str, pause: int = 0) -> None:
        super().__init__(text)
        self.pause = pause


class InputEnded(ClientError):
    """A question was not answered before the input ended."""

    def __init__(self) -> None:
        super().__init__("The input ended before a question was answered.")


class Cancelled(ClientError):
    """The user cancelled a question."""

    def __init__(self) -> None:
        super().__init__("The question was cancelled.")
