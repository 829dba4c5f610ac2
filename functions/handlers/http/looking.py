"""Paths that only look: health, diagnostics, monitoring and what is used."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions import bootstrap
from functions.domain.severity import Severity
from functions.handlers.http.said import Cluster, Level, Service, Which
from functions.workflow.api.inquire import Dashboard
from functions.workflow.api.views import (
    AlertsAnswer,
    ConnectionsAnswer,
    DatabaseHealth,
    Diagnosis,
    IssuesAnswer,
    MetricsAnswer,
    PlainHealth,
    ScoreAnswer,
    Utilisation,
    WholeHealth,
)

router = Router()
GET = "/api/v1"


@router.get("/health", summary="Does it serve? 200, or 503 where it does not", tags=["health"])
def health(service: Which = None) -> PlainHealth:
    return bootstrap.inquire().serving(service)


@router.get(f"{GET}/health/comprehensive", summary="The health score with what is behind it", tags=["health"])
def comprehensive(service: Which = None) -> WholeHealth:
    return bootstrap.inquire().whole(service)


@router.get(f"{GET}/health/score", summary="The health score, 0 to 100", tags=["health"])
def score(service: Which = None) -> ScoreAnswer:
    return bootstrap.inquire().score(service)


@router.get(f"{GET}/health/database", summary="How its databases are doing", tags=["health"])
def database(service: Which = None) -> DatabaseHealth:
    return bootstrap.inquire().database(service)


@router.get(f"{GET}/diagnostics/run-diagnostics", summary="Look at everything, and rank causes", tags=["diagnostics"])
def run_diagnostics(service: Which = None) -> Diagnosis:
    return bootstrap.inquire().diagnosis(service)


@router.get(f"{GET}/diagnostics/issues", summary="What is wrong, the gravest first", tags=["diagnostics"])
def issues(
    service: Which = None, severity: Annotated[Level | None, Query(description="Only such issues.")] = None
) -> IssuesAnswer:
    return bootstrap.inquire().issues(service, frozenset(Severity) if severity is None else severity.severities)


@router.get(f"{GET}/diagnostics/database-connections", summary="Connections of its databases", tags=["diagnostics"])
def database_connections(service: Which = None) -> ConnectionsAnswer:
    return bootstrap.inquire().connections(service)


@router.get(f"{GET}/monitoring/metrics/<cluster>/<service>", summary="Its newest metrics", tags=["monitoring"])
def metrics(cluster: Cluster, service: Service) -> MetricsAnswer:
    return bootstrap.inquire().metrics(f"{cluster}/{service}")


@router.get(f"{GET}/monitoring/dashboard/<cluster>/<service>", summary="All on one page", tags=["monitoring"])
def dashboard(cluster: Cluster, service: Service) -> Dashboard:
    return bootstrap.inquire().dashboard(f"{cluster}/{service}")


@router.get(f"{GET}/monitoring/alerts/status", summary="Are its alarms in place, and OK?", tags=["monitoring"])
def alerts(service: Which = None) -> AlertsAnswer:
    return bootstrap.inquire().alerts(service)


@router.get(
    f"{GET}/resource-optimization/analyze/<cluster>/<service>", summary="What it has and uses", tags=["monitoring"]
)
def analyze(cluster: Cluster, service: Service) -> Utilisation:
    return bootstrap.inquire().utilisation(f"{cluster}/{service}")
