"""Core dumps are forbidden: memory holds passwords and timed messages, which must reach no file."""

import ctypes
import resource
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """Forbid core dumps of this process, for good."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forbid_memory_access() -> None:
    """Forbid core dumps; on Linux also those piped into a program, and other processes of the user to attach.

    The limit on core dumps does not apply to piped ones."""
    forbid_core_dumps()
    with suppress(AttributeError, OSError):  # not on Linux
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
