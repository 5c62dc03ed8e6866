"""Faults of a cluster under load. Each is repaired at its end."""

from collections.abc import Callable

from tests.helpers.cluster.proof import Proof
from tests.helpers.nodes import Node


def kill_node(proof: Proof) -> None:
    """``kill -9`` of a node, and a start some time later."""
    node = _any_node(proof)
    node.kill()
    proof.company.run(proof.random.uniform(0.5, 3))
    start_node(proof, node)


def restart_node(proof: Proof) -> None:
    """Stop a node with SIGTERM, and start it at once."""
    node = _any_node(proof)
    stop_node(proof, node)
    start_node(proof, node)


def pause_node(proof: Proof) -> None:
    """Stop the execution of a node for up to ten seconds."""
    node, seconds = _any_node(proof), proof.random.uniform(0.5, 10)
    node.pause()
    proof.company.run(seconds)
    node.resume()
    # While it was paused, its sessions did not receive the ends of timed messages.
    proof.late_seconds = max(proof.late_seconds, seconds + 1.5)


def end_backends(proof: Proof) -> None:
    """End connections of the nodes to PostgreSQL, several times."""
    for _ in range(5):
        proof.cluster.end_backends("random() < 0.5")
        proof.company.run(proof.random.uniform(0.1, 0.5))


def restart_postgres(proof: Proof) -> None:
    """Kill PostgreSQL, and start it some time later."""
    proof.cluster.kill_postgres()
    proof.company.run(proof.random.uniform(0.2, 3))
    proof.cluster.restart_postgres(proof.company.turn)


def restart_redis(proof: Proof) -> None:
    """Kill Redis, and start it some time later."""
    proof.cluster.redis.stop(9)
    proof.company.run(proof.random.uniform(0.2, 5))
    proof.cluster.redis.start(proof.company.turn)


def flush_redis(proof: Proof) -> None:
    """Delete everything in Redis, which must hold nothing that is needed."""
    proof.cluster.redis.run("FLUSHALL")


def outage(proof: Proof) -> None:
    """Take PostgreSQL, Redis or both away from all nodes for 11 s, and sometimes for a minute."""
    without_postgres, without_redis = proof.random.choice(((True, False), (False, True), (True, True)))
    seconds = proof.random.choice((11.0, 11.0, 11.0, 60.0))
    take_away(proof, seconds, postgres=without_postgres, redis=without_redis)


def take_away(proof: Proof, seconds: float, *, postgres: bool, redis: bool) -> None:
    """Kill services, and start them after some seconds."""
    if postgres:
        proof.cluster.kill_postgres()
    if redis:
        proof.cluster.redis.stop(9)
    proof.company.run(seconds)
    if redis:
        proof.cluster.redis.start(proof.company.turn)
    if postgres:
        proof.cluster.restart_postgres(proof.company.turn)


def cut_bus(proof: Proof) -> None:
    """End the connections of the nodes to Redis."""
    proof.cluster.cut_bus()


def cut_clients(proof: Proof) -> None:
    """Restart the balancer, so that all clients lose their connections."""
    proof.cluster.balancer.stop(9)
    proof.cluster.balancer.start(proof.company.turn)


Fault = Callable[[Proof], None]

FAULTS: tuple[Fault, ...] = (
    kill_node,
    kill_node,
    restart_node,
    pause_node,
    pause_node,
    end_backends,
    restart_postgres,
    restart_redis,
    flush_redis,
    outage,
    cut_bus,
    cut_clients,
)


def stop_node(proof: Proof, node: Node) -> None:
    """Stop a node with SIGTERM while the others run."""
    node.ask_to_stop()
    proof.company.until(lambda: not node.is_running, f"{node.name} to stop")


def start_node(proof: Proof, node: Node) -> None:
    """Start a node while the others run."""
    node.begin()
    proof.company.until(node.listens, f"{node.name} to listen")


def _any_node(proof: Proof) -> Node:
    return proof.random.choice(proof.cluster.nodes)
