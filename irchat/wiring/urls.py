"""Read the URLs of the store and of the bus, from the settings or from files of mode 0600."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from irchat.settings import BusURL, Config, StoreURL, WrongSetting, read_url
from irchat.system.files.named_files import TooLong, read_small_file


def store_url(config: Config, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the URL of the store, or None for SQLite. Raises WrongSetting.

    A password in the environment is refused, because other programs and users may see it.
    """
    if not config.has_store:
        return None
    if "PGPASSWORD" in environment:
        raise WrongSetting("the environment has PGPASSWORD: unset it, and use --store-file or ~/.pgpass")
    if config.store_file is not None:
        return url_from_file("--store-file", config.store_file, StoreURL)
    return config.store


def bus_url(config: Config) -> str | None:
    """Return the URL of the bus, or None without one. Raises WrongSetting."""
    if config.bus_file is not None:
        return url_from_file("--bus-file", config.bus_file, BusURL)
    return config.bus


def url_from_file(option: str, path: Path, kind: type[StoreURL] | type[BusURL]) -> str:
    """Return the URL in the file that ``option`` names. Raises WrongSetting, whose text does not contain the URL."""
    try:
        return read_url(kind, read_small_file(path, secret=True).decode().strip(), secret=True)
    except OSError as error:
        step = "" if error.errno == errno.EPERM else "; write the URL to a file that this user can read"
        raise WrongSetting(f"{option} {path}: {error.strerror}{step}") from None
    except (UnicodeDecodeError, TooLong):
        raise WrongSetting(f"{option} {path} is a URL such as {kind.example}") from None
    except ValueError as error:
        raise WrongSetting(f"{option} {path} {error}") from None
