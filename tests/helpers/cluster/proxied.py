"""A cluster whose nodes reach PostgreSQL and Redis through proxies, which can cut off each node from each of them."""

from pathlib import Path

from tests.helpers.nodes import Cluster
from tests.helpers.tcp_proxy import TcpProxy


class ProxiedCluster(Cluster):
    """``to_postgres`` and ``to_redis``: the proxies, by the name of the node."""

    def __init__(self, home: Path, nodes: int = 3, *options: str) -> None:
        super().__init__(home, nodes, *options)
        self.to_postgres: dict[str, TcpProxy] = {}
        self.to_redis: dict[str, TcpProxy] = {}

    def store_url(self, name: str) -> str:
        """Return the URL by which a node connects to PostgreSQL."""
        proxy = self.to_postgres[name] = TcpProxy(self.postgres.port)
        return self.database.replace(f":{self.postgres.port}/", f":{proxy.port}/")

    def bus_url(self, name: str) -> str:
        """Return the URL by which a node connects to Redis."""
        proxy = self.to_redis[name] = TcpProxy(self.redis.port)
        return self.redis.url.replace(f":{self.redis.port}", f":{proxy.port}")

    def close(self) -> None:
        """End everything."""
        super().close()
        for proxy in *self.to_postgres.values(), *self.to_redis.values():
            proxy.close()


def cut_off(proxy: TcpProxy, *, is_cut: bool = True) -> None:
    """Cut all connections of a proxy and refuse new ones, or accept them again."""
    proxy.refuses = is_cut
    if is_cut:
        proxy.cut()
