"""Commands as they are to be typed on this machine: those of the environment that this process runs in."""

import shlex
import shutil
import site
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def installed(script: str, module: str) -> str:
    """Return what a shell outside our environment needs to run ``script``, or ``module`` where it is not installed.

    A script of a virtual environment is on the PATH only while that is active, so its whole path is returned.
    """
    beside = Path(sys.executable).parent / script
    if not beside.exists():
        return _run_module(module)
    found = shutil.which(script)
    in_environment = sys.prefix != sys.base_prefix
    if found is None or not beside.samefile(found) or (in_environment and Path(found).parent == beside.parent):
        return shlex.quote(str(beside))
    return script


def _run_module(module: str) -> str:
    command = f"{shlex.quote(sys.executable)} -m {module}"
    where = str(_PACKAGE.parent)
    if where in [*site.getsitepackages(), site.getusersitepackages()]:
        return command
    return f"PYTHONPATH={shlex.quote(where)} {command}"
