"""No copies of the memory of server and client, which holds passwords and timed messages that are for no file."""

import ctypes
import resource
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """Let a crash of this process leave no copy of its memory; it cannot be allowed again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forbid_memory_access() -> None:
    """Forbid core dumps, and on Linux also those that are piped into a program, which pass over the limit, and that
    other processes of the same user attach to this one."""
    forbid_core_dumps()
    with suppress(AttributeError, OSError):  # no Linux
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
