"""The configuration files in docs/cluster.rst, run as they are there, but for addresses, ports and folders."""

import os
import pwd
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.certificates import ensure_self_signed
from irchat.settings import make_config, read_file
from tests.helpers.nodes import Node
from tests.helpers.processes import JSONClient
from tests.helpers.services import Haproxy, PostgresServer, RedisServer, free_port

_PAGE = Path(__file__).parents[3] / "docs" / "cluster.rst"
_PASSWORD = "correct-horse"


def blocks() -> list[str]:
    """Return the contents of files on the page."""
    found = re.findall(r"^\.\. code-block:: \w+\n\n((?:    .*\n|\n)+)", _PAGE.read_text("utf-8"), re.MULTILINE)
    return [re.sub("^    ", "", block, flags=re.MULTILINE).strip() + "\n" for block in found]


class PageTests(SynchronousTestCase):
    """The page, without any service."""

    def test_blocks(self) -> None:
        """The page has the files of PostgreSQL (two), Redis, secrets (two), a node and haproxy, in this order."""
        begins = ["listen_addresses", "hostssl", "bind", "postgresql://", "redis://", "host =", "global"]
        self.assertEqual(
            [begin for begin, block in zip(begins, blocks(), strict=True) if block.startswith(begin)], begins
        )


@pytest.mark.slow
class SettingUpTests(SynchronousTestCase):
    """Two nodes on one machine."""

    def setUp(self) -> None:
        """Read the page, with other addresses, ports and folders."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        (self.home / "etc").mkdir()
        self.ports = {"a": free_port(), "b": free_port()}

    def given(self, *replaced: tuple[str, object]) -> list[str]:
        """Return the files with texts replaced."""
        found = blocks()
        for old, new in (
            ("192.0.2.0/24", "127.0.0.0/8"),
            ("192.0.2.1", "127.0.0.1"),
            ("192.0.2.2", "127.0.0.1"),
            *replaced,
        ):
            found = [block.replace(old, str(new)) for block in found]
        return found

    def start_postgres(self) -> PostgresServer:
        """Start PostgreSQL with the settings of the page, and with a certificate as Debian makes one."""
        settings, access, *_ = self.given()
        postgres = PostgresServer(f"{settings}ssl = on\nssl_cert_file = 'cert.pem'\nssl_key_file = 'key.pem'\n")
        self.addCleanup(postgres.remove)
        data = postgres.folder / "data"
        for name, path in zip(("cert.pem", "key.pem"), ensure_self_signed(self.home, "localhost"), strict=True):
            shutil.copyfile(path, data / name)
            (data / name).chmod(0o600)
            if os.getuid() == 0:
                os.chown(data / name, pwd.getpwnam("postgres").pw_uid, -1)
        with (data / "pg_hba.conf").open("w") as file:
            file.write(f"{access}host postgres irchat 127.0.0.1/32 trust\n")
        postgres.start()
        postgres.run(f"ALTER USER irchat PASSWORD '{_PASSWORD}'")
        postgres.run("CREATE DATABASE irchat OWNER irchat ENCODING 'UTF8' TEMPLATE template0")
        return postgres

    def start_redis(self) -> RedisServer:
        """Start Redis with the settings of the page."""
        settings = self.home / "redis.conf"
        settings.write_text(self.given(("127.0.0.1 127.0.0.1", "127.0.0.1"), ("REDIS-PASSWORD", _PASSWORD))[2])
        redis = RedisServer(settings=settings)
        self.addCleanup(redis.remove)
        redis.start()
        return redis

    def node(self, name: str, postgres: PostgresServer, redis: RedisServer) -> Node:
        """Return a node with the configuration of the page."""
        _, _, _, store, bus, toml, _ = self.given(
            ("POSTGRES-PASSWORD@127.0.0.1", f"{_PASSWORD}@127.0.0.1:{postgres.port}"),
            ("REDIS-PASSWORD", _PASSWORD),
            (":6379", f":{redis.port}"),
            ("/etc/irchat", self.home / "etc"),
            ("7668", self.ports[name]),
            ('node = "a"', f'node = "{name}"'),
        )
        for file, content in ("store", store.encode()), ("bus", bus.encode()), ("bus.key", b"k" * 32):
            path = self.home / "etc" / file
            path.touch(0o600)
            path.write_bytes(content)
        settings = self.home / "etc" / f"{name}.toml"
        settings.write_text(toml)
        make_config(read_file(settings))
        node = Node(name, self.home / name, ["--config", str(settings), "--no-passwords"])
        node.port = self.ports[name]
        self.addCleanup(node.kill)
        return node

    def test_two_nodes(self) -> None:
        """Two nodes start with the files of the page, share a certificate, and are reached through its balancer."""
        postgres, redis = self.start_postgres(), self.start_redis()
        first, second = self.node("a", postgres, redis), self.node("b", postgres, redis)
        first.start()
        for name in "tls-cert.pem", "tls-key.pem", "ssh_host_ed25519_key":
            (second.home / "data").mkdir(0o700, exist_ok=True)
            shutil.copy(first.home / "data" / name, second.home / "data" / name)
        second.start()
        balancer = Haproxy([])
        self.addCleanup(balancer.remove)
        text = self.given(("7667", balancer.port))[-1]
        for name, port in self.ports.items():
            text = text.replace(f"server {name} 127.0.0.1:7668", f"server {name} 127.0.0.1:{port}")
        (balancer.folder / "haproxy.cfg").write_text(text.replace("bind :", "bind 127.0.0.1:"))
        balancer.start()
        clients = []
        for name in "ann", "bob":
            client = JSONClient(balancer)
            self.addCleanup(client.close)
            self.assertEqual(client.ask(type="login", name=name)["type"], "welcome")
            clients.append(client)
        sent = clients[0].ask(type="send", chat="GLOBAL", text="hi", expires_in=30)
        self.assertEqual((sent["type"], sent["of"]), ("sent", 1), sent)
        self.assertEqual(clients[1].event("message")["text"], "hi")
