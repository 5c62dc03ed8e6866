"""Why a client ends before its user asked it to."""


class Stop(Exception):
    """The client cannot go on. The text, of one or more lines, says what happened and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class InputEnded(Stop):
    """A question could not be answered: the input had ended."""

    def __init__(self) -> None:
        super().__init__("The input ended where an answer was needed.")
