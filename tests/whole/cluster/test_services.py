"""PostgreSQL and Redis that are killed and restarted while users talk."""

import pytest

from tests.helpers.cluster import checker, faults
from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.cluster.history import Answered, Presence, Refused
from tests.helpers.cluster.talkers import SECRET


@pytest.mark.slow
class ServiceTests(ClusterTestCase):
    """Three nodes, and what they need."""

    def test_backends_ended(self) -> None:
        """Connections to PostgreSQL that end at any moment lose and double nothing."""
        proof = self.proof()
        for _ in range(3):
            faults.end_backends(proof)
        proof.check()

    def test_postgres_killed(self) -> None:
        """PostgreSQL is killed and restarted: what was acknowledged is there once, and the talk goes on."""
        proof = self.proof()
        for seconds in 0.5, 3.0:
            self.cluster.kill_postgres()
            proof.company.run(seconds)
            self.cluster.restart_postgres(proof.company.turn)
            proof.company.run(1.5)
        proof.check()
        self.assertLess(checker.longest_silence(proof.company.history), 10)

    def test_redis_killed(self) -> None:
        """Without Redis stored messages go on, timed ones are refused, and presence is frozen. Then all is right."""
        proof = self.proof()
        self.cluster.redis.stop(9)
        proof.company.run(1)
        begun = proof.company.now()
        proof.company.run(3)
        ended = proof.company.now()
        during = [one for one in proof.company.history if begun < one.at < ended]
        self.assertTrue([one for one in during if isinstance(one, Answered) and not one.id])
        self.assertEqual([one for one in during if isinstance(one, Answered) and one.id], [])
        refused = [one for one in during if isinstance(one, Refused)]
        self.assertTrue(refused)
        self.assertEqual([one for one in refused if SECRET not in one.text], [])
        self.assertEqual([one for one in during if isinstance(one, Presence)], [])
        self.cluster.redis.start(proof.company.turn)
        proof.company.run(1)
        proof.check()

    def test_bus_cut(self) -> None:
        """Connections to Redis that end again and again change nothing."""
        proof = self.proof()
        for _ in range(4):
            faults.cut_bus(proof)
            proof.company.run(0.5)
        proof.check()
