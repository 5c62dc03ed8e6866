"""The algorithms and limits that the door offers."""

from pathlib import Path

import asyncssh
from twisted.trial.unittest import SynchronousTestCase

from irchat.ssh.algorithms import server_options
from tests.helpers.ssh_peers import write_host_key


class AlgorithmTests(SynchronousTestCase):
    """The options of the library."""

    def setUp(self) -> None:
        """Make the options."""
        self.host_key = write_host_key(Path(self.mktemp()))
        self.options = server_options(self.host_key, asyncssh.SSHServer)

    def test_algorithms(self) -> None:
        """Nothing old is offered, and no compression, which a client could use to fill the memory."""
        options = self.options
        self.assertLessEqual({b"curve25519-sha256", b"curve25519-sha256@libssh.org"}, set(options.kex_algs))
        self.assertLessEqual(len(options.kex_algs), 3)
        self.assertEqual(options.compression_algs, [b"none"])
        self.assertEqual(list(options.server_host_keys), [b"ssh-ed25519"])
        offered = [*options.kex_algs, *options.encryption_algs, *options.mac_algs, *options.signature_algs]
        for old in b"sha1", b"cbc", b"md5", b"group", b"cert", b"3des", b"dss":
            self.assertEqual([name for name in offered if old in name], [])
        self.assertNotIn(b"ssh-rsa", options.signature_algs)

    def test_limits(self) -> None:
        """Timers and windows are bounded, and nothing of this machine is forwarded."""
        options = self.options
        self.assertEqual(options.version, b"IRChat")
        self.assertEqual((options.login_timeout, options.keepalive_interval, options.keepalive_count_max), (60, 45, 2))
        self.assertFalse(options.agent_forwarding or options.x11_forwarding or options.gss_host or options.allow_scp)
        self.assertEqual((options.sftp_factory, options.process_factory, options.line_editor), (None, None, False))
        self.assertLessEqual(options.window, 65_536)

    def test_bad_host_key(self) -> None:
        """A host key that cannot be read is an error."""
        self.host_key.write_text("nonsense")
        self.assertRaises(ValueError, server_options, self.host_key, asyncssh.SSHServer)
        self.assertRaises(OSError, server_options, self.host_key.with_name("none"), asyncssh.SSHServer)
