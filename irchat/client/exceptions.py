"""Why a client ends before its user asked it to."""


class ClientError(Exception):
    """The client cannot go on. The text, of one or more lines, says what happened and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Unencrypted(ClientError):
    """A server that was called with TLS answered without it."""


class Later(ClientError):
    """The server refuses for now. ``pause``: seconds after which to try again, 0 for the usual pauses."""

    def __init__(self, text: str, pause: int = 0) -> None:
        super().__init__(text)
        self.pause = pause


class InputEnded(ClientError):
    """A question could not be answered: the input had ended."""

    def __init__(self) -> None:
        super().__init__("The input ended where an answer was needed.")


class Cancelled(ClientError):
    """The user has broken off a question."""

    def __init__(self) -> None:
        super().__init__("The question was cancelled.")
