"""Paths that order something: what is done is planned, judged and asked for in an incident, like everything else. Two
stop everything, and end that; they wait for nothing."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Header

from functions import bootstrap
from functions.handlers.http.callers import caller
from functions.handlers.http.said import (
    Cluster,
    EmergencyScale,
    ExecutePlan,
    PlanName,
    Rollback,
    SaidOfEverything,
    Service,
)
from functions.workflow.api.inquire import Snapshots
from functions.workflow.api.order import OrderAnswer, Who
from functions.workflow.api.switch import Switched

router = Router()
ROOT = "/api/v1/disaster-recovery"
TAGS = ["disaster recovery"]

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9_.:-]{0,100}$",
        description="Whoever orders twice with the same key has ordered once.",
    ),
]


@router.get(f"{ROOT}/snapshots/<cluster>/<service>", summary="Releases one can go back to", tags=TAGS)
def snapshots(cluster: Cluster, service: Service) -> Snapshots:
    return bootstrap.inquire().snapshots(f"{cluster}/{service}")


@router.post(
    f"{ROOT}/rollback/<cluster>/<service>", summary="Order to go back to a release", tags=TAGS, status_code=202
)
def rollback(
    cluster: Cluster, service: Service, said: Annotated[Rollback, Body()], key: Key = ""
) -> tuple[OrderAnswer, int]:
    who = Who(identity=caller(router), reason=said.reason, dry_run=said.dry_run, key=key)
    return _answered(bootstrap.order_by_hand().roll_back(f"{cluster}/{service}", said.snapshot_id, who))


@router.post(
    f"{ROOT}/emergency-scale/<cluster>/<service>", summary="Order a number of tasks", tags=TAGS, status_code=202
)
def emergency_scale(
    cluster: Cluster, service: Service, said: Annotated[EmergencyScale, Body()], key: Key = ""
) -> tuple[OrderAnswer, int]:
    who = Who(identity=caller(router), reason=said.reason, dry_run=said.dry_run, key=key)
    return _answered(bootstrap.order_by_hand().scale(f"{cluster}/{service}", said.target_count, who))


@router.post(f"{ROOT}/execute-plan/<plan_name>", summary="Order a plan by its name", tags=TAGS, status_code=202)
def execute_plan(plan_name: PlanName, said: Annotated[ExecutePlan, Body()], key: Key = "") -> tuple[OrderAnswer, int]:
    who = Who(identity=caller(router), reason=said.reason, dry_run=said.dry_run, key=key)
    service = f"{said.cluster_name}/{said.service_name}"
    return _answered(bootstrap.order_by_hand().carry_out(plan_name, service, said.target_count, who))


@router.post(
    "/api/v1/responder/stop", summary="Change nothing any more, for every service", tags=["the responder itself"]
)
def stop(said: Annotated[SaidOfEverything, Body()]) -> Switched:
    return _switched(said, stopped=True)


@router.post("/api/v1/responder/start", summary="End that", tags=["the responder itself"])
def start(said: Annotated[SaidOfEverything, Body()]) -> Switched:
    return _switched(said, stopped=False)


def _switched(said: SaidOfEverything, *, stopped: bool) -> Switched:
    return bootstrap.switch_everything()(stopped=stopped, identity=caller(router), reason=said.reason)


def _answered(order: OrderAnswer) -> tuple[OrderAnswer, int]:
    """202: the incident carries it from here on. A dry run is over."""
    return order, HTTPStatus.OK if order.dry_run else HTTPStatus.ACCEPTED
