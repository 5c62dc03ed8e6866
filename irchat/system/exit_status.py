"""The exit status of a server. twistd ends with status 0, whatever the reason was."""

import atexit
import os
import sys
from contextlib import suppress


def end_with_failure() -> None:
    """Let the process end with status 1 when it has stopped, so that its supervisor starts it again."""
    atexit.register(_end)


def _end() -> None:
    for stream in sys.stdout, sys.stderr:
        with suppress(OSError, ValueError, AttributeError):  # closed, or none in a daemon
            stream.flush()
    os._exit(1)
