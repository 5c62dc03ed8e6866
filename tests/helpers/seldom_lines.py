"""What a module logs seldom."""

from types import ModuleType

from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from irchat.system.seldom import SeldomLog


def seldom_lines(case: SynchronousTestCase, module: ModuleType) -> list[str | None]:
    """Give ``module`` another `SeldomLog` during a test, and return the list of its lines."""
    lines: list[str | None] = []
    case.patch(module, "_seldom", SeldomLog(Logger(observer=lambda event: lines.append(formatEvent(event)))))
    return lines
