"""Random faults of a cluster under load, round after round, each on a new database and with a check at its end."""

import random
from collections import Counter
from pathlib import Path
from time import monotonic

from tests.helpers.cluster.case import RATE
from tests.helpers.cluster.proof import Proof
from tests.helpers.cluster.proxied import ALL_FAULTS, ProxiedCluster
from tests.helpers.nodes import running_cluster

_FAULTS_OF_ROUND = 6


def soak(home: Path, seconds: float, seed: int) -> str:
    """Run rounds for some seconds. Return figures. The seed of a round that fails is in the error."""
    chance = random.Random(seed)
    done: Counter[str] = Counter()
    end = monotonic() + seconds
    while monotonic() < end:
        seed_of_round = chance.getrandbits(32)
        try:
            _round(home / str(done["rounds"]), seed_of_round, done)
        except BaseException as error:
            error.add_note(f"round with seed {seed_of_round}")
            raise
        done["rounds"] += 1
        print(f"{monotonic() - end + seconds:.0f} s: {dict(done)}", flush=True)  # noqa: T201
    return f"{dict(done)}"


def _round(home: Path, seed: int, done: Counter[str]) -> None:
    home.mkdir()
    with running_cluster(home, 3, "--no-tls", "--no-passwords", kind=ProxiedCluster) as cluster:
        proof = Proof(cluster, seed)
        try:
            proof.company.talk(RATE, 0.05)
            for _ in range(_FAULTS_OF_ROUND):
                proof.company.run(proof.random.uniform(0.5, 3))
                fault = proof.random.choice(ALL_FAULTS)
                fault(proof)
                done[fault.__name__] += 1
                proof.check_no_trace()
            proof.check()
            done["messages"] += proof.messages
        except BaseException as error:
            error.add_note(proof.figures())
            raise
        finally:
            proof.close()
