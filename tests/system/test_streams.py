"""The standard streams of a command, in any condition."""

import io
import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from irchat.system.streams import flush_output, one_line, prepare_streams, print_error

_PREPARED = "from irchat.system.streams import *; prepare_streams(); "


class StreamTests(SynchronousTestCase):
    """`prepare_streams` and the functions for output and errors."""

    def test_encoding(self) -> None:
        """Characters that the encoding of a stream lacks are escaped."""
        for encoding, expected in ("ascii", rb"\xe9\u5c71"), ("latin-1", b"\xe9\\u5c71"), ("utf-8", "é山".encode()):
            written = io.BytesIO()
            self.patch(sys, "stdout", io.TextIOWrapper(written, encoding))
            prepare_streams()
            sys.stdout.write("é山")
            sys.stdout.flush()
            self.assertEqual(written.getvalue(), expected)

    def test_not_utf8(self) -> None:
        """A path with bytes that are not UTF-8 can be printed."""
        written = io.BytesIO()
        self.patch(sys, "stdout", io.TextIOWrapper(written, "utf-8"))
        prepare_streams()
        sys.stdout.write(os.fsdecode(b"a\xff"))
        sys.stdout.flush()
        self.assertEqual(written.getvalue(), rb"a\udcff")

    def test_closed(self) -> None:
        """A stream that is closed at the start becomes the null device, and no file gets its descriptor."""
        script = _PREPARED + "import os, sys; d = os.open('.', 0); print(d); assert d > 2; print('x', file=sys.stderr)"
        for closed in ">&-", "<&-", "2>&-", "<&- >&- 2>&-":
            ran = subprocess.run(
                ["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, script],
                stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60,
            )  # fmt: skip
            self.assertEqual(ran.returncode, 0, (closed, ran))
            self.assertNotIn(b"Traceback", ran.stderr)

    def test_no_reader(self) -> None:
        """A closed pipe at the output is not an error."""
        reading, writing = os.pipe()
        os.close(reading)
        self._stdout(writing)
        self.assertEqual(flush_output(), "")

    def test_full_disk(self) -> None:
        """A full disk is reported once, and the rest of the output is dropped."""
        self._stdout(os.open("/dev/full", os.O_WRONLY))
        self.assertEqual(flush_output(), f"the output could not be written: {os.strerror(28)}")
        self.assertEqual(flush_output(), "")

    if not os.path.exists("/dev/full"):
        test_full_disk.skip = "needs /dev/full"

    def _stdout(self, descriptor: int) -> None:
        stream = os.fdopen(descriptor, "w")
        self.patch(sys, "stdout", stream)
        stream.write("text")

    def test_errors(self) -> None:
        """Each line of an error is printed without controls. A failing error stream is ignored."""
        self.patch(sys, "stderr", io.StringIO())
        print_error("one\x1b[2J\ntwo")
        self.assertEqual(sys.stderr.getvalue(), "irchat: one\\x1b[2J\nirchat: two\n")
        self.assertEqual(one_line("a\nb\udcff山 c"), "a\\nb\\udcff山 c")
        reading, writing = os.pipe()
        os.close(reading)
        self.patch(sys, "stderr", os.fdopen(writing, "w", buffering=1))
        print_error("nobody reads this")
