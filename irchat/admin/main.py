"""The command line of ``irchat-admin``, and its output."""

import argparse
import getpass
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import convert
from msgspec.structs import asdict

from irchat import __version__
from irchat.admin import database
from irchat.admin.failures import Failed, explain_failure
from irchat.admin.reach import ask
from irchat.chat.accounts import administration as ask_for
from irchat.cluster.sealing import WrongBusKey, new_key_file
from irchat.interfaces.nodes import NodeRow
from irchat.net.addresses import read_network
from irchat.protocol.rules import PASSWORD_MIN_BYTES
from irchat.protocol.ssh_door import HOST_KEY_FILE
from irchat.server.listeners.ssh.host_keys import WrongHostKey, read_host_key
from irchat.system.clock import wall_ms
from irchat.system.files.data_folder import default_data_folder
from irchat.system.streams import drop_output, flush_output, prepare_streams, print_error
from irchat.system.times import end_after, end_at, shown_moment
from irchat.text.cells import cells, padded

_Run = Callable[[argparse.Namespace], None]

_LABELS = {"private_chats": "private chats", "banned": "bans", "database_bytes": "database"}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
# Seconds after which a node, or its bus, counts as away. Each is noted every second.
_SILENT_SECONDS = 5
# The ban of a larger network must be confirmed: 16 million addresses of IPv4, a 65,536th of IPv6.
_FEWEST_BITS = {4: 8, 6: 16}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    prepare_streams()
    try:
        status = _run(list(sys.argv[1:] if arguments is None else arguments))
    except SystemExit as end:  # from argparse, which has printed the reason
        status = end.code if isinstance(end.code, int) else 1
    failed = flush_output()
    if failed:
        print_error(f"{failed}; the command has done its work" if status == 0 else failed)
        return status or 1
    return status


def _run(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except KeyboardInterrupt:
        _tell("")
        print_error("stopped")
        return 130
    except BrokenPipeError:  # the reader of the pipe has left
        drop_output()
        return 1
    except Exception as error:
        _tell("")
        command = arguments[arguments.index(options.command) :]
        print_error(explain_failure(error, options.data, command))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="irchat-admin", description="Administer an IRChat server on this machine, running or not."
    )
    parser.add_argument(
        "--data", type=Path, default=default_data_folder(), help="the server's data folder [default: %(default)s]"
    )
    parser.add_argument("--version", action="version", version=f"IRChat {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: _Run, help_text: str, argument: str = "") -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_text, description=help_text)
        added.set_defaults(run=run)
        if argument:
            added.add_argument(argument.lower(), metavar=argument, type=Path if argument == "FILE" else str)
        return added

    command("users", _users, "list the accounts")
    command("add-user", _add_user, "create an account; asks for its password", "NAME")
    reset = "set a new password, which it asks for, and end the user's tokens and sessions"
    command("reset-password", _reset_password, reset, "NAME")
    token = command("token", _token, "create and print a token that signs in a program of a user", "NAME")
    token.add_argument("label", metavar="LABEL", help="a name for the token, which !sessions shows to the user")
    command("kick", _kick, "end the sessions of a user", "NAME")
    remove = command("remove-user", _remove_user, "remove an account; its messages stay, under NAME#NUMBER", "NAME")
    remove.add_argument("--messages", action="store_true", help="also delete everything that the user wrote")
    remove.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    ban = command("ban", _ban, "ban a user, an address or a network")
    ban.add_argument("whom", metavar="NAME|ADDRESS", help="@NAME is always a user; a network is 192.0.2.0/24")
    end = ban.add_mutually_exclusive_group()
    end.add_argument("--for", dest="duration", metavar="TIME", help="duration, such as 2h30m (units: w, d, h, m, s)")
    end.add_argument("--until", metavar="MOMENT", help="end, such as 2026-12-01T12:00, in this machine's time zone")
    ban.add_argument("--reason", metavar="TEXT", default="", help="the reason shown to a banned user")
    ban.add_argument("--yes", action="store_true", help="do not ask for confirmation of a large network")
    command("unban", _unban, "end a ban").add_argument("whom", metavar="NAME|ADDRESS")
    command("bans", _bans, "list the bans, with their ends and reasons")
    delete = command("delete", _delete, "delete one message for all who can see it; this cannot be undone")
    delete.add_argument("chat", metavar="CHAT", help="GLOBAL, a group as *team, or a private chat as @alice@bob")
    delete.add_argument("seq", metavar="SEQ", type=int, help="the number of the message, as the clients show it")
    command("backup", _backup, "copy the database, whether the server runs or not", "FILE")
    command("restore", _restore, "replace the database with a backup; stop the server first", "FILE")
    command("check", _check, "check the database for damage")
    move = command("move-to", _move_to, "copy the database to an empty one of PostgreSQL; stop the server first")
    move.add_argument("url", nargs="?", metavar="URL", help="such as postgresql://irchat@db.example/irchat")
    move.add_argument("--store-file", type=Path, metavar="FILE", help="a file of mode 0600 with the URL")
    command("nodes", _nodes, "list the nodes that share a database, with their state")
    command("bus-key", _bus_key, "write a new key for the bus of several nodes", "FILE")
    command("stats", _stats, "show the numbers of users, messages and so on")
    return parser


# The commands.


def _users(options: argparse.Namespace) -> None:
    """List the users page by page, so that no request keeps the server busy."""
    rows: list[ask_for.UserRow] = []
    after: str | None = ""
    while after is not None:
        page = convert(ask(options.data, ask_for.ListUsers(after=after), _tell), list[ask_for.UserRow])
        rows += page
        after = page[-1].key if page else None
    _print_table(
        ("NAME", "ONLINE", "CREATED", "BANNED UNTIL"),
        ((row.name, "online" if row.sessions else "", _local(row.created_at), _banned(row)) for row in rows),
    )


def _banned(row: ask_for.UserRow) -> str:
    if row.banned_until is False:
        return ""
    return "for good" if row.banned_until is None else shown_moment(row.banned_until)


def _add_user(options: argparse.Namespace) -> None:
    ask(options.data, ask_for.AddUser(name=options.name, password=_ask_password(options.name)), _tell)
    _print(f"{options.name} can sign in now.")


def _reset_password(options: argparse.Namespace) -> None:
    ask(options.data, ask_for.ResetPassword(name=options.name, password=_ask_password(options.name)), _tell)
    _print(f"{options.name} can now sign in only with the new password.")


def _token(options: argparse.Namespace) -> None:
    """Print the token alone on standard output, so that it can be redirected to a file."""
    token = ask(options.data, ask_for.AddToken(name=options.name, label=options.label), _tell)
    _print(str(token))
    if sys.stdout.isatty():
        _note("It is not shown again. Save it in a file that only its owner can read (chmod 600).")


def _remove_user(options: argparse.Namespace) -> None:
    what = "and delete all messages of that user" if options.messages else "and keep the messages"
    if not options.yes and not _confirmed(f"Remove {options.name} {what}? This cannot be undone. [y/N] "):
        raise Failed("nothing was removed; answer yes, or use --yes")
    name = ask(options.data, ask_for.RemoveUser(name=options.name, messages=options.messages), _tell)
    _tell("")
    _print(f"{options.name} is removed{'' if options.messages else f'; the messages are now by {name}'}.")


def _kick(options: argparse.Namespace) -> None:
    count = ask(options.data, ask_for.Kick(name=options.name), _tell)
    _print(f"{options.name} had {count} {'session' if count == 1 else 'sessions'}.")


def _ban(options: argparse.Namespace) -> None:
    now = wall_ms()
    until = end_after(options.duration, now) if options.duration is not None else None
    until = end_at(options.until, now) if options.until is not None else until
    _confirm_network(options)
    whom = ask(options.data, ask_for.Ban(whom=options.whom, until=until, reason=options.reason), _tell)
    _print(f"{whom} is banned {'for good' if until is None else f'until {shown_moment(until)}'}.")


def _confirm_network(options: argparse.Namespace) -> None:
    """Ask for confirmation before a ban of a large part of the Internet. Raises Failed."""
    network = None if options.whom.startswith("@") else read_network(options.whom)
    if network is None or options.yes or network.prefixlen >= _FEWEST_BITS[network.version]:
        return
    share = "all addresses" if network.prefixlen == 0 else "a large part of the addresses"
    what = f"{network} is {share} of IPv{network.version}"
    if not _confirmed(f"{what}. Ban it? [y/N] "):
        raise Failed(f"nothing was banned: {what}; answer yes, or use --yes")


def _unban(options: argparse.Namespace) -> None:
    _print(f"{ask(options.data, ask_for.Unban(whom=options.whom), _tell)} is no longer banned.")


def _bans(options: argparse.Namespace) -> None:
    rows = convert(ask(options.data, ask_for.ListBans(), _tell), list[ask_for.BanRow])
    _print_table(
        ("WHOM", "UNTIL", "REASON"),
        ((row.whom, "for good" if row.until is None else shown_moment(row.until), row.reason) for row in rows),
    )


def _delete(options: argparse.Namespace) -> None:
    ask(options.data, ask_for.DeleteMessage(chat=options.chat, seq=options.seq), _tell)
    _print(f"Message {options.seq} of {options.chat} is deleted.")


def _backup(options: argparse.Namespace) -> None:
    database.backup(options.data, options.file, _tell_pages)
    _tell("")
    _print(f"{options.file} is a verified copy ({_size(options.file.stat().st_size)}).")


def _restore(options: argparse.Namespace) -> None:
    kept = database.restore(options.data, options.file, _tell_pages)
    _tell("")
    _print(f"{options.file} is restored." + ("" if kept is None else f" The previous database is {kept}."))


def _check(options: argparse.Namespace) -> None:
    found = database.check(options.data, _tell_pages)
    _tell("")
    if found:
        raise Failed("\n".join([*found, "the database is not sound; restore a backup"]))
    _print("The database is sound.")


def _move_to(options: argparse.Namespace) -> None:
    try:
        # Imported here: it needs the packages for several nodes.
        from irchat.admin.move_to import move_to  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise Failed(f"{error.name} is not installed; pip install 'irchat[cluster]'") from None
    move_to(options.data, options.url, options.store_file, _tell)
    _tell("")
    _print("The database is in PostgreSQL. Start the nodes with --store; keep this folder until they run.")


def _nodes(options: argparse.Namespace) -> None:
    rows = convert(ask(options.data, ask_for.ListNodes(), _tell), list[NodeRow])
    _print_table(
        ("NODE", "VERSION", "POSITION", "LAG", "SESSIONS", "SILENT FOR", "BUS"),
        (
            (row.name, str(row.version), str(row.position), f"{row.lag:,}", f"{row.sessions:,}",
             f"{row.silent:,.0f} s", _bus_state(row.bus_silent))
            for row in rows
        ),
    )  # fmt: skip


def _bus_state(silent: float | None) -> str:
    if silent is None:
        return "none"
    return "works" if silent < _SILENT_SECONDS else f"away for {silent:,.0f} s"


def _bus_key(options: argparse.Namespace) -> None:
    try:
        new_key_file(options.file)
    except WrongBusKey as error:
        raise Failed(str(error)) from None
    _print(f"{options.file} is a new key. Copy it to each node, and start each with --bus-key.")


def _stats(options: argparse.Namespace) -> None:
    stats = convert(ask(options.data, ask_for.Stats(), _tell), ask_for.StatsRow)
    days, seconds = divmod(int(stats.uptime), 86_400)
    shown = {field: f"{figure:,}" for field, figure in asdict(stats).items() if field != "nodes"}
    shown["database_bytes"] = _size(stats.database_bytes)
    shown["uptime"] = f"{days} d {datetime.fromtimestamp(seconds, UTC):%H:%M:%S}" if stats.uptime else "not running"
    for field, figure in shown.items():
        _print(f"{_LABELS.get(field, field):14}{figure}")
    for node in stats.nodes:
        _print(f"{f'node {node.name} ':14}{_node_state(node)}")
    if (options.data / HOST_KEY_FILE).exists():
        try:
            _print(f"{'SSH host key':14}{read_host_key(options.data)}")
        except WrongHostKey as error:
            raise Failed(str(error)) from None


def _node_state(node: NodeRow) -> str:
    if node.silent >= _SILENT_SECONDS:
        return f"silent for {node.silent:,.0f} s: look whether it runs"
    return f"{node.sessions:,} {'session' if node.sessions == 1 else 'sessions'}"


# Input and output.


def _ask_password(name: str) -> str:
    """Read a password for ``name``: twice on a terminal, otherwise one line of standard input. Raises Failed."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        if not line:
            raise Failed("no password was given; pipe one line into the command, or run it on a terminal")
        return line.rstrip("\r\n")
    password = getpass.getpass(f"Password for {name} ({PASSWORD_MIN_BYTES} characters or more): ")
    if getpass.getpass("The same password again: ") != password:
        raise Failed("the passwords differ; nothing was changed. Try again")
    return password


def _confirmed(question: str) -> bool:
    """Return whether a user at a terminal answers yes."""
    try:
        return sys.stdin.isatty() and input(question).strip().casefold() in ("y", "yes")
    except EOFError:
        return False


def _print(line: str) -> None:
    try:
        print(line)  # noqa: T201
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise Failed(f"the output could not be written: {error.strerror}; the command has done its work") from None


def _note(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


def _print_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    table = [[_as_printed(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(cells, column)) for column in zip(*table, strict=True)]
    for row in table:
        _print("  ".join(map(padded, row, widths)).rstrip())


def _as_printed(cell: str) -> str:
    """Return ``cell`` with escapes for the characters that the encoding of the output lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    return cell.encode(encoding, "backslashreplace").decode(encoding)


def _local(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000):%Y-%m-%d %H:%M}"


def _size(count: float) -> str:
    unit = 0
    while count >= 1_024 and unit < len(_UNITS) - 1:
        count, unit = count / 1_024, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"


def _tell(text: str) -> None:
    """Show the progress on one line of a terminal. Clear it if ``text`` is empty."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)  # noqa: T201


def _tell_pages(done: int, of: int) -> None:
    _tell(f"{100 * done // of if of else 100} %")
