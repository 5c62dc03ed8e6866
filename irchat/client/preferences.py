"""The user's settings: ``client.toml`` in the configuration folder, and the server used last."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from irchat.client.connect import shared_files
from irchat.client.view.key_table import KEYS, Category, KeyMap, KeyRow

_SECTION = re.compile(r"\[\s*([\w-]+)\s*\]\s*(?:#.*)?")
_WITHOUT_TLS = "--no-tls "
Sequences = tuple[tuple[str, ...], ...]


def _name(row: KeyRow) -> str:
    return row.name.lower().replace("_", "-")


SETTABLE = {_name(key): key for key in KeyRow if key.sequences and key.category is not Category.NONE}


def preferences_path() -> Path:
    """Return the settings file of this user."""
    return Path(platformdirs.user_config_dir("irchat")) / "client.toml"


def last_server_path() -> Path:
    """Return the file with the server used last."""
    return Path(platformdirs.user_state_dir("irchat")) / "last_server"


class Preferences(NamedTuple):
    """The settings of the user.

    ``colours``: use colours, unless NO_COLOR is set. ``notify``: send notifications to the terminal.
    """

    server: str = ""
    bell: bool = True
    notify: bool = True
    colours: bool = True
    plain: bool = False
    mouse: bool = True
    keys: KeyMap = KEYS


def read_preferences(path: Path, check_keys: Callable[[tuple[str, ...]], None]) -> tuple[Preferences, list[str]]:
    """Return the settings in a file, and a text about each wrong entry, which is left out.

    Every entry is one line. ``check_keys`` raises ValueError for a sequence that is no key.
    """
    try:
        text = shared_files.read(path)
    except OSError as error:
        return Preferences(), [f"{path} cannot be read, so it is ignored: {error.strerror}."]
    problems: dict[int, str] = {}
    values: dict[str, Any] = {}
    keys: dict[KeyRow, Sequences] = {}
    lines: dict[KeyRow, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            if found := _SECTION.fullmatch(line.strip()):
                section = found[1]
                _check(section == "keys", f"there is no section [{section}], only [keys]")
                continue
            name, value = _entry(line)
            if section == "keys":
                row, sequences = _key(name, value, check_keys)
                keys[row], lines[row] = sequences, number
            elif not section:
                values[name] = _value(name, value)
        except ValueError as error:
            problems[number] = str(error)
    while (clash := _clash(keys)) is not None:
        row, why = clash
        problems[lines[row]] = why
        del keys[row]
    told = [f"{path.name}, line {number}: {problems[number]}. The line is ignored." for number in sorted(problems)]
    return Preferences(**values, keys=KeyMap(keys) if keys else KEYS), told


def _entry(line: str) -> tuple[str, Any]:
    try:
        ((name, value),) = tomllib.loads(line).items()
    except ValueError:
        raise ValueError('this is not an entry such as bell = false or server = "chat.example.org"') from None
    return name, value


def _value(name: str, value: Any) -> Any:
    default = Preferences._field_defaults.get(name)
    _check(isinstance(default, str | bool), f"there is no setting {name!r}")
    _check(type(value) is type(default), f"{name} is {'true or false' if isinstance(default, bool) else 'a text'}")
    return value


def _clash(keys: Mapping[KeyRow, Sequences]) -> tuple[KeyRow, str] | None:
    """Return the last of the changed rows that has a key of another row, and why that is wrong, or None."""
    for row in reversed(list(keys)):
        others = KeyMap({**keys, row: ()})
        for sequence in keys[row]:
            if (holder := others.row_of(sequence)) not in (None, KeyRow.FLOW):
                return row, f"{' '.join(sequence)} is already the key of {_name(holder)}"
    return None


def _key(name: str, value: Any, check_keys: Callable[[tuple[str, ...]], None]) -> tuple[KeyRow, Sequences]:
    """Return a row of the table of keys, and its sequences. Raises ValueError."""
    row = SETTABLE.get(name)
    if row is None:
        raise ValueError(f"there is no key {name!r}. There are {', '.join(SETTABLE)}")
    texts = [value] if isinstance(value, str) else value
    is_list = isinstance(texts, list) and all(isinstance(text, str) and text.split() for text in texts)
    _check(is_list, f'{name} is a key such as "c-n" or "escape n", or a list of such')
    sequences = tuple(tuple(text.split()) for text in texts)
    count = len(row.sequences) if row.is_ordered else 1
    _check(
        len(sequences) >= 1 if count == 1 else len(sequences) == count, f"{name} needs {count} key{'s' * (count > 1)}"
    )
    for sequence in sequences:
        check_keys(sequence)
    return row, sequences


def _check(is_right: bool, trouble: str) -> None:
    if not is_right:
        raise ValueError(trouble)


class LastServer:
    """The server to which the user connected last, kept in the file ``path``, with the option ``--no-tls`` if used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[str, bool]:
        """Return its address as it was typed, or an empty string, and whether to use TLS."""
        try:
            kept = shared_files.read(self._path).strip()
        except OSError:
            return "", True
        address = kept.removeprefix(_WITHOUT_TLS)
        return address, address == kept

    def keep(self, address: str, tls: bool) -> None:
        """Keep an address. Ignore a file that cannot be written."""
        line = address if tls else f"{_WITHOUT_TLS}{address}"
        try:
            shared_files.change(self._path, lambda _: f"{line}\n")
        except OSError:
            return
