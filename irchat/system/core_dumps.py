"""Forbid core dumps: memory contains passwords and timed messages, which must not be written to a file."""

import ctypes
import resource
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """Forbid core dumps of this process permanently."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forbid_memory_access() -> None:
    """Forbid core dumps. On Linux, also keep other processes of the user from reading the memory of this one.

    This includes core dumps piped into a program, to which the limit of `forbid_core_dumps` does not apply.
    """
    forbid_core_dumps()
    with suppress(AttributeError, OSError):  # not on Linux
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
