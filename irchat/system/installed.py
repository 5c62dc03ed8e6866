"""The commands of this installation, as the user has to type them."""

import shlex
import shutil
import site
import sys
from pathlib import Path

_INSTALLED_IN = str(Path(__file__).resolve().parents[2])


def installed(script: str, module: str) -> str:
    """Return the shell command that runs ``script``, or ``module`` if the script is not installed.

    A script in a virtual environment is on the PATH only while that is active, so its full path is returned.
    """
    beside = Path(sys.executable).parent / script
    if not beside.exists():
        command = f"{shlex.quote(sys.executable)} -m {module}"
        is_found = _INSTALLED_IN in [*site.getsitepackages(), site.getusersitepackages()]
        return command if is_found else f"PYTHONPATH={shlex.quote(_INSTALLED_IN)} {command}"
    found = shutil.which(script)
    in_environment = sys.prefix != sys.base_prefix
    if found is None or not beside.samefile(found) or (in_environment and Path(found).parent == beside.parent):
        return shlex.quote(str(beside))
    return script
