"""The packet that refuses a client."""

import struct
from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.ssh.disconnecting import NOT_ALLOWED, UNAVAILABLE, refusal


class RefusalTests(SynchronousTestCase):
    """`refusal`."""

    def test_packet(self) -> None:
        """The packet is one of RFC 4253: padded to blocks of 8 bytes, with the reason and the text."""
        for length, (named, number) in product(range(40), ((NOT_ALLOWED, 1), (UNAVAILABLE, 7))):
            text = "ä" * length
            packet = refusal(named, text, has_version=True)
            size, padding = struct.unpack_from("!IB", packet)
            self.assertEqual(size + 4, len(packet))
            self.assertEqual(len(packet) % 8, 0)
            self.assertGreaterEqual(padding, 4)
            payload = packet[5:-padding]
            kind, reason, said = struct.unpack_from("!BII", payload)
            self.assertEqual((kind, reason), (1, number))
            self.assertEqual(payload[9 : 9 + said].decode(), text)
            self.assertEqual(payload[9 + said :], bytes(4))

    def test_version(self) -> None:
        """The version goes first, unless it was sent."""
        packet = refusal(UNAVAILABLE, "no", has_version=True)
        self.assertEqual(refusal(UNAVAILABLE, "no", has_version=False), b"SSH-2.0-IRChat\r\n" + packet)
