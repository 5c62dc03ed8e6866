"""The algorithms, timers and limits of the SSH protocol."""

from collections.abc import Callable
from pathlib import Path

import asyncssh
from asyncssh.kex import get_kex_algs

from irchat.protocol.rules import LOGIN_SECONDS
from irchat.protocol.ssh_door import VERSION

KEEPALIVE_SECONDS = 45
_KEEPALIVE_MOST = 2
# Bytes that a client may send before a channel has read them.
_WINDOW = 65_536

_KEY_EXCHANGES = ("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org")
_CIPHERS = ("chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes128-ctr")
_MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")

# The algorithms of signatures by the keys of users. SHA-1 is too weak, and certificates are not understood.
SIGNATURES = (
    "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-256", "rsa-sha2-512",
)  # fmt: skip


def server_options(
    host_key: Path, server_factory: Callable[[], asyncssh.SSHServer]
) -> asyncssh.SSHServerConnectionOptions:
    """Return the options of all connections. Raises OSError or ValueError if the host key cannot be used.

    No configuration file is read, and nothing of this machine is offered: no files, forwarding or agent.
    """
    known = {name.decode() for name in get_kex_algs()}
    return asyncssh.SSHServerConnectionOptions(
        server_factory=server_factory,
        server_version=VERSION.decode().removeprefix("SSH-2.0-"),
        server_host_keys=[asyncssh.read_private_key(host_key)],
        config=None,
        kex_algs=[name for name in _KEY_EXCHANGES if name in known],
        encryption_algs=_CIPHERS,
        mac_algs=_MACS,
        compression_algs=None,
        signature_algs=SIGNATURES,
        gss_host=None,
        host_based_auth=False,
        x509_trusted_certs=None,
        login_timeout=LOGIN_SECONDS,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=_KEEPALIVE_MOST,
        agent_forwarding=False,
        x11_forwarding=False,
        line_editor=False,
        encoding=None,
        window=_WINDOW,
    )
