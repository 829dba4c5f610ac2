"""The probe `releases`: what runs since when, and where a rollback would go."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from functions.diagnostics.look import Surroundings
from functions.domain.evidence import (
    ChosenRelease,
    Release,
    ReleasesFacts,
    ReleaseState,
    RevisionFacts,
    ServiceDeploymentFacts,
    ServiceFacts,
    short,
)
from functions.domain.releases import reached_steady_state

Deployed = tuple[tuple[ServiceDeploymentFacts, ...], tuple[RevisionFacts, ...]]


def read_deployed(around: Surroundings, known: Mapping[str, Any]) -> Deployed:
    """The service deployments, and the revisions that they speak of: what ECS tells of them by the service's name."""
    deployments = tuple(around.readers.service.service_deployments(around.ref))
    wanted = {arn for d in deployments for arn in (d.target_revision, d.rollback_revision) if arn is not None}
    return deployments, tuple(around.readers.service.revisions(sorted(wanted))) if wanted else ()


def read_releases(around: Surroundings, known: Mapping[str, Any]) -> ReleasesFacts:
    """What runs since when, and the last known good: the newest release that reached a steady state, differs from what
    runs and is not quarantined, with preference for one that was then watched to be good."""
    service = cast(ServiceFacts, known["service"])
    deployments, revisions = cast(Deployed, known["releases"])
    current = service.primary.task_definition if service.primary else service.task_definition
    candidate, why = last_known_good(current, around.history, deployments, revisions)
    return ReleasesFacts(
        current=current,
        current_since=_running_since(current, service, around.history) or around.now,
        returned=_returned(current, service, around.history),
        history=around.history,
        service_deployments=deployments,
        revisions=revisions,
        last_known_good=candidate,
        last_known_good_reason=why,
        last_known_good_active=candidate is None
        or around.readers.service.task_definition_status(candidate) == "ACTIVE",
        differs_beyond_task_definition=(
            None if candidate is None else _surroundings_differ(candidate, service, around.history, revisions, current)
        ),
        changed_during_incident=_someone_else(around, service, deployments),
        deployed_by_us=_ours(around, service),
        chosen=None if around.wanted_release is None else _chosen(around, service, current, deployments, revisions),
    )


def _chosen(
    around: Surroundings,
    service: ServiceFacts,
    current: str,
    deployments: Sequence[ServiceDeploymentFacts],
    revisions: Sequence[RevisionFacts],
) -> ChosenRelease:
    """The release that an operator named, by ARN, `family:revision` or revision alone: one that ran, and well."""
    wanted, history = around.wanted_release or "", around.history
    family = short(current).rpartition(":")[0]
    names = {wanted, f"{family}:{wanted}"}
    ran = dict.fromkeys([*reached_steady_state(deployments, revisions), *(r.task_definition for r in history), current])
    found = next((each for each in ran if each in names or short(each) in names), None)
    if found is None:
        known = ", ".join(short(each) for each in ran if each != current)
        return ChosenRelease(reason=f"{wanted} is not on record as a release that ran; on record: {known or 'none'}")
    if found == current:
        return ChosenRelease(reason=f"{short(found)} is what runs now")
    known_as = _known(found, history)
    if known_as is not None and known_as.state in (ReleaseState.QUARANTINED, ReleaseState.SUSPECT):
        because = f": {known_as.reason}" if known_as.reason else ""
        return ChosenRelease(reason=f"{short(found)} is {known_as.state}{because}")
    good = known_as is not None and known_as.state is ReleaseState.GOOD
    return ChosenRelease(
        task_definition=found,
        reason="which was watched to be good" if good else "which reached a steady state; nobody watched it afterwards",
        active=around.readers.service.task_definition_status(found) == "ACTIVE",
        differs_beyond_task_definition=_surroundings_differ(found, service, history, revisions, current),
    )


def _ours(around: Surroundings, service: ServiceFacts) -> bool:
    """Whether an action of this incident began the newest deployment, or stopped one so that ECS began it."""
    primary = service.primary
    if primary is None:
        return False
    return primary.id in around.own_deployments or (
        around.stopped_at is not None and primary.created_at >= around.stopped_at
    )


def _someone_else(around: Surroundings, service: ServiceFacts, deployments: Sequence[ServiceDeploymentFacts]) -> bool:
    """Whether a deployment that is not ours began during the incident, also one that is only pending yet."""
    primary, began_at = service.primary, around.began_at
    if began_at is None or primary is None or primary.id in around.own_deployments:
        return False
    begun = [primary.created_at, *(d.created_at for d in deployments if d.ongoing)]
    if around.stopped_at is not None:
        begun = [at for at in begun if at < around.stopped_at]
    return any(at > began_at for at in begun)


def _running_since(current: str, service: ServiceFacts, history: Sequence[Release]) -> datetime | None:
    """A forced redeployment starts a deployment but no release: the first sight of the task definition counts then."""
    started = service.primary.created_at if service.primary else None
    mine = _known(current, history)
    if mine is None or started is None or _came_back(mine, history):
        return started
    return min(started, mine.first_seen)


def _known(task_definition: str, history: Sequence[Release]) -> Release | None:
    return next((r for r in history if r.task_definition == task_definition), None)


def _came_back(release: Release, history: Sequence[Release]) -> bool:
    """Whether another release ran since this one was first seen."""
    return any(r.task_definition != release.task_definition and r.last_seen > release.first_seen for r in history)


def _returned(current: str, service: ServiceFacts, history: Sequence[Release]) -> bool:
    """Whether a good release was deployed again, after another or by force: it had proved itself before."""
    mine, primary = _known(current, history), service.primary
    if mine is None or primary is None or mine.state is not ReleaseState.GOOD:
        return False
    return primary.created_at > mine.first_seen


def last_known_good(
    current: str,
    history: Sequence[Release],
    deployments: Sequence[ServiceDeploymentFacts],
    revisions: Sequence[RevisionFacts],
) -> tuple[str | None, str]:
    """Where a rollback would go, and why there.

    A forced redeployment is SUCCESSFUL too, so the same task definition never counts as another release.
    """
    known = {release.task_definition: release for release in history}
    candidates = [*reached_steady_state(deployments, revisions), *(release.task_definition for release in history)]

    def usable(task_definition: str) -> bool:
        state = known[task_definition].state if task_definition in known else ReleaseState.SEEN
        same_image = _digests(task_definition, revisions) & _digests(current, revisions)
        return (
            task_definition != current
            and state not in (ReleaseState.QUARANTINED, ReleaseState.SUSPECT)
            and not same_image
        )

    usables = [candidate for candidate in dict.fromkeys(candidates) if usable(candidate)]
    watched = next((c for c in usables if c in known and known[c].state is ReleaseState.GOOD), None)
    if watched is not None:
        return watched, "the newest release that was watched to be good"
    if usables:
        return usables[0], "the newest release that reached a steady state; nobody watched it afterwards"
    return None, "no other release of this service is on record that is neither quarantined nor the same images"


def _digests(task_definition: str, revisions: Sequence[RevisionFacts]) -> frozenset[tuple[str, ...]]:
    return frozenset(r.image_digests for r in revisions if r.task_definition == task_definition and r.image_digests)


def _surroundings_differ(
    candidate: str,
    service: ServiceFacts,
    history: Sequence[Release],
    revisions: Sequence[RevisionFacts],
    current: str,
) -> bool | None:
    """Whether more than the task definition changed since the candidate ran; None where nobody kept a record."""

    def of(task_definition: str) -> str:
        return next((r.surroundings for r in revisions if r.task_definition == task_definition), "")

    if of(candidate) and of(current):
        return of(candidate) != of(current)
    seen = next((r.surroundings for r in history if r.task_definition == candidate), "")
    return seen != service.surroundings if seen and service.surroundings else None
