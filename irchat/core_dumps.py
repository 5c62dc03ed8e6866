"""No core dumps: the memory of server and client holds passwords and timed messages, which are for no file."""

import resource


def forbid_core_dumps() -> None:
    """Let a crash of this process leave no copy of its memory; it cannot be allowed again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
