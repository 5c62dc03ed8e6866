"""The scenarios by name, in the order of running and of the table."""

from collections.abc import Callable

from benchmarks.bench import Bench, Curve, Row
from benchmarks.scenarios import (
    amendments,
    cluster,
    fairness,
    irc,
    messages,
    page,
    sessions,
    ssh,
    stored,
    timed,
    upgrading,
    web,
)

SCENARIOS: dict[str, Callable[[Bench], list[Row | Curve]]] = {
    "alone": messages.alone,
    "busy": messages.busy,
    "private": messages.private,
    "group": messages.group,
    "latency": messages.latency,
    "idle": sessions.idle,
    "signin": sessions.signin,
    "presence": sessions.presence,
    "history": stored.history,
    "start": stored.starting,
    "upgrade": upgrading.upgrade,
    "search": stored.search,
    "timed": timed.timed,
    "amend": amendments.amend,
    "tls": messages.tls,
    "handshakes": sessions.handshakes,
    "web": web.web,
    "page": page.page,
    "irc": irc.irc,
    "ssh": ssh.ssh,
    "fairness": fairness.fairness,
    "cluster": cluster.cluster,
    "grow-readers": messages.readers,
    "grow-stored": stored.growth,
}
