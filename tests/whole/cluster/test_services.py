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
        """PostgreSQL is killed, then Redis too, until all nodes say goodbye and close. They go on by themselves."""
        proof = self.proof()
        faults.take_away(proof, 0.5, postgres=True, redis=False)
        proof.company.run(1.5)
        self.assertLess(checker.longest_silence(proof.company.history), 10)
        self.assertEqual(proof.company.goodbyes, [])
        faults.take_away(proof, 11.0, postgres=True, redis=True)
        for node in self.cluster.nodes:
            self.assertEqual(node.log.read_text().count("the port is closed"), 1)
        self.assertEqual({*proof.company.goodbyes}, {"the server cannot reach its database: reconnect"})
        begun = proof.company.now()
        proof.company.until(
            lambda: any(isinstance(one, Answered) and one.id and one.at > begun for one in proof.company.history),
            "a timed message to be sent",
        )
        proof.check()
        for node in self.cluster.nodes:
            self.assertIn("the port is open again", node.log.read_text())

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
