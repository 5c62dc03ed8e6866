"""Random faults of a cluster under load, round after round, each on a new database and with a check at its end."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from tests.helpers.cluster import checker
from tests.helpers.cluster.case import RATE
from tests.helpers.cluster.faults import kill_node
from tests.helpers.cluster.proof import Proof
from tests.helpers.cluster.proxied import ALL_FAULTS, ProxiedCluster
from tests.helpers.nodes import running_cluster

_FAULTS_OF_ROUND = 6
# Seconds after a kill within which the connections of the node are seen to end.
_NOTICED_SECONDS = 0.5


def soak(home: Path, seconds: float, seed: int) -> str:
    """Run rounds for some seconds. Return figures. The seed of a round that fails is in the error."""
    chance = random.Random(seed)
    done = _Done()
    end = monotonic() + seconds
    while monotonic() < end:
        seed_of_round = chance.getrandbits(32)
        try:
            _round(home / str(done.counts["rounds"]), seed_of_round, done)
        except BaseException as error:
            error.add_note(f"round with seed {seed_of_round}")
            raise
        done.counts["rounds"] += 1
        print(f"{monotonic() - end + seconds:.0f} s: {done}", flush=True)  # noqa: T201
    return str(done)


@dataclass
class _Done:
    """The faults so far, the delays of ends of timed messages, and the absences of users whose node was killed."""

    counts: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)
    absences: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        delays, absences = sorted(self.delays), sorted(self.absences)
        late = f"{delays[len(delays) * 99 // 100]:.2f} s at p99, {delays[-1]:.1f} s at most" if delays else "none"
        back = f"{absences[len(absences) // 2]:.1f} s at p50, {absences[-1]:.1f} s at most" if absences else "none"
        ends, users = f"{len(delays)} ends of timed messages late by {late}", f"{len(absences)} users of killed nodes"
        return f"{dict(self.counts)}, {ends}, {users} back after {back}"


def _round(home: Path, seed: int, done: _Done) -> None:
    home.mkdir()
    with running_cluster(home, 3, "--no-tls", "--no-passwords", kind=ProxiedCluster) as cluster:
        proof = Proof(cluster, seed)
        kills: list[float] = []
        try:
            proof.company.talk(RATE, 0.05)
            for _ in range(_FAULTS_OF_ROUND):
                proof.company.run(proof.random.uniform(0.5, 3))
                fault = proof.random.choice(ALL_FAULTS)
                if fault is kill_node:
                    kills.append(proof.company.now())
                fault(proof)
                done.counts[fault.__name__] += 1
                proof.check_no_trace()
            proof.check()
            done.counts["messages"] += proof.messages
            done.delays += checker.delays_of_ends(proof.company.history)
            done.absences += [
                end - begin
                for begin, end in checker.absences(proof.company.history)
                if any(0 <= begin - kill < _NOTICED_SECONDS for kill in kills)
            ]
        except BaseException as error:
            error.add_note(proof.figures())
            raise
        finally:
            proof.close()
