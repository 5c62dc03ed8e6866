"""The URLs of the store and of the bus."""

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.settings import WrongSetting, make_config
from irchat.wiring.urls import bus_url, store_url

_SECRET = "postgresql://irchat:hunter2@db/chat"


class URLTests(SynchronousTestCase):
    """`store_url` and `bus_url`."""

    def setUp(self) -> None:
        """Write a file with a URL."""
        self.path = Path(self.mktemp()).absolute()
        self.path.write_text(f"{_SECRET}\n")
        self.path.chmod(0o600)

    def _config(self, **given: Any) -> Any:
        return make_config({name.replace("_", "-"): value for name, value in given.items()})

    def test_given(self) -> None:
        """A URL without a password comes from the setting, one with a password from its file."""
        self.assertIsNone(store_url(self._config(), {}))
        self.assertIsNone(bus_url(self._config()))
        self.assertEqual(store_url(self._config(store="postgresql://db/chat"), {}), "postgresql://db/chat")
        with_file = self._config(store_file=str(self.path), bus="redis://bus", bus_key="key")
        self.assertEqual((store_url(with_file, {}), bus_url(with_file)), (_SECRET, "redis://bus"))
        self.path.write_text("rediss://:hunter2@bus:6380")
        config = self._config(store="postgresql://db/chat", bus_file=str(self.path), bus_key="key")
        self.assertEqual(bus_url(config), "rediss://:hunter2@bus:6380")

    def test_files(self) -> None:
        """A file that others may read, that is missing, or has no URL, is refused in a line without its content."""
        config = self._config(store_file=str(self.path))
        self.path.chmod(0o640)
        self.assertIn("chmod 600", self._wrong(config))
        self.path.chmod(0o600)
        for content in b"hunter2", b"redis://:hunter2@bus", b"\xffhunter2", b"hunter2" * 200_000, b"":
            self.path.write_bytes(content)
            self._wrong(config)
        self.path.unlink()
        self.assertIn("No such file or directory; write the URL to a file that this user can read", self._wrong(config))

    def test_environment(self) -> None:
        """A password in the environment is refused, but only where PostgreSQL is used."""
        environment = {"PGPASSWORD": "hunter2"}
        self.assertIsNone(store_url(self._config(), environment))
        self.assertIn("unset it", self._wrong(self._config(store="postgresql://db/chat"), environment))

    def _wrong(self, config: Any, environment: dict[str, str] | None = None) -> str:
        text = str(self.assertRaises(WrongSetting, store_url, config, environment or {}))
        self.assertNotIn("hunter2", text)
        self.assertNotIn("\n", text)
        return text
