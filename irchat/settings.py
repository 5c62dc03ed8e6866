"""What the person who runs a server can set: on the command line, or in a configuration file under the same names."""

import difflib
import math
import reprlib
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from irchat.interfaces.limits import Limits
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import DEFAULT_PORT, GROUP_MEMBERS, TEXT_LENGTH, fold_name
from irchat.system.data_folder import default_data_folder
from irchat.system.small_files import read_small_file

_SERVER_NAME_LENGTH = 64
_MANY = 10**9


class WrongSetting(Exception):
    """A setting that cannot be; the text says which and why, in one line."""


class Setting(NamedTuple):
    """One setting. ``read`` makes its value of what was given, text or TOML, or raises ValueError with what it may be.

    ``live``: it can be changed while the server runs.
    """

    name: str
    default: Any
    help: str
    read: Callable[[Any], Any]
    live: bool = False


class Config(NamedTuple):
    """All settings of one server."""

    data: Path
    host: str | None
    port: int
    no_tls: bool
    tls_cert: Path | None
    tls_key: Path | None
    no_passwords: bool
    registration_open: bool
    name: str
    admins: frozenset[str]
    limits: Limits


def _number(least: float, most: float, kind: type[int] | type[float] = int) -> Callable[[Any], Any]:
    def read(given: Any) -> Any:
        why = f"is a number from {least:,} to {most:,}"
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise ValueError(why)
        try:
            number = kind(given)
            fits = math.isfinite(number) and least <= number <= most and number == float(given)
        except (ValueError, OverflowError):
            fits = False
        if not fits:
            raise ValueError(why)
        return number

    return read


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("is a text")
    return given


def _path(given: Any) -> Path:
    text = _text(given)
    if not text or "\0" in text:
        raise ValueError("is a path")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("is a path; there is no such home folder") from None


def _flag(given: Any) -> bool:
    if given not in (True, False):
        raise ValueError("is true or false")
    return bool(given)


def _registration(given: Any) -> bool:
    if given not in ("open", "closed"):
        raise ValueError("is open or closed")
    return bool(given == "open")


def _server_name(given: Any) -> str:
    name = _text(given)
    if not (name.isprintable() and 1 <= len(name.strip()) <= _SERVER_NAME_LENGTH):
        raise ValueError(f"is 1 to {_SERVER_NAME_LENGTH} visible characters")
    return name


def _names(given: Any) -> frozenset[str]:
    if not (isinstance(given, list) and all(isinstance(name, str) for name in given)):
        raise ValueError("is a list of names")
    try:
        return frozenset(fold_name(name) for name in given)
    except Refusal as refusal:
        raise ValueError(f"is a list of names: {refusal.text.rstrip('.')}") from None


_LIMITS = Limits()

SETTINGS: tuple[Setting, ...] = (
    Setting("data", None, "Folder for all data [default: the user's data folder]", _path),
    Setting("host", None, "Address to listen on [default: all, IPv6 and IPv4]", _text),
    Setting("port", DEFAULT_PORT, "Port to listen on; 0 for a random free one", _number(0, 65_535)),
    Setting("no-tls", False, "Speak plain TCP, without encryption", _flag),
    Setting("tls-cert", None, "PEM file with a certificate and its chain [default: a self-signed one is made]", _path),
    Setting("tls-key", None, "PEM file with the key of --tls-cert", _path),
    Setting("no-passwords", False, "A name is enough to sign in: for a room where all trust each other", _flag),
    Setting(
        "registration", "open", "Who may make an account: open (everyone) or closed (the administrator)",
        _registration, live=True,
    ),
    Setting("name", "IRChat", "The server's name in its greeting", _server_name, live=True),
    Setting("admin", [], "A user who may !kick, !ban and !unban in the chat; may be repeated", _names, live=True),
    Setting(
        "rate", _LIMITS.rate, "Messages a second of one user, three times that at once; 0: no limit, also on work",
        _number(0, _MANY, float), live=True,
    ),
    Setting(
        "per-address", _LIMITS.per_address, "Sessions from one address; 0: no limits for addresses",
        _number(0, _MANY), live=True,
    ),
    Setting("per-user", _LIMITS.per_user, "Sessions of one user; 0: no limit", _number(0, _MANY), live=True),
    Setting(
        "pending", _LIMITS.pending, "Connections that are not signed in yet; 0: no limit", _number(0, _MANY), live=True
    ),
    Setting(
        "tries", _LIMITS.tries, "Failed sign-ins of an address, or to a name, before pauses begin; 0: no pauses",
        _number(0, _MANY), live=True,
    ),
    Setting(
        "registrations", _LIMITS.registrations, "New accounts from one address in an hour; 0: no limit",
        _number(0, _MANY), live=True,
    ),
    Setting("groups", _LIMITS.groups, "Groups that one user is in; 0: no limit", _number(0, _MANY), live=True),
    Setting(
        "group-members", _LIMITS.group_members, "Members of one group", _number(1, GROUP_MEMBERS), live=True
    ),
    Setting("text-length", _LIMITS.text_length, "Characters of one message", _number(1, TEXT_LENGTH), live=True),
    Setting(
        "timed", _LIMITS.timed, "Timed messages of one user that are alive; 0: no limit", _number(0, _MANY), live=True
    ),
)  # fmt: skip

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def read_file(path: Path) -> dict[str, Any]:
    """What a configuration file (TOML) sets. Raises WrongSetting, which names the file."""
    try:
        given = tomllib.loads(read_small_file(path).decode("utf-8-sig"))
    except OSError as error:
        raise WrongSetting(f"{path}: {error.strerror}; name a file that this user may read") from None
    except UnicodeDecodeError as error:
        raise WrongSetting(f"{path} is not TOML: byte {error.start + 1:,} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise WrongSetting(f"{path} is not TOML: {error}") from None
    for name, value in given.items():
        if name not in _BY_NAME:
            near = difflib.get_close_matches(name, _BY_NAME, n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise WrongSetting(f"{path}: there is no setting {name!r}{meant}")
        try:
            _BY_NAME[name].read(value)
            _check_kind(_BY_NAME[name], value)
        except ValueError as error:
            raise WrongSetting(f"{path}: {name} {error}, not {_shown(value)}") from None
    return given


def _check_kind(setting: Setting, value: Any) -> None:
    """Raise ValueError where a file has a value of another kind, which the command line, all text, may have."""
    if isinstance(setting.default, bool) and not isinstance(value, bool):
        raise ValueError("is true or false")
    if isinstance(setting.default, int | float) and isinstance(value, str):
        raise ValueError("is a number, without quotation marks")


def make_config(given: Mapping[str, Any]) -> Config:
    """The settings of a server of which ``given`` are set, all others as by default. Raises WrongSetting."""
    values = {setting.name: _value(setting, given) for setting in SETTINGS}
    if (values["tls-cert"] is None) != (values["tls-key"] is None):
        raise WrongSetting("--tls-cert and --tls-key go together: give both or none")
    if values["tls-cert"] is not None and values["no-tls"]:
        raise WrongSetting("--no-tls and --tls-cert exclude each other: leave one out")
    if values["admin"] and values["no-passwords"]:
        raise WrongSetting("--admin and --no-passwords exclude each other: anyone could take an administrator's name")
    limits = Limits(**{name: values[name.replace("_", "-")] for name in Limits.__slots__})
    return Config(
        data=values["data"] or default_data_folder(),
        host=values["host"],
        port=values["port"],
        no_tls=values["no-tls"],
        tls_cert=values["tls-cert"],
        tls_key=values["tls-key"],
        no_passwords=values["no-passwords"],
        registration_open=values["registration"],
        name=values["name"],
        admins=values["admin"],
        limits=limits,
    )


def refuse_open_admins(running: Config, new: Config) -> None:
    """Raises WrongSetting where ``new`` names administrators and the running server goes on without passwords."""
    if running.no_passwords and new.admins:
        raise WrongSetting("this server was started with --no-passwords; start it anew with passwords to use --admin")


def changed_for_restart(old: Config, new: Config) -> list[str]:
    """The names of settings that differ and take effect only when the server is started anew."""
    fields = {setting.name: setting.name.replace("-", "_") for setting in SETTINGS if not setting.live}
    return [name for name, field in fields.items() if getattr(old, field) != getattr(new, field)]


def _value(setting: Setting, given: Mapping[str, Any]) -> Any:
    if setting.name not in given:
        return None if setting.default is None else setting.read(setting.default)
    try:
        return setting.read(given[setting.name])
    except ValueError as error:
        raise WrongSetting(f"--{setting.name} {error}, not {_shown(given[setting.name])}") from None


def _shown(value: Any) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes out no number of more than some thousand digits
        return "that number"
