"""Lambda `trial`: asks a service over HTTP for the HTTP API, at once or under load."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.services import ServiceRef
from functions.domain.trials import Load
from functions.observability import logger

bootstrap.at_start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The checks of a service, or one trial under load, which nobody waits for."""
    trial = bootstrap.make_trial()
    if "load" in event:
        run = trial.load(Load.model_validate(event["load"]))
        logger.info("tried", extra={"run": run.load.id, "state": run.state})
        return {"run": run.load.id, "state": run.state}
    made = trial.checks(ServiceRef.parse(event["service"]), whole=event["whole"])
    return {"checks": [each.model_dump(mode="json") for each in made]}
