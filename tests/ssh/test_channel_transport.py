"""A channel as a transport."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.ssh.channel_transport import WAITING_BYTES, ChannelTransport


class FakeChannel:
    """A channel that keeps what is written."""

    def __init__(self) -> None:
        self.output = b""
        self.errors = b""
        self.status: int | None = None
        self.is_reading = True
        self.is_gone = False

    def write(self, data: bytes) -> None:
        """Write output."""
        self.output += data

    def write_stderr(self, data: bytes) -> None:
        """Write errors."""
        self.errors += data

    def exit(self, status: int) -> None:
        """Close."""
        self.status = status

    def abort(self) -> None:
        """Close at once."""
        self.is_gone = True

    def is_closing(self) -> bool:
        """Return whether it was closed."""
        return self.is_gone or self.status is not None

    def pause_reading(self) -> None:
        """Stop reading."""
        self.is_reading = False

    def resume_reading(self) -> None:
        """Read."""
        self.is_reading = True


class _Producer:
    def __init__(self) -> None:
        self.calls = ""

    def pauseProducing(self) -> None:
        self.calls += "p"

    def resumeProducing(self) -> None:
        self.calls += "r"


class TransportTests(SynchronousTestCase):
    """Writing and pacing."""

    def setUp(self) -> None:
        """Make a transport."""
        self.clock, self.channel, self.producer = Clock(), FakeChannel(), _Producer()
        self.is_writable = True
        self.transport = ChannelTransport(self.clock, self.channel, lambda: self.is_writable)  # type: ignore[arg-type]

    def turn(self) -> str:
        """Run what is due. Return the calls of the producer."""
        self.clock.advance(0)
        calls, self.producer.calls = self.producer.calls, ""
        return calls

    def test_frame_by_frame(self) -> None:
        """A producer that is not streaming is asked for more after each write, once both buffers are empty."""
        self.transport.registerProducer(self.producer, False)
        self.transport.write(b"one")
        self.assertEqual(self.turn(), "r")
        self.assertEqual(self.turn(), "")
        self.transport.write(b"two")
        self.transport.window_full(True)
        self.assertEqual(self.turn(), "")
        self.is_writable = False
        self.transport.window_full(False)
        self.assertEqual(self.turn(), "")
        self.is_writable = True
        self.transport.drained()
        self.assertEqual(self.turn(), "r")
        self.assertEqual(self.channel.output, b"onetwo")

    def test_input_at_once(self) -> None:
        """Input that answers what was just written finds the producer resumed, if both buffers are empty."""
        self.transport.registerProducer(self.producer, False)
        self.transport.input_comes()
        self.assertEqual(self.producer.calls, "")
        self.transport.write(b"Your name: ")
        self.transport.input_comes()
        self.assertEqual(self.producer.calls, "r")
        self.assertEqual(self.turn(), "r")
        self.is_writable = False
        self.transport.write(b"not taken")
        self.transport.input_comes()
        self.assertEqual(self.turn(), "")

    def test_streaming(self) -> None:
        """A streaming producer is paused while a buffer is not empty."""
        self.transport.registerProducer(self.producer, True)
        self.transport.write(b"x")
        self.assertEqual(self.turn(), "")
        self.is_writable = False
        self.transport.write(b"x")
        self.transport.write(b"x")
        self.assertEqual(self.turn(), "p")
        self.is_writable = True
        self.transport.drained()
        self.assertEqual(self.turn(), "r")
        self.transport.drained()
        self.assertEqual(self.turn(), "")

    def test_close(self) -> None:
        """Closing sends the exit status. Nothing is written after that, and nothing to a channel that is gone."""
        self.transport.registerProducer(self.producer, False)
        self.transport.write_error(b"! no")
        self.transport.status = 1
        self.transport.loseConnection()
        self.transport.write(b"late")
        self.transport.write_error(b"late")
        self.assertEqual((self.channel.output, self.channel.errors, self.channel.status), (b"", b"! no", 1))
        self.assertEqual(self.turn(), "")

    def test_too_much_waits(self) -> None:
        """A client that does not read while very much is written for it is cut off."""
        self.transport.registerProducer(self.producer, False)
        for _ in range(5):
            self.transport.write(b"x" * WAITING_BYTES)
        self.assertFalse(self.channel.is_gone)
        self.is_writable = False
        self.transport.write(b"x" * WAITING_BYTES)
        self.assertFalse(self.channel.is_gone)
        self.transport.write(b"x")
        self.assertTrue(self.channel.is_gone)

    def test_reading(self) -> None:
        """Input can be paused."""
        self.transport.pauseProducing()
        self.assertFalse(self.channel.is_reading)
        self.transport.resumeProducing()
        self.assertTrue(self.channel.is_reading)

    def test_unregistered(self) -> None:
        """A producer that went is not called again."""
        self.transport.registerProducer(self.producer, False)
        self.transport.write(b"x")
        self.transport.unregisterProducer()
        self.assertEqual(self.turn(), "")
        self.transport.write(b"x")
        self.assertEqual(self.turn(), "")
