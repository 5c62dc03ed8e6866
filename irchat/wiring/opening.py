"""Open the parts that the settings name. Their packages are imported only then."""

from types import ModuleType
from typing import TYPE_CHECKING, Any

from irchat.server.listeners.listener import CannotBind
from irchat.server.listeners.registry import ConnectionRegistry
from irchat.server.sessions.services import Services
from irchat.settings import Config, WrongSetting
from irchat.store.threads import StoreThreads

if TYPE_CHECKING:
    from irchat.wiring.node import Node


def open_node(config: Config, reactor: Any, threads: StoreThreads) -> "Node":
    """Open the database and the bus that nodes share. Raises WrongSetting."""
    node: Node = _node_module().Node(config, reactor, threads)
    return node


def need_transport() -> ModuleType:
    """Return the module of the bus transport. Raises WrongSetting."""
    try:
        from irchat.cluster import redis_transport  # noqa: PLC0415 -- needs the packages for several nodes
    except ModuleNotFoundError as error:
        raise _not_installed("--bus", error) from None
    return redis_transport


def open_figures(
    reactor: Any, config: Config, services: Services, connections: ConnectionRegistry, node: "Node | None"
) -> str:
    """Serve the figures. Return their address. Raises WrongSetting."""
    from irchat.server.metrics.figures import Figures  # noqa: PLC0415 -- takes half a second
    from irchat.server.metrics.port import serve_figures  # noqa: PLC0415

    figures = Figures(services, connections, reactor.seconds)
    if node is not None:
        node.describe(figures)
    try:
        return serve_figures(reactor, figures, config.metrics_port)
    except CannotBind as error:
        raise WrongSetting(f"--metrics-port {config.metrics_port}: {error.strerror}; choose another") from None


def check_node(config: Config) -> None:
    """Run the checks of a node that write nothing. Raises WrongSetting."""
    _node_module().check(config)


def _node_module() -> ModuleType:
    try:
        from irchat.wiring import node  # noqa: PLC0415 -- needs the packages for several nodes
    except ModuleNotFoundError as error:
        raise _not_installed("--store", error) from None
    return node


def _not_installed(option: str, error: ModuleNotFoundError) -> WrongSetting:
    if (error.name or "").startswith("irchat"):
        raise error
    return WrongSetting(f"{option} needs {error.name}, which is not installed: pip install 'irchat[cluster]'")
