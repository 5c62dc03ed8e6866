"""The terminal from which the server is started, also when the server has become a daemon and left it."""

import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

from twisted.logger import Logger

_log = Logger()


class CannotStart(Exception):
    """A daemon cannot start; the text says why."""


class StartingTerminal:
    """The terminal that the server is started from, which a daemon can still tell how its start went."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._output = _duplicate(sys.__stdout__)
        self._errors = _duplicate(sys.__stderr__)

    def announce(self, text: str) -> None:
        """Say where the server listens. Nothing can be said after this."""
        self._say(self._output, text)
        self._close()

    def fail(self, line: str) -> NoReturn:
        """Say why the server cannot start, and end the process with status 1.

        In a daemon by an exception: only by one does twistd, which waits in the process that was started, learn of it.
        """
        self._say(self._errors, f"irchat: {line}")
        self._close()
        if os.getpid() != self._process:
            raise CannotStart(line)
        raise SystemExit(1)

    def _say(self, descriptor: int | None, text: str) -> None:
        if descriptor is not None:
            with suppress(OSError):  # the terminal is gone
                os.write(descriptor, f"{text}\n".encode())
        if os.getpid() != self._process:
            _log.info("{text}", text=text)

    def _close(self) -> None:
        for descriptor in self._output, self._errors:
            if descriptor is not None:
                os.close(descriptor)


def _duplicate(stream: Any) -> int | None:
    try:
        return os.dup(stream.fileno())
    except (AttributeError, OSError, ValueError):  # started without that stream
        return None
