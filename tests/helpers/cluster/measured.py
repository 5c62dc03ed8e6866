"""A cluster whose nodes serve figures for Prometheus."""

import re
from pathlib import Path
from urllib.request import urlopen

from tests.helpers.nodes import Cluster, Node
from tests.helpers.processes import PATIENCE
from tests.helpers.services import free_port


class MeasuredCluster(Cluster):
    """``metrics_ports``: the port of the figures, by the name of the node."""

    def __init__(self, home: Path, nodes: int = 3, *options: str) -> None:
        super().__init__(home, nodes, *options)
        self.metrics_ports: dict[str, int] = {}

    def new_node(self, name: str, *options: str, folder: str = "", bus: bool = True) -> Node:
        """Return a node that is not started yet."""
        port = self.metrics_ports[name] = free_port()
        return super().new_node(name, *options, "--metrics-port", str(port), folder=folder, bus=bus)

    def figures(self, node: Node) -> dict[str, float]:
        """Return the figures of a node that have no labels, by name."""
        with urlopen(f"http://127.0.0.1:{self.metrics_ports[node.name]}/metrics", timeout=PATIENCE) as page:
            lines = page.read().decode().splitlines()
        return {name: float(value) for line in lines for name, value in re.findall(r"^irchat_(\w+) (\S+)$", line)}
