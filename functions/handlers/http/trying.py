"""Paths that ask the service itself, or see whether its deployment holds."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions import bootstrap
from functions.handlers.http.callers import caller
from functions.handlers.http.said import Cluster, Nothing, PerformanceTest, RunId, Service, Which
from functions.workflow.api.trials import ChecksAnswer, RunAnswer
from functions.workflow.api.views import ValidationAnswer

router = Router()
ROOT = "/api/v1/deployment-validation"
TAGS = ["deployment validation"]


@router.post(f"{ROOT}/validate/<cluster>/<service>", summary="Is the deployment as it should be?", tags=TAGS)
def validate(cluster: Cluster, service: Service, said: Annotated[Nothing, Body()]) -> ValidationAnswer:
    return bootstrap.inquire().validation(f"{cluster}/{service}")


@router.post(f"{ROOT}/smoke-test/<cluster>/<service>", summary="Do the URLs of its checks answer?", tags=TAGS)
def smoke_test(cluster: Cluster, service: Service, said: Annotated[Nothing, Body()]) -> ChecksAnswer:
    return bootstrap.trying().checks(f"{cluster}/{service}", whole=False)


@router.post(f"{ROOT}/api-validation/<cluster>/<service>", summary="Do the answers hold what checks want?", tags=TAGS)
def api_validation(cluster: Cluster, service: Service, said: Annotated[Nothing, Body()]) -> ChecksAnswer:
    return bootstrap.trying().checks(f"{cluster}/{service}", whole=True)


@router.post(f"{ROOT}/performance-test", summary="Make some load; the result comes later", tags=TAGS, status_code=202)
def performance_test(said: Annotated[PerformanceTest, Body()], service: Which = None) -> tuple[RunAnswer, int]:
    run = bootstrap.trying().load(
        service=service,
        url=said.base_url,
        concurrent=said.concurrent_requests,
        seconds=said.duration_seconds,
        by=caller(router),
    )
    return run, HTTPStatus.ACCEPTED


@router.get(f"{ROOT}/runs/<run_id>", summary="What came of a performance test", tags=TAGS)
def run(run_id: RunId) -> RunAnswer:
    return bootstrap.trying().run(run_id)
