"""Check the options of twistd itself before the service starts, so that each failure is one line."""

import os
import sys
from pathlib import Path
from typing import Any

from irchat.settings import WrongSetting
from irchat.system.files.named_files import need_file

_SERVERS = ("twistd", "irchat-server", "irchat.server")
_MOST_PID = 2**31 - 1


def command_name() -> str:
    """Return the typed command, for the help and for errors."""
    return "twistd irchat" if Path(sys.argv[0]).name == "twistd" else "irchat-server"


def check_twistd(options: Any) -> None:
    """Check the files that twistd will write, from its ``options`` (None if the service was not started by twistd).

    A stale pid file is deleted. Raises WrongSetting or OSError.
    """
    if options is None:
        return
    run_folder = Path(options.get("rundir") or ".")
    if run_folder.exists() and not run_folder.is_dir():
        raise WrongSetting(f"--rundir {run_folder} is not a folder: name another")
    if not os.access(run_folder, os.X_OK):
        where = "the current folder" if run_folder == Path() else f"--rundir {run_folder}"
        raise WrongSetting(f"{where} is missing, or this user may not enter it: cd / first, or name another --rundir")
    if options.get("pidfile"):
        _check_writable("--pidfile", run_folder / options["pidfile"])
        _check_pid_file(Path(options["pidfile"]))
    log = options.get("logfile")
    if log is None and not (options.get("nodaemon") or options.get("syslog") or options.get("logger")):
        log = "twistd.log"
    if log and log != "-":
        _check_writable("--logfile", Path(log))


def _check_writable(option: str, path: Path) -> None:
    if path.is_dir():
        raise WrongSetting(f"{option} {path} is a folder: name a file in it, before the word irchat")
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise WrongSetting(f"{option} {path}: there is no folder {target.parent}; create it first")
    if os.path.lexists(target):
        try:
            need_file(target, devices=True)
        except OSError as error:
            raise WrongSetting(f"{option} {path}: {error.strerror}; name another, before the word irchat") from None
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise WrongSetting(f"{option} {path} cannot be written by this user: name another, before the word irchat")


def _check_pid_file(path: Path) -> None:
    """Check the pid file. Containers reuse process ids, so the process with that id may be another program."""
    try:
        with path.open("rb") as file:
            written = file.read(32).strip()
    except FileNotFoundError:
        return
    if not written.isdigit() or not 0 < int(written) <= _MOST_PID:
        raise WrongSetting(f"the pid file {path} does not contain a process ID: delete it")
    pid = int(written)
    if pid == os.getpid() or not _is_server(pid):
        path.unlink()
    else:
        raise WrongSetting(
            f"the pid file {path} names process {pid}, a running server: stop it, or name another --pidfile, "
            "before the word irchat"
        )


def _is_server(pid: int) -> bool:
    """Return whether process ``pid`` is running and is, or may be, a server."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return not _has_ended(pid)
    return any(os.path.basename(os.fsdecode(argument)) in _SERVERS for argument in arguments)


def _has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False
