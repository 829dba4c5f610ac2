"""What the state machine does by itself between the steps, beside the calls of the responder."""

from collections.abc import Iterator

from functions.workflow.table import StepName
from infra.workflow import BEGIN, answer_state, first_state


def transitions() -> Iterator[str]:
    """The states that an execution enters on its way to the remedy, in their order: the first of them by the transition
    that StartExecution makes."""
    yield BEGIN
    for step in (StepName.ASSESS, StepName.REMEDIATE):
        if first_state(step) != step.value:
            yield first_state(step)
        yield step.value
        if step is not StepName.REMEDIATE:
            yield answer_state(step)
