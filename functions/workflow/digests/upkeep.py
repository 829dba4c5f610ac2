"""What a service needs now and then: money, room, databases, backups, secrets, safety, releases."""

from collections.abc import Mapping
from datetime import timedelta

from functions.diagnostics.costs import ELSEWHERE, task_usd_per_day
from functions.diagnostics.probes import read_secrets
from functions.domain.backups import BackupFacts
from functions.domain.digests import Found, look, named, nothing, ok, unknown, when, worst
from functions.domain.errors import ReadFailed
from functions.domain.evidence import ReleaseState, short
from functions.domain.signals import SignalKind
from functions.domain.words import counted
from functions.ports import Points
from functions.workflow.digests.around import Around, average, highest, hour_of
from functions.workflow.digests.service import LOGS_SINCE, SHOWN

AT_CEILING = "AlreadyAtMaxCapacity"
"""Application Auto Scaling API reference, NotScaledReason."""
ACTIVITIES_READ = 20
FAILED = ("Failed", "Unfulfilled")
"""Status codes of a scaling activity that came to nothing (API reference, ScalingActivity)."""
NEAR = 0.8
"""Share of a ceiling or a quota from which on it is near."""
CPU_IDLE, MEMORY_IDLE = 20.0, 50.0
"""Percent that no hour reaches where fewer tasks would do."""
STORAGE_LASTS = timedelta(days=60)
"""Storage that is used up before that needs somebody now: enlarging it takes hours, and a decision."""
QUERY_LINE = 1.0
"""Sessions that one statement keeps busy on average from which on it is worth a look: a whole CPU of the database."""
QUERIES_SINCE = timedelta(days=6)
"""Performance Insights begins seven days ago at the latest (API reference, DescribeDimensionKeys)."""
BACKUP_LASTS = timedelta(days=7)
SECRET_LASTS = timedelta(days=90)


def cost_of_tasks(around: Around) -> Found:
    """An estimate by list price: no bill names an ECS service."""
    service = around.service()
    if service.launch_type in ELSEWHERE:
        return nothing("its tasks run on machines that are paid for by themselves")
    each = task_usd_per_day(around.definition())
    if each is None:
        return unknown("its task definition does not say how large a task is")
    ran = average(around.used()["tasks"])
    limit = around.playbook.budget.usd_per_day
    text = f"about {ran * each:.2f} USD a day: {ran:.1f} tasks on average, {each:.2f} each by the list price of Fargate"
    if limit is None:
        return ok(text)
    text += f"; the budget is {limit:g}"
    return look(text) if ran * each > limit else ok(text)


def scaling(around: Around) -> Found:
    """How often the autoscaler scaled, wanted to and could not, and how long it was at its ceiling."""
    facts = around.scaling()
    if not facts.registered:
        return nothing("no scalable target: the count stays as somebody set it")
    if facts.activities is None:
        raise ReadFailed("the scaling activities could not be read")
    lately = [activity for activity in facts.activities if activity.at >= around.sources.since]
    failed = [activity for activity in lately if activity.status in FAILED]
    stuck = sum(1 for activity in lately if AT_CEILING in activity.not_scaled)
    scaled = sum(1 for activity in lately if activity.status == "Successful" and not activity.not_scaled)
    at_ceiling = sum(1 for _, count in around.used()["tasks"] if count >= facts.maximum)
    more = "at least " if len(lately) >= ACTIVITIES_READ else ""
    details = [f"failed {when(activity.at)}: {activity.description}" for activity in failed[:SHOWN]]
    details += ["scaling out is suspended"] if facts.scale_out_suspended else []
    text = (
        f"{more}{counted(scaled, 'time')} scaled, {len(failed)} failed, {stuck} stopped by the ceiling of "
        f"{facts.maximum}; {counted(at_ceiling, 'hour')} at it"
    )
    trouble = bool(failed or stuck or at_ceiling or facts.scale_out_suspended)
    return look(text, *details) if trouble else ok(text)


def spare(around: Around) -> Found:
    """Whether its floor was ever needed."""
    used, facts = around.used(), around.scaling()
    if not facts.registered or facts.minimum < 2:
        return nothing("no floor above 1 to be needed")
    busiest, fullest, most = (highest(used[name])[1] for name in ("cpu", "memory", "tasks"))
    text = f"floor {facts.minimum}, {most:.0f} tasks at most; in an hour CPU {busiest:.0f} %, memory {fullest:.0f} %"
    if most <= facts.minimum and busiest < CPU_IDLE and fullest < MEMORY_IDLE:
        return look(f"{text}: a lower floor would do")
    return ok(text)


def database_load(around: Around) -> Found:
    if not around.databases:
        return nothing("the playbook names no DB instance")
    points = around.once("databases", lambda: _databases(around))
    line = around.playbook.targets.database_cpu_percent
    details: list[str] = []
    busy: list[str] = []
    unread = 0
    for each in around.databases:
        cpu, connections = points[f"{each.rds}/cpu"], points[f"{each.rds}/connections"]
        if not cpu:
            unread += 1
            details.append(f"{each.rds}: nothing was measured")
            continue
        at, most = highest(cpu)
        busy += [each.rds] if most > line else []
        taken = f", {max(value for _, value in connections):.0f} connections at most" if connections else ""
        load = f"CPU {most:.0f} % at most ({when(at)}), {average(cpu):.0f} % on average"
        details.append(f"{each.rds}: {load}{taken}")
    text = f"{len(busy)} of {len(around.databases)} above {line:g} % of CPU for an hour{named(busy)}"
    return Found(verdict=worst(bool(busy), unread > 0), text=text, details=tuple(details))


def storage(around: Around) -> Found:
    """How fast it fills up: the free storage at the beginning of this time against that at its end."""
    if not around.databases:
        return nothing("the playbook names no DB instance")
    points = around.once("databases", lambda: _databases(around))
    details: list[str] = []
    soon: list[str] = []
    unread = 0
    for each in around.databases:
        free = points[f"{each.rds}/free"]
        if len(free) < 2:
            unread += 1
            details.append(f"{each.rds}: nothing was measured; Aurora grows by itself and has no such metric")
            continue
        (began, before), (ended, left) = free[0], free[-1]
        growth = (before - left) / max((ended - began) / timedelta(days=1), 1 / 24)
        said = f"{each.rds}: {left / 1e9:.1f} GB free, grows by {growth / 1e9:.2f} GB a day"
        if growth > 0:
            days = left / growth
            soon += [f"{each.rds} in {days:.0f} days"] if days < STORAGE_LASTS.days else []
            said += f", enough for {days:,.0f} days"
        details.append(said)
    text = f"{len(soon)} of {len(around.databases)} full within {STORAGE_LASTS.days} days{named(soon)}"
    return Found(verdict=worst(bool(soon), unread > 0), text=text, details=tuple(details))


def _databases(around: Around) -> Mapping[str, Points]:
    wanted = (
        ("cpu", "CPUUtilization", "Average"),
        ("connections", "DatabaseConnections", "Maximum"),
        ("free", "FreeStorageSpace", "Minimum"),
    )
    measures = {
        f"{each.rds}/{name}": hour_of("AWS/RDS", metric, {"DBInstanceIdentifier": each.rds}, statistic)
        for each in around.databases
        for name, metric, statistic in wanted
    }
    return around.hourly(measures)


def slow_queries(around: Around) -> Found:
    """By Performance Insights; where no DB instance has it, what the playbook's own queries find in the logs."""
    if not around.databases and not around.playbook.log_queries:
        return nothing("the playbook names no DB instance and no log_queries")
    details, slow, on = [], 0, False
    until = around.sources.until
    for each in around.databases:
        facts = around.sources.more.queries.busiest(
            each.rds, since=max(around.sources.since, until - QUERIES_SINCE), until=until
        )
        on = on or facts.insights
        slow += sum(1 for query in facts.queries if query.sessions >= QUERY_LINE)
        details += [f"{each.rds}: {query.sessions:.2f} sessions in {query.statement}" for query in facts.queries]
        details += [] if facts.insights else [f"{each.rds}: Performance Insights is not on"]
    if on:
        text = f"{counted(slow, 'statement')} that keep{'s' if slow == 1 else ''} {QUERY_LINE:g} session or more busy"
        return look(text, *details) if slow else ok(text, *details)
    if not around.playbook.log_queries:
        return unknown("Performance Insights is not on, and the playbook has no log_queries", *details)
    return _asked_of_logs(around, details)


def _asked_of_logs(around: Around, details: list[str]) -> Found:
    groups = around.definition().log_groups
    if not groups:
        return unknown("no container logs to CloudWatch Logs in this Region", *details)
    facts = around.readers.logs.errors(
        groups,
        since=around.sources.until - LOGS_SINCE,
        until=around.sources.until,
        queries=around.playbook.log_queries,
    )
    unread = [query for query in facts.queries if query.error is not None]
    details += [str(query) for query in facts.queries]
    text = (
        f"{len(facts.queries) - len(unread)} of {len(facts.queries)} queries of the playbook answered, of the last day"
    )
    return unknown(text, *details) if unread else ok(text, *details)


def backups(around: Around) -> Found:
    """How old the newest usable backup of each is. What is too old comes with the command that takes one."""
    wanted = around.playbook.backups
    if wanted.nothing:
        return nothing("the playbook names none")
    known = around.sources.more.backups.known(wanted)
    names = [*wanted.dynamodb, *([] if wanted.rds is None else [wanted.rds])]
    newest: dict[str, BackupFacts] = {}
    for backup in known:
        if backup.usable:
            newest.setdefault(backup.of, backup)
    details: list[str] = []
    old: list[str] = []
    for name in names:
        age = around.sources.until - newest[name].at if name in newest else None
        said = f"{name} has none" if age is None else f"{name} {_days(age)} old"
        old += [said] if age is None or age > BACKUP_LASTS else []
        details.append(said)
    text = f"{len(old)} of {len(names)} without one of the last {BACKUP_LASTS.days} days{named(old)}"
    if not old:
        return ok(text, *details)
    ref = around.playbook.ref
    command = f"responder backup {ref.cluster}/{ref.service} --region {ref.region} --reason weekly"
    return look(text, *details, f"take them with: {command}")


def secrets(around: Around) -> Found:
    """How old what the tasks read is. When it was changed is known, never what it is."""
    facts = read_secrets(around.surroundings, {"definition": around.definition()}).secrets
    if not facts:
        return nothing("its task definition names none")
    now = around.sources.until
    gone = [each.name for each in facts if each.exists is False]
    unread = [each.name for each in facts if each.exists is None or (each.exists and each.changed_at is None)]
    old = [(now - each.changed_at, each.name) for each in facts if each.exists and each.changed_at is not None]
    old = sorted((age, name) for age, name in old if age > SECRET_LASTS)[::-1]
    details = [f"{_tail(name)}: changed {_days(age)} ago" for age, name in old]
    details += [f"{_tail(name)}: does not exist" for name in gone] + [f"{_tail(name)}: unknown" for name in unread]
    text = f"{len(old)} of {len(facts)} older than {SECRET_LASTS.days} days{named([_tail(name) for _, name in old])}"
    return Found(verdict=worst(bool(old or gone), bool(unread)), text=text, details=tuple(details))


def findings(around: Around) -> Found:
    """What GuardDuty found that concerns the service, and whether somebody archived it."""
    told = {
        entry.signal.reference
        for incident in around.incidents()
        for entry in around.sources.ledger.inbox(incident.id)
        if entry.signal.kind is SignalKind.THREAT and entry.signal.reference is not None
    }
    if not told:
        detectors = around.fleet.once("detectors", around.sources.more.detectors.detectors)
        if not detectors:
            return unknown("GuardDuty was never switched on in this Region")
        return ok("0 told of this service")
    threats = around.readers.account.threats(sorted(told)).threats
    open_ones = [threat for threat in threats if not threat.archived]
    details = [f"{threat.type}: {threat.title}" for threat in open_ones[:SHOWN]]
    text = f"{len(told)} told of this service, {len(open_ones)} not archived"
    return look(text, *details) if open_ones else ok(text)


def denied(around: Around) -> Found:
    """Calls that CloudTrail saw denied. One request tells the newest calls of the account: often not all of them."""
    role = around.definition().task_role or ""
    # CloudTrail takes two requests a second from the whole account: one at a time.
    with around.fleet.one_at_a_time:
        facts = around.readers.breach.denials(around.playbook.ref, task_role=role, since=around.sources.since)
    refused = [call for call in facts.calls if call.denied]
    details = [f"{when(call.at)} {call.event} by {call.by}" for call in refused[:SHOWN]]
    if refused:
        who = named([f"{call.event} by {call.by}" for call in refused], most=1)
        return look(f"{'at least ' if facts.partial else ''}{len(refused)} denied{who}", *details)
    if facts.partial:
        return unknown("0 denied among the newest calls of the account; there were more than one request tells")
    return ok("0 denied")


def images(around: Around) -> Found:
    """What the scans of ECR found in what runs."""
    running = around.readers.service.tasks(around.playbook.ref).images
    if not running:
        return nothing("no task runs, or none tells its image")
    facts = around.readers.breach.images(running).images
    holes = [each for each in facts if each.critical or each.high]
    unscanned = [each for each in facts if each.status not in ("COMPLETE", "ACTIVE")]
    details = [f"{each.image}: {each.critical} critical, {each.high} high" for each in holes]
    details += [f"{each.image}: not scanned, {each.status}" for each in unscanned]
    critical, high = sum(each.critical for each in facts), sum(each.high for each in facts)
    text = f"{critical} critical and {high} high in {counted(len(facts), 'image')}"
    return Found(verdict=worst(bool(holes), bool(unscanned)), text=text, details=tuple(details))


def peaks(around: Around) -> Found:
    """How near it came to what it may have."""
    used, facts = around.used(), around.scaling()
    at, most = highest(used["tasks"])
    _, busiest = highest(used["cpu"])
    allowed = around.playbook.limits.max_tasks
    ceiling = min(allowed, facts.maximum) if facts.registered else allowed
    text = f"{counted(round(most), 'task')} of {ceiling} at most ({when(at)}), CPU {busiest:.0f} % at most"
    details = (f"the playbook allows {allowed}, the autoscaler {facts.maximum}",) if facts.registered else ()
    return look(text, *details) if ceiling == 0 or most >= NEAR * ceiling else ok(text, *details)


def releases(around: Around) -> Found:
    """Whether what runs is what was watched to be good, and what the infrastructure code may still name."""
    service, history = around.service(), around.sources.ledger.releases(around.playbook.ref)
    if not history:
        return unknown("the responder has seen no release of it yet")
    current = service.primary.task_definition if service.primary is not None else service.task_definition
    new = [release for release in history if release.first_seen >= around.sources.since]
    bad = [release for release in history if release.state is ReleaseState.QUARANTINED]
    mine = next((release for release in history if release.task_definition == current), None)
    details = [f"quarantined: {short(r.task_definition)}; see that no code names it" for r in bad[:SHOWN]]
    if mine is None:
        return look(f"{short(current)} runs and was never seen steady; {counted(len(new), 'new release')}", *details)
    text = (
        f"{short(current)} is {mine.state}, first seen {mine.first_seen:%Y-%m-%d}; {counted(len(new), 'new release')}"
    )
    hurt = [f"{short(release.task_definition)} was quarantined" for release in new if release in bad]
    text += named(hurt)
    drifted = mine.state is not ReleaseState.GOOD or bool(hurt)
    return look(text, *details) if drifted else ok(text, *details)


def _days(age: timedelta) -> str:
    return f"{age / timedelta(days=1):.1f} days" if age < timedelta(days=10) else f"{age.days} days"


def _tail(name: str) -> str:
    """The name of a secret, without what every ARN has."""
    return name.split(":secret:")[-1].split(":parameter")[-1]
