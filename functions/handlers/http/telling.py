"""Paths that tell of incidents, and take what people answer."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions import bootstrap
from functions.domain.approvals import Answer
from functions.domain.incidents import Fact
from functions.handlers.http.callers import caller
from functions.handlers.http.said import (
    Cluster,
    IncidentId,
    Limit,
    SaidOfPlan,
    Service,
    Since,
    Status,
    Until,
    Which,
)
from functions.workflow.api.answer import Answered
from functions.workflow.api.records import AuditAnswer, IncidentList, IncidentWhole, OrchestrationAnswer

router = Router()
ROOT = "/api/v1"


@router.get(
    f"{ROOT}/incidents", summary="Incidents: those that are open, and those of the last day", tags=["incidents"]
)
def incidents(
    service: Which = None,
    status: Annotated[Status, Query(description="`open` leaves out those that are over.")] = "all",
    since: Since = None,
    limit: Limit = 50,
) -> IncidentList:
    return bootstrap.records().incidents(service=service, only_open=status == "open", since=since, limit=limit)


@router.get(f"{ROOT}/incidents/<incident_id>", summary="One incident with its timeline", tags=["incidents"])
def incident(incident_id: IncidentId) -> IncidentWhole:
    return bootstrap.records().incident(incident_id)


@router.post(f"{ROOT}/incidents/<incident_id>/approve", summary="Let the plan be carried out", tags=["incidents"])
def approve(incident_id: IncidentId, said: Annotated[SaidOfPlan, Body()]) -> Answered:
    return bootstrap.answer_people()(incident_id, Answer.GRANTED, identity=caller(router), reason=said.reason)


@router.post(f"{ROOT}/incidents/<incident_id>/deny", summary="Forbid the plan", tags=["incidents"])
def deny(incident_id: IncidentId, said: Annotated[SaidOfPlan, Body()]) -> Answered:
    return bootstrap.answer_people()(incident_id, Answer.DENIED, identity=caller(router), reason=said.reason)


@router.get(f"{ROOT}/audit/search", summary="Search the trails of incidents", tags=["incidents"])
def audit(
    q: Annotated[str | None, Query(max_length=200, description="Words in what was written.")] = None,
    service: Which = None,
    actor: Annotated[str | None, Query(max_length=200, description="Who did it, or a part of the name.")] = None,
    fact: Annotated[Fact | None, Query(description="Only such events.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
) -> AuditAnswer:
    return bootstrap.records().search(
        text=q, service=service, actor=actor, fact=fact, since=since, until=until, limit=limit
    )


@router.get(
    f"{ROOT}/deployment-orchestration/status/<cluster>/<service>",
    summary="What the responder does about a service now",
    tags=["incidents"],
)
def orchestration(cluster: Cluster, service: Service) -> OrchestrationAnswer:
    return bootstrap.records().orchestration(f"{cluster}/{service}")
