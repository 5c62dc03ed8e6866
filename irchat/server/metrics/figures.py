"""The figures of a server. They contain no names, no addresses and no texts.

Most are read when they are asked for. Commits are measured by groups, so a message costs nothing.
"""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from irchat.chat.commits import Commit
from irchat.interfaces.writes import MessageAdded, Write
from irchat.server.listeners.registry import ConnectionRegistry
from irchat.server.sessions.services import Services

_PREFIX = "irchat_"
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

Read = Callable[[], float]
"""Returns a figure as it is now."""


class Figures(Collector):
    """The figures of the server that ``services`` and ``connections`` describe. ``seconds`` is the forward clock."""

    def __init__(self, services: Services, connections: ConnectionRegistry, seconds: Read) -> None:
        self._services = services
        self._seconds = seconds
        self._gauges: list[tuple[str, str, Read]] = []
        self._counters: list[tuple[str, str, Read]] = []
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        self._commit_size = self.histogram("commit_changes", "Changes in one commit", _SIZES)
        self._commit_seconds = self.histogram("commit_seconds", "Seconds from the order to commit to its outcome")
        self._messages = 0
        self._failed_commits = 0
        services.chat.queue.measure(self._measured)
        self._describe_sessions(services, connections)
        self._describe_messages(services)

    def gauge(self, name: str, text: str, read: Read) -> None:
        """Add a figure that rises and falls."""
        self._gauges.append((_PREFIX + name, text, read))

    def counter(self, name: str, text: str, read: Read) -> None:
        """Add a figure that only rises."""
        self._counters.append((_PREFIX + name, text, read))

    def histogram(self, name: str, text: str, buckets: Sequence[float] = _SECONDS) -> Histogram:
        """Add a distribution, and return it: its ``observe`` takes one value."""
        return Histogram(_PREFIX + name, text, registry=self._registry, buckets=buckets)

    def text(self) -> bytes:
        """Return all figures in the text format of Prometheus. Call it in the reactor's thread."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the figures that are read now."""
        for name, text, read in self._gauges:
            yield GaugeMetricFamily(name, text, read())
        for name, text, read in self._counters:
            yield CounterMetricFamily(name, text, read())
        refusals = CounterMetricFamily(f"{_PREFIX}refusals", "Refused requests", labels=["code"])
        for code, count in sorted(self._services.refusals.items()):
            refusals.add_metric([code.value], count)
        yield refusals

    def _describe_sessions(self, services: Services, connections: ConnectionRegistry) -> None:
        presence, admission = services.chat.presence, services.admission
        self.gauge("sessions", "Signed-in sessions", lambda: sum(map(len, presence.sessions.values())))
        self.gauge("users_online", "Users with a session", lambda: len(presence.sessions))
        self.gauge("connections", "Open connections", lambda: len(connections))
        self.gauge("pending_connections", "Connections that have not signed in", lambda: admission.pending)
        self.counter("sign_ins", "Sessions that signed in", lambda: admission.sign_ins)
        self.counter("sign_ins_failed", "Sign-ins with a wrong password or token", lambda: admission.failed_sign_ins)

    def _describe_messages(self, services: Services) -> None:
        chat, delivery = services.chat, services.delivery
        timed = chat.messages.timed.of_sender
        self.counter("messages", "Messages that this server stored", lambda: self._messages)
        self.counter("commits_failed", "Commits that failed", lambda: self._failed_commits)
        self.counter("deliveries", "Events handed to sessions", lambda: delivery.delivered)
        self.gauge("queue_changes", "Changes that wait for a commit", lambda: len(chat.queue))
        self.gauge("slow_readers", "Sessions that fell behind and are fed from the store", delivery.behind)
        self.gauge("timed_messages", "Live timed messages", timed.total)

    def _measured(self, commit: Commit) -> Commit:
        """Return ``commit``, measured."""

        def measure(writes: list[Write[object]]) -> Deferred[list[object]]:
            began = self._seconds()
            return commit(writes).addCallbacks(self._committed, self._not_committed, callbackArgs=(writes, began))

        return measure

    def _committed(self, results: list[object], writes: Sequence[Write[object]], began: float) -> list[object]:
        self._commit_seconds.observe(self._seconds() - began)
        self._commit_size.observe(len(writes))
        self._messages += list(map(type, writes)).count(MessageAdded)
        return results

    def _not_committed(self, failure: Failure) -> Failure:
        self._failed_commits += 1
        return failure
