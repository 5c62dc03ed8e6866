"""A store against a simple model: random messages, edits, deletions, marks, blocks and reads by several users."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.store_model import StoreMachine


@pytest.mark.slow
class ModelTests(SynchronousTestCase):
    """Random histories."""

    def test_histories(self) -> None:
        """Whatever is done, the store agrees with the model after each step."""
        run_state_machine_as_test(StoreMachine, settings=settings(max_examples=40, stateful_step_count=60))
