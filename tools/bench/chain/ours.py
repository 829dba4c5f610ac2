"""The responder itself, from the queue to the call that remedies: its handlers, steps and adapters as deployed."""

from functions.handlers import assess, intake, remediate
from functions.workflow.table import Outcome, StepName
from tools.bench.chain.scenes import Stage


def respond(stage: Stage) -> None:
    """Take the message in, and carry the execution until it has acted."""
    left = intake.handler(stage.message, stage.context("intake"))
    if left["batchItemFailures"]:
        raise LookupError("the alarm's message was not taken in")
    payload = assess.handler({**stage.started, "step": StepName.ASSESS.value}, stage.context("assess"))
    if payload["outcome"] != Outcome.ACT:
        raise LookupError(f"the responder did not act: {payload['outcome']}")
    remediate.handler({**payload, "step": StepName.REMEDIATE.value}, stage.context("remediate"))
