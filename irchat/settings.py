"""The settings of a server, from the command line or from a configuration file with the same names.

Each setting is a field of `Config` or `Limits`, which defines its type, range, default and help, and whether it is
``live``: whether it can change while the server runs. Options, help and checks are derived from the fields.
"""

import difflib
import re
import reprlib
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import NODEFAULT, Meta, Struct, field
from msgspec.structs import fields

from irchat.interfaces.limits import Limits
from irchat.net.addresses import Network, read_network
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import DEFAULT_PORT, fold_name
from irchat.system.files.data_folder import default_data_folder
from irchat.system.files.named_files import read_small_file

_MOTD_LENGTH = 4_000
_SERVER_NAME_LENGTH = 64
_NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_IRC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")


class WrongSetting(Exception):
    """A setting is invalid. The text is one line with the setting and the reason."""


class Host(str):
    """An address to listen on."""


class ServerName(str):
    """The name of the server, shown in its greeting."""


class Names(frozenset[str]):
    """Names of users, folded."""


class Networks(frozenset[Network]):
    """Networks, and single addresses as networks."""


LOOPBACK = Networks(map(ip_network, ("127.0.0.0/8", "::1/128")))


class NodeName(str):
    """The name of one node of several."""


class IRCName(str):
    """The name of the server in the lines that it sends to IRC clients."""


class IRCMotd(str):
    """The message of the day that IRC clients get, of several lines, or empty."""


class StoreURL(str):
    """The URL of a PostgreSQL database. It has a password only if it comes from a file of mode 0600."""

    schemes = ("postgresql", "postgres")
    example = "postgresql://irchat@db.example/irchat"


class BusURL(str):
    """The URL of a Redis or Valkey server. It has a password only if it comes from a file of mode 0600."""

    schemes = ("redis", "rediss")
    example = "redis://bus.example:6379"


class _Secret(ValueError):
    """The value is invalid. It may contain a password, so it is not shown."""


def _help(description: str, *, live: bool = False, ge: int | None = None, le: int | None = None) -> Meta:
    return Meta(ge=ge, le=le, description=description, extra={"live": live})


class Config(Struct, frozen=True, rename="kebab"):
    """The settings of a server."""

    data: Annotated[Path, _help("Folder for all data [default: the user's data folder]")] = field(
        default_factory=default_data_folder
    )
    host: Annotated[Host | None, _help("Address to listen on [default: all, IPv6 and IPv4]")] = None
    port: Annotated[int, _help("Port to listen on; 0 for a random free one", ge=0, le=65_535)] = DEFAULT_PORT
    no_tls: Annotated[bool, _help("Use plain TCP, without encryption")] = False
    tls_cert: Annotated[Path | None, _help("PEM file with a certificate and its chain [default: self-signed]")] = None
    tls_key: Annotated[Path | None, _help("PEM file with the key of --tls-cert")] = None
    no_passwords: Annotated[bool, _help("Sign in by name only: for a network where all users trust each other")] = False
    store: Annotated[StoreURL | None, _help("PostgreSQL database: its URL, without a password [default: SQLite]")] = (
        None
    )
    store_file: Annotated[Path | None, _help("File with the URL of --store, with a password; mode 0600")] = None
    bus: Annotated[BusURL | None, _help("Redis or Valkey between several nodes: its URL, without a password")] = None
    bus_file: Annotated[Path | None, _help("File with the URL of --bus, with a password; mode 0600")] = None
    bus_key: Annotated[Path | None, _help("File with the key of --bus, from irchat-admin bus-key; mode 0600")] = None
    node: Annotated[NodeName | None, _help("Name of this node among several [default: the host name]")] = None
    proxy_from: Annotated[
        Networks, _help("Believe the PROXY protocol from this address or network; may be repeated")
    ] = field(default=Networks())
    no_web: Annotated[bool, _help("Serve no page to browsers")] = False
    web_port: Annotated[
        int, _help("One more port with the page, in plain HTTP, for a reverse proxy; 0: none", ge=0, le=65_535)
    ] = 0
    web_host: Annotated[Host, _help("Address of --web-port [default: 127.0.0.1]")] = Host("127.0.0.1")
    web_proxy: Annotated[
        Networks, _help("Believe X-Forwarded-For on --web-port from this address or network; may be repeated")
    ] = field(default=LOOPBACK)
    no_irc: Annotated[bool, _help("Serve no IRC clients")] = False
    irc_port: Annotated[int, _help("One more port, for IRC clients alone; 0: none", ge=0, le=65_535)] = 0
    irc_name: Annotated[IRCName, _help("The server's name in IRC, one word [default: irchat]")] = IRCName("irchat")
    no_ssh: Annotated[bool, _help("Serve no SSH clients")] = False
    ssh_port: Annotated[int, _help("One more port, for SSH alone, such as 2222; 0: none", ge=0, le=65_535)] = 0
    ssh_sessions: Annotated[int, _help("Maximum sessions over SSH", ge=1, le=100_000)] = 500
    metrics_port: Annotated[
        int, _help("Port of the loopback interface with figures for Prometheus; 0: none", ge=0, le=65_535)
    ] = 0
    registration: Annotated[
        Literal["open", "closed"],
        _help("Who may create an account: open (everyone) or closed (the administrator)", live=True),
    ] = "open"
    name: Annotated[ServerName, _help("The server's name in its greeting", live=True)] = ServerName("IRChat")
    irc_motd: Annotated[IRCMotd, _help("Message of the day for IRC clients [default: none]", live=True)] = IRCMotd()
    admins: Annotated[Names, _help("A user who may !kick, !ban and !unban in the chat; may be repeated", live=True)] = (
        field(default=Names(), name="admin")
    )
    limits: Limits = field(default_factory=Limits)

    @property
    def has_store(self) -> bool:
        """Whether the data is in a PostgreSQL database."""
        return self.store is not None or self.store_file is not None

    @property
    def has_bus(self) -> bool:
        """Whether a bus connects this node with others."""
        return self.bus is not None or self.bus_file is not None


class Setting(NamedTuple):
    """A setting, as defined by its field. ``kind`` is its type, ``field`` its name in `Config` or `Limits`."""

    name: str
    field: str
    default: Any
    help: str
    live: bool
    kind: Any
    may_be: str

    def read(self, given: object, place: str, *, strict: bool) -> Any:
        """Convert ``given`` to a value. Text is accepted unless ``strict``.

        Raises WrongSetting with ``place``, which names the setting and its source, and the accepted values.
        """
        try:
            return msgspec.convert(given, self.kind, strict=strict, dec_hook=_read_special)
        except msgspec.ValidationError as error:
            if isinstance(error.__cause__, _Secret):
                raise WrongSetting(f"{place} {error.__cause__}") from None
            why = str(error.__cause__ or self.may_be)
        if strict and isinstance(given, str):
            self.read(given, place, strict=False)  # nonsense text gets the plain reason
            why += ", without quotation marks"
        raise WrongSetting(f"{place} {why}, not {_shown(given)}")


def _read_special(kind: type, given: object) -> object:
    """Read the types that msgspec does not know. Raises ValueError with the accepted values."""
    if kind is Names:
        return _read_names(given)
    if kind is Networks:
        return _read_networks(given)
    text = given if isinstance(given, str) else ""
    if kind in (StoreURL, BusURL):
        return read_url(kind, text)
    if kind is NodeName:
        return read_node_name(text)
    if kind is IRCName:
        return _read_irc_name(text)
    if kind is IRCMotd:
        return _read_irc_motd(given)
    if kind is Path:
        return _read_path(text)
    if kind is Host:
        return _read_host(text)
    if not (text.isprintable() and 1 <= len(text.strip()) <= _SERVER_NAME_LENGTH):
        raise ValueError(f"is 1 to {_SERVER_NAME_LENGTH} visible characters")
    return ServerName(text)


def _read_path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("is a path")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("is a path; there is no such home folder") from None


def _read_host(text: str) -> Host:
    """Read an address. It is not checked to belong to this machine until the server listens."""
    try:
        is_group = ip_address(text.partition("%")[0]).is_multicast
    except ValueError:
        is_group = not text
    if is_group:
        raise ValueError("is an address of this machine, or left out for all of them")
    return Host(text)


def read_url(kind: type[StoreURL] | type[BusURL], text: str, *, secret: bool = False) -> StoreURL | BusURL:
    """Read a URL. It may contain a password if ``secret``. Raises ValueError, whose text does not contain the URL."""
    try:
        parts = urlsplit(text)
        names = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        has_password = parts.password is not None or any("password" in name for name in names)
    except ValueError:
        has_password = False
        parts = urlsplit("")
    if parts.scheme not in kind.schemes or not text.isprintable() or " " in text:
        raise _Secret(f"is a URL such as {kind.example}")
    if has_password and not secret:
        option = "--store-file" if kind is StoreURL else "--bus-file"
        raise _Secret(
            f"has a password, which others could read: write the URL to a file of mode 0600, and use {option}"
        )
    return kind(text)


def read_node_name(text: str) -> NodeName:
    """Read the name of a node. Raises ValueError."""
    if not _NODE_NAME.fullmatch(text):
        raise ValueError("is 1 to 64 letters, digits, dots, dashes and underscores")
    return NodeName(text)


def _read_irc_name(text: str) -> IRCName:
    if not _IRC_NAME.fullmatch(text):
        raise ValueError("is one word of 1 to 63 letters, digits, dots and dashes")
    return IRCName(text)


def _read_irc_motd(given: object) -> IRCMotd:
    if not isinstance(given, str) or len(given) > _MOTD_LENGTH:
        raise ValueError(f"is a text of at most {_MOTD_LENGTH:,} characters")
    return IRCMotd(given.strip())


def _read_networks(given: object) -> Networks:
    networks = [read_network(str(one)) for one in given] if isinstance(given, list) else [None]
    if None in networks:
        raise ValueError('is a list of addresses and networks, such as "192.0.2.0/24"')
    return Networks(network for network in networks if network is not None)


def _read_names(given: object) -> Names:
    if not (isinstance(given, list) and all(isinstance(name, str) for name in given)):
        raise ValueError("is a list of names")
    try:
        return Names(fold_name(name) for name in given)
    except Refusal as refusal:
        raise ValueError(f"is a list of names: {refusal.text.rstrip('.')}") from None


def _settings_of(struct: type[Struct]) -> Iterator[Setting]:
    hints = get_type_hints(struct, include_extras=True)
    for one in fields(struct):
        hint = hints[one.name]
        if get_origin(hint) is Annotated:
            kind, meta = get_args(hint)
            default = None if one.default is NODEFAULT else one.default
            live = meta.extra["live"]
            yield Setting(one.encode_name, one.name, default, meta.description, live, hint, _may_be(kind, meta))


def _may_be(kind: Any, meta: Meta) -> str:
    if meta.ge is not None:
        return f"is a number from {meta.ge:,} to {meta.le:,}"
    if get_origin(kind) is Literal:
        return f"is {' or '.join(get_args(kind))}"
    return "is true or false"  # other help texts state the default themselves


_OF_CONFIG = tuple(_settings_of(Config))
_OF_LIMITS = tuple(_settings_of(Limits))

SETTINGS = _OF_CONFIG + _OF_LIMITS

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def read_file(path: Path) -> dict[str, Any]:
    """Return the settings in a configuration file (TOML). Raises WrongSetting, which names the file."""
    try:
        given = tomllib.loads(read_small_file(path).decode("utf-8-sig"))
    except OSError as error:
        raise WrongSetting(f"{path}: {error.strerror}; name a file that this user may read") from None
    except UnicodeDecodeError as error:
        raise WrongSetting(f"{path} is not TOML: byte {error.start + 1:,} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        why = str(error).partition(";")[0]  # what follows is for programmers
        raise WrongSetting(f"{path} is not TOML: {why}") from None
    for name, value in given.items():
        if name not in _BY_NAME:
            near = difflib.get_close_matches(name, _BY_NAME, n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise WrongSetting(f"{path}: there is no setting {_shown(name)}{meant}")
        _BY_NAME[name].read(value, f"{path}: {name}", strict=True)
    return given


def make_config(given: Mapping[str, Any]) -> Config:
    """Return the settings of a server: ``given``, and the defaults of all others. Raises WrongSetting."""
    config = Config(**_values(_OF_CONFIG, given), limits=Limits(**_values(_OF_LIMITS, given)))
    if (config.tls_cert is None) != (config.tls_key is None):
        raise WrongSetting("--tls-cert and --tls-key go together: give both or none")
    if config.tls_cert is not None and config.no_tls:
        raise WrongSetting("--no-tls and --tls-cert exclude each other: leave one out")
    if config.admins and config.no_passwords:
        raise WrongSetting("--admin and --no-passwords exclude each other: anyone could take an administrator's name")
    if config.web_port and config.web_port == config.port:
        raise WrongSetting("--web-port and --port are two ports: give another number to one of them")
    if config.no_web and config.web_port:
        raise WrongSetting("--no-web and --web-port exclude each other: leave one out")
    if config.ssh_port and config.ssh_port in (config.port, config.web_port, config.irc_port):
        raise WrongSetting("--ssh-port is a port of its own: give it another number than the others")
    if config.no_ssh and config.ssh_port:
        raise WrongSetting("--no-ssh and --ssh-port exclude each other: leave one out")
    if config.irc_port and config.irc_port in (config.port, config.web_port):
        raise WrongSetting("--irc-port is a port of its own: give it another number than --port and --web-port")
    if config.no_irc and config.irc_port:
        raise WrongSetting("--no-irc and --irc-port exclude each other: leave one out")
    _check_cluster(config)
    return config


def _check_cluster(config: Config) -> None:
    """Check the settings of several nodes against each other. Raises WrongSetting."""
    if config.store is not None and config.store_file is not None:
        raise WrongSetting("--store and --store-file exclude each other: leave one out")
    if config.bus is not None and config.bus_file is not None:
        raise WrongSetting("--bus and --bus-file exclude each other: leave one out")
    if config.has_bus and not config.has_store:
        raise WrongSetting("--bus connects nodes that share a PostgreSQL database: add --store")
    if config.has_bus and config.bus_key is None:
        raise WrongSetting("--bus needs --bus-key: irchat-admin bus-key FILE makes one, which all nodes share")
    if config.bus_key is not None and not config.has_bus:
        raise WrongSetting("--bus-key is the key of --bus: add --bus, or leave it out")
    if config.node is not None and not config.has_store:
        raise WrongSetting("--node names one of several nodes, which share a PostgreSQL database: add --store")


def refuse_open_admins(running: Config, new: Config) -> None:
    """Raise WrongSetting if ``new`` names administrators while the server runs without passwords."""
    if running.no_passwords and new.admins:
        raise WrongSetting("this server was started with --no-passwords; start it again with passwords to use --admin")


def changed_for_restart(old: Config, new: Config) -> list[str]:
    """Return the names of changed settings that take effect only after a restart."""
    return [
        setting.name
        for setting in _OF_CONFIG
        if not setting.live and getattr(old, setting.field) != getattr(new, setting.field)
    ]


def _values(settings: tuple[Setting, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        setting.field: setting.read(given[setting.name], f"--{setting.name}", strict=False)
        for setting in settings
        if setting.name in given
    }


def _shown(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python refuses to format numbers of more than some thousand digits
        return "that number"
