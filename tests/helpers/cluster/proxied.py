"""A cluster whose nodes reach PostgreSQL and Redis through proxies, which can cut off each node from each of them."""

from pathlib import Path

from tests.helpers.cluster.faults import FAULTS, Fault
from tests.helpers.cluster.proof import Proof
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


def swallow_answers(proof: Proof) -> None:
    """Swallow answers of PostgreSQL to a node, and cut the connections after them, several times."""
    proxy = proof.random.choice(_proxies(proof, "to_postgres"))
    for _ in range(8):
        proxy.cut_after = b""  # the next request on each connection, whatever it is
        proof.company.run(proof.random.uniform(0.1, 0.4))
    proxy.cut_after = None


def cut_off_postgres(proof: Proof) -> None:
    """Cut one node off PostgreSQL alone, in half of all cases until it closes its port."""
    _cut_off(proof, "to_postgres")


def cut_off_redis(proof: Proof) -> None:
    """Cut one node off Redis alone, in half of all cases until it closes its port."""
    _cut_off(proof, "to_redis")


ALL_FAULTS: tuple[Fault, ...] = (*FAULTS, swallow_answers, swallow_answers, cut_off_postgres, cut_off_redis)


def _cut_off(proof: Proof, of: str) -> None:
    proxy = proof.random.choice(_proxies(proof, of))
    seconds = proof.random.choice((3.0, 13.0))
    cut_off(proxy)
    proof.company.run(seconds)
    cut_off(proxy, is_cut=False)
    # Without the others, its sessions did not receive early ends of timed messages.
    proof.late_seconds = max(proof.late_seconds, seconds + 8)


def _proxies(proof: Proof, of: str) -> list[TcpProxy]:
    return list(getattr(proof.cluster, of).values())
