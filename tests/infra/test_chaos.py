"""Chaos retries as what is deployed does. To import the stack takes the CDK, so its figures are compared here."""

from infra.function import TIMEOUT_S
from infra.intake import MAX_RECEIVES
from tools.chaos import breaks, deployment


def test_messages_come_again_as_the_stack_says() -> None:
    """As often, and after as long."""
    assert deployment.MAX_RECEIVES == MAX_RECEIVES
    assert deployment.VISIBILITY_S == 6 * TIMEOUT_S


def test_a_function_that_is_overtaken_does_not_outlive_its_time_out() -> None:
    """Lambda would have ended it."""
    assert breaks.OVERTAKEN_S < TIMEOUT_S
