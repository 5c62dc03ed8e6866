"""The first lines between the server and the process of the SSH door."""

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.ssh_door import (
    OFFERED_MOST,
    DoorConfig,
    DoorHello,
    OfferedKey,
    RelayHello,
    encode,
    read_config,
    read_door_hello,
    read_relay_hello,
)


class LinesTests(SynchronousTestCase):
    """The lines."""

    def test_there_and_back(self) -> None:
        """Each line is read as it was written, and has one line feed, at its end."""
        config = DoorConfig("/var/lib/irchat", 500, passwords=True, name="Über\nname")
        hello = DoorHello("ssh", 7, [OfferedKey("ssh-ed25519", "AAAA")])
        for line, read in (
            (config, read_config),
            (RelayHello("2001:db8::1", 7), read_relay_hello),
            (hello, read_door_hello),
            (DoorHello("ssh", 7), read_door_hello),
        ):
            written = encode(line)
            self.assertEqual(written.index(b"\n"), len(written) - 1)
            self.assertEqual(read(written), line)

    def test_refused(self) -> None:
        """A line of another door, without a number or with too many keys is refused."""
        many = encode(DoorHello("ssh", 7, [OfferedKey("ssh-ed25519", "AAAA")] * (OFFERED_MOST + 1)))
        for line in b'{"door":"irc","relay":7}', b'{"door":"ssh"}', b"{}", b"", b"[", many:
            self.assertRaises(msgspec.MsgspecError, read_door_hello, line)
