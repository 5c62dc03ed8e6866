"""IRChat's tests: run them with ``python -m pytest`` or ``python -m twisted.trial tests``."""

import os
from functools import partialmethod

from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

# Hash passwords at the least cost. Servers in processes of their own hash at the real cost.
PasswordHasher.__init__ = partialmethod(PasswordHasher.__init__, time_cost=1, memory_cost=8, parallelism=1)

# No test depends on its speed, and none leaves files behind. ".ci/run" asks for more examples.
settings.register_profile(
    "irchat",
    max_examples=int(os.environ.get("IRCHAT_TEST_EXAMPLES", "20")),
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("irchat")
