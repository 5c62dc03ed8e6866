"""The standard streams of a command: any text can be written, and no failure ends in a traceback."""

import io
import os
import sys
from contextlib import suppress
from typing import TextIO


def prepare_streams() -> None:
    """Make standard output and standard error accept any text, with escapes for characters that their encoding lacks.

    A stream that is closed at the start becomes the null device. Otherwise the next opened file would get its
    descriptor, and the output would be written to that file.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free descriptor, which is this one
        if getattr(sys, name) is None:
            opened: TextIO = open(descriptor, "r" if descriptor == 0 else "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, opened)
            setattr(sys, f"__{name}__", opened)
    for stream in sys.stdout, sys.stderr:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> str:
    """Flush standard output. Return the reason if it failed, else an empty string. A closed pipe is not a failure.

    After a failure the rest of the output is dropped, so that the interpreter does not report it at exit.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        drop_output()
        return "" if isinstance(error, BrokenPipeError) else f"the output could not be written: {error.strerror}"
    return ""


def drop_output() -> None:
    """Redirect standard output to the null device."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def print_error(text: str) -> None:
    """Print the lines of ``text`` to standard error, controls escaped. Errors of the stream are ignored."""
    with suppress(OSError, ValueError):
        for line in text.splitlines():
            print(f"irchat: {one_line(line)}", file=sys.stderr, flush=True)  # noqa: T201


def one_line(text: str) -> str:
    """Return ``text`` with every unprintable character as an escape, such as ``\\n``."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
