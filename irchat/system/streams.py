"""The standard streams of a command: able to take any text, and never a reason to end with a traceback."""

import io
import os
import sys
from contextlib import suppress
from typing import TextIO


def prepare_streams() -> None:
    """Let standard output and standard error take any text: what their encoding lacks is written as an escape.

    A stream that the process was started without becomes the null device. Otherwise the next file that is opened takes
    its descriptor, and what is printed goes into that file.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor, which is this one
        if getattr(sys, name) is None:
            opened: TextIO = open(descriptor, "r" if descriptor == 0 else "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, opened)
            setattr(sys, f"__{name}__", opened)
    for stream in sys.stdout, sys.stderr:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> str:
    """Flush standard output. Return why it failed, or an empty string; a reader that has left is no failure.

    After a failure the rest of the output is dropped, so that the interpreter does not complain about it at its end.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        drop_output()
        return "" if isinstance(error, BrokenPipeError) else f"the output could not be written: {error.strerror}"
    return ""


def drop_output() -> None:
    """Send what is still to be written to standard output to the null device."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def print_error(text: str) -> None:
    """Print one line per line of ``text`` to standard error, controls escaped; a stream that fails is ignored."""
    with suppress(OSError, ValueError):
        for line in text.splitlines():
            print(f"irchat: {one_line(line)}", file=sys.stderr, flush=True)  # noqa: T201


def one_line(text: str) -> str:
    """Return ``text`` with everything that is not printable written as an escape, such as ``\\n``."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
