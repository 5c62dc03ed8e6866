"""The reasons for which a client ends before the user wants to."""


class ClientError(Exception):
    """The client cannot go on. ``text``, of one or more lines, says what happened and what to do next."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Unencrypted(ClientError):
    """A server answered a connection with TLS without it."""


class Later(ClientError):
    """The server refuses for now. Try again after ``pause`` seconds, or after the usual pauses if that is 0."""

    def __init__(self, text: str, pause: int = 0) -> None:
        super().__init__(text)
        self.pause = pause


class InputEnded(ClientError):
    """A question could not be answered, because the input has ended."""

    def __init__(self) -> None:
        super().__init__("The input ended where an answer was needed.")


class Cancelled(ClientError):
    """The user has broken off a question."""

    def __init__(self) -> None:
        super().__init__("The question was cancelled.")
