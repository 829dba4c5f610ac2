"""What holds for every test."""

from hypothesis import settings

# No test is timed: how long an example takes says more about what else the machine does than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
