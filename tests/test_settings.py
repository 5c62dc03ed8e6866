"""Tests of `irchat.settings`."""

import os
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.limits import Limits
from irchat.settings import SETTINGS, WrongSetting, changed_for_restart, make_config, read_file
from irchat.system.files.data_folder import default_data_folder

_ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text() | st.integers())


class ConfigTests(SynchronousTestCase):
    """`make_config` and `read_file`."""

    def wrong(self, given: dict[str, Any]) -> str:
        """Return the error for wrong settings."""
        return str(self.assertRaises(WrongSetting, make_config, given))

    def test_defaults(self) -> None:
        """Without settings, the configuration has the documented defaults."""
        config = make_config({})
        self.assertEqual((config.port, config.host, config.name), (7667, None, "IRChat"))
        self.assertEqual((config.data, config.limits, config.admins), (default_data_folder(), Limits(), frozenset()))
        self.assertEqual(config.registration, "open")
        self.assertFalse(config.no_tls or config.no_passwords)

    def test_text_and_toml_are_the_same(self) -> None:
        """A setting has the same meaning as text on the command line and as a value in a file."""
        typed = make_config({"port": "80", "rate": "2.5", "no-tls": 1, "per-address": "0", "admin": ["Alice"]})
        filed = make_config({"port": 80, "rate": 2.5, "no-tls": True, "per-address": 0, "admin": ["alice"]})
        self.assertEqual(typed, filed)
        self.assertEqual((typed.port, typed.limits.rate, typed.limits.per_address), (80, 2.5, 0))
        self.assertEqual(typed.admins, frozenset({"alice"}))

    def test_what_cannot_be(self) -> None:
        """The error for a wrong value names the setting and the valid values."""
        for name, value, reason in [
            ("port", "http", "is a number from 0 to 65,535, not 'http'"),
            ("port", 65_536, "is a number"),
            ("port", -1, "is a number"),
            ("port", True, "is a number"),
            ("port", 1.5, "is a number"),
            ("port", 10**400, "is a number"),
            ("data", "", "is a path"),
            ("data", "a\0b", "is a path"),
            ("data", "~there is no such user/x", "no such home folder"),
            ("port", [], "is a number"),
            ("rate", "nan", "is a number"),
            ("rate", "inf", "is a number"),
            ("group-members", 1_001, "is a number from 1 to 1,000"),
            ("registration", "shut", "is open or closed"),
            ("no-tls", "yes", "is true or false"),
            ("name", "", "visible characters"),
            ("name", "a\nb", "visible characters"),
            ("data", 5, "is a path"),
            ("name", 5, "visible characters"),
            ("irc-motd", "x" * 4_001, "is a text of at most 4,000 characters"),
            ("irc-motd", 5, "is a text of at most 4,000 characters"),
            ("port", "٣", "is a number from 0 to 65,535, not '٣'"),
            ("port", " 80", "is a number"),
            ("port", "8_0", "is a number"),
            ("rate", "٣", "is a number"),
            ("host", "", "is an address of this machine, or left out for all of them, not ''"),
            ("host", "224.0.0.1", "is an address of this machine"),
            ("host", "ff02::1%eth0", "is an address of this machine"),
            ("host", 5, "is an address of this machine"),
            ("admin", "alice", "is a list of names"),
            ("admin", ["a b"], "white space"),
            ("proxy-from", "10.0.0.1", "is a list of addresses and networks"),
            ("proxy-from", ["10.0.0.0/8", "balancer"], "is a list of addresses and networks"),
            ("metrics-port", 65_536, "is a number from 0 to 65,535"),
            ("node", "a b", "is 1 to 64 letters"),
            ("node", "a\n", "is 1 to 64 letters"),
            ("store", "mysql://db/chat", "is a URL such as postgresql://"),
            ("store", "dbname=chat", "is a URL such as postgresql://"),
            ("store", "postgresql://[", "is a URL such as postgresql://"),
            ("store", "postgresql://a b/", "is a URL such as postgresql://"),
            ("bus", "http://redis", "is a URL such as redis://"),
            ("bus", 5, "is a URL such as redis://"),
        ]:
            text = self.wrong({name: value})
            self.assertIn(f"--{name}", text)
            self.assertIn(reason, text)
        self.assertIn("go together", self.wrong({"tls-key": "k"}))
        self.assertIn("exclude each other", self.wrong({"admin": ["alice"], "no-passwords": True}))
        self.assertIn("exclude each other", self.wrong({"tls-key": "k", "tls-cert": "c", "no-tls": True}))

    def test_passwords_in_urls(self) -> None:
        """A URL with a password is refused with the option to use instead, and no error shows the password."""
        for name, value, option in [
            ("store", "postgresql://irchat:hunter2@db/chat", "--store-file"),
            ("store", "postgres://db/chat?user=a&password=hunter2", "--store-file"),
            ("store", "postgresql://db/chat?sslPassword=hunter2", "--store-file"),
            ("store", "postgresql://db/chat?pass%77ord=hunter2", "--store-file"),
            ("bus", "redis://:hunter2@bus", "--bus-file"),
            ("bus", "rediss://a:hunter2@bus", "--bus-file"),
            ("store", "postgresql//irchat:hunter2@db", "is a URL such as"),
            ("bus", " redis://:hunter2@bus", "is a URL such as"),
        ]:
            text = self.wrong({name: value})
            self.assertIn(option, text)
            self.assertNotIn("hunter2", text)

    def test_several_nodes(self) -> None:
        """Settings of several nodes that make no sense together are refused with the missing one."""
        store, bus = {"store": "postgresql://db/chat"}, {"bus": "redis://bus", "bus-key": "key"}
        for together, reason in [
            (bus, "add --store"),
            (store | {"bus": "redis://bus"}, "--bus needs --bus-key"),
            (store | {"bus-key": "key"}, "add --bus"),
            (store | {"store-file": "x"}, "exclude each other"),
            (store | bus | {"bus-file": "x"}, "exclude each other"),
            ({"node": "one"}, "add --store"),
        ]:
            self.assertIn(reason, self.wrong(together))
        files = make_config({"store-file": "x", "bus-file": "y", "bus-key": "z"})
        self.assertTrue(files.has_store and files.has_bus)
        none = make_config({})
        self.assertFalse(none.has_store or none.has_bus)
        config = make_config(store | bus | {"node": "chat1"})
        self.assertTrue(config.has_store and config.has_bus)
        self.assertEqual((config.store, config.bus, config.node), ("postgresql://db/chat", "redis://bus", "chat1"))

    def test_networks(self) -> None:
        """Balancers are given as addresses or networks."""
        networks = make_config({"proxy-from": ["10.1.2.3/8", "::1", "::ffff:192.0.2.1"]}).proxy_from
        self.assertEqual({str(network) for network in networks}, {"10.0.0.0/8", "::1/128", "192.0.2.1/32"})

    def test_hosts(self) -> None:
        """A host is stored as written. Whether this machine has the address is checked later."""
        for host in "127.0.0.1", "::1", "fe80::1%eth0", "192.0.2.1", "chat.example":
            self.assertEqual(make_config({"host": host}).host, host)

    @given(st.dictionaries(st.sampled_from([setting.name for setting in SETTINGS]), _ANY))
    def test_nothing_else_is_raised(self, given: dict[str, Any]) -> None:
        """Any values return a configuration or raise WrongSetting with one line."""
        try:
            make_config(given)
        except WrongSetting as wrong:
            self.assertEqual(str(wrong).count("\n"), 0, wrong)

    def test_file(self) -> None:
        """A TOML file is read, and the error for a wrong one names the file and the setting."""
        path = Path(self.mktemp())
        path.write_text('port = 1\nadmin = ["alice"]\n')
        self.assertEqual(read_file(path), {"port": 1, "admin": ["alice"]})
        for content, reason in [
            (b"prot = 1", "there is no setting 'prot' (did you mean port?)"),
            (b"[limits]", "there is no setting 'limits'"),
            (b"port = 'http'", "port is a number from 0 to 65,535, not 'http'"),
            (b"admin = 'alice'", "admin is a list of names"),
            (b"port = '80'", "port is a number from 0 to 65,535, without quotation marks, not '80'"),
            (b"no-tls = 'true'", "no-tls is true or false, without quotation marks, not 'true'"),
            (b"port =", "is not TOML"),
            (b"port = " + b"1" * 5_000, "is not TOML"),
            (b"x" * 5_000 + b" = 1", "there is no setting 'xxx"),
            (b"\xff", "is not TOML"),
        ]:
            path.write_bytes(content)
            line = str(self.assertRaises(WrongSetting, read_file, path))
            self.assertTrue(line.startswith(str(path)), line)
            self.assertIn(reason, line)
            self.assertLess(len(line) - len(str(path)), 150)
            self.assertNotIn("sys.", line)
        path.unlink()
        self.assertIn("No such file", str(self.assertRaises(WrongSetting, read_file, path)))

    def test_changes_for_a_restart(self) -> None:
        """Changed settings that need a restart are listed, and others are not."""
        old = make_config({})
        new = make_config({"port": 1, "no-tls": True, "rate": 1, "registration": "closed", "name": "x", "timed": 1})
        self.assertEqual(changed_for_restart(old, new), ["port", "no-tls"])


class FileTests(SynchronousTestCase):
    """Configuration files with any content."""

    def test_anything(self) -> None:
        """A file with wrong content is refused in one line that names it."""
        path = Path(self.mktemp())
        for content in (
            b"admin = " + b"[" * 20_000, b"a = " + b"{b=" * 20_000, b"name = \"\xe9\"", b"port = 1\nport = 2",
            b"name = \"\0\"", "port = 1".encode("utf-16"), b"port = " + b"9" * 5_000, b"port = 0x" + b"f" * 9_000,
            b"rate = 0x" + b"f" * 9_000, b"port = 2020-01-01", b"[port]", b"\"po\\nrt\" = 1", b"#" * 2_000_000,
            b"data = \"\\u0000\"", b"tls-cert = []", b"admin = [[1]]", b"no-tls = 1", b"port = \"7667\"",
        ):  # fmt: skip
            path.write_bytes(content)
            line = str(self.assertRaises(WrongSetting, read_file, path))
            self.assertTrue(line.startswith(str(path)), line)
            self.assertNotIn("\n", line)

    def test_byte_order_mark(self) -> None:
        """A byte order mark is skipped."""
        path = Path(self.mktemp())
        path.write_bytes(b"\xef\xbb\xbfport = 1")
        self.assertEqual(read_file(path), {"port": 1})

    def test_pipe(self) -> None:
        """A pipe is refused instead of being read."""
        path = Path(self.mktemp())
        os.mkfifo(path)
        self.assertIn("is a pipe", str(self.assertRaises(WrongSetting, read_file, path)))
