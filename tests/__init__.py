"""IRChat's tests: run them with ``python -m pytest`` or ``python -m twisted.trial tests``."""

from hypothesis import HealthCheck, settings

# No test depends on its speed, and none leaves files behind.
settings.register_profile(
    "irchat",
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("irchat")
