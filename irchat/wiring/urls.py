"""The URLs of the store and of the bus, from the settings or from files of mode 0600."""

import os
from collections.abc import Mapping
from pathlib import Path

from irchat.settings import BusURL, Config, StoreURL, WrongSetting, read_url
from irchat.system.files.named_files import TooLong, read_small_file

_PASSWORD_VARIABLES = ("PGPASSWORD",)


def store_url(config: Config, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the URL of the store, or None for SQLite. Raises WrongSetting.

    A password in the environment is refused: it is easily shown to others.
    """
    if config.store is None and config.store_file is None:
        return None
    for name in _PASSWORD_VARIABLES:
        if name in environment:
            raise WrongSetting(f"the environment has {name}: unset it, and use --store-file or ~/.pgpass")
    return config.store or _from_file("--store-file", config.store_file, StoreURL)


def bus_url(config: Config) -> str | None:
    """Return the URL of the bus, or None without one. Raises WrongSetting."""
    if config.bus is None and config.bus_file is None:
        return None
    return config.bus or _from_file("--bus-file", config.bus_file, BusURL)


def _from_file(option: str, path: Path | None, kind: type[StoreURL] | type[BusURL]) -> str:
    assert path is not None
    try:
        return read_url(kind, read_small_file(path, secret=True).decode().strip(), secret=True)
    except OSError as error:
        raise WrongSetting(f"{option} {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WrongSetting(f"{option} {path} is a URL such as {kind.example}") from None
    except (ValueError, TooLong) as error:
        raise WrongSetting(f"{option} {path} {error}") from None
