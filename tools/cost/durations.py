"""How long a function is billed for, from what it does. Assumptions, on the dear side.

The time of a function is its own work and its waiting for AWS. Calls are counted one after the other, although probes
call side by side. `MEMORY_GB` has to be the stack's, which a test compares: to import that takes the CDK.
"""

MEMORY_GB = 0.5

CALL_S = 0.04
"""A round trip within the Region, with the time that the client takes for it at this memory."""

OWN_S = 0.1
"""What a warm function does besides, at this memory."""

COLD_S = 1.5
"""More for one that was not there: its initialisation, which is billed, and the clients that it makes. It has a whole
core for it, whatever its memory (docs/performance.md, "Cold start"; some half a second more where sources are shipped).
"""

KEPT_S = 420.0
"""How long an environment without work is kept. Lambda promises nothing; minutes are what is seen."""

LOG_BYTES = 520
"""Of the lines that Lambda writes by itself for each invocation, START to REPORT, as CloudWatch counts them."""


def billed_s(*, calls: int, cold: bool) -> float:
    """Seconds of one invocation."""
    return OWN_S + CALL_S * calls + (COLD_S if cold else 0.0)
