"""What a service is like: whether it answers, how busy it was, what happened to it, and what is held back."""

from datetime import timedelta
from statistics import median

from functions.diagnostics.dependencies import Watcher
from functions.diagnostics.look import look as run
from functions.diagnostics.registry import PROBES
from functions.diagnostics.score import READS, health_score
from functions.domain import synthetic
from functions.domain.changes import LeaseKind
from functions.domain.circumstances import AlarmHistoryFacts
from functions.domain.dependencies import DependencyState
from functions.domain.digests import Found, Period, Verdict, look, named, nothing, ok, unknown, when, worst
from functions.domain.durations import spoken
from functions.domain.errors import ReadFailed
from functions.domain.evidence import AlarmFacts
from functions.domain.maintenance import next_window
from functions.domain.signals import AlarmState
from functions.domain.words import counted
from functions.ports import Points
from functions.workflow.digests.around import HOUR_S, Around, average, highest, hour_of

FAILED_SHARE = 0.005
"""Share of a URL's minutes that failed from which on it is worth a look: seven minutes of a day."""
ASKED_SHARE = 0.9
"""With fewer of its minutes asked, nothing is known of the rest."""
SCORE_LINE = 90
"""A health score below this has a reason that is worth a look."""
LOOK_DEADLINE_S = 20.0
FEWEST_REQUESTS = 100
NOISY = {Period.DAILY: 3, Period.WEEKLY: 7, Period.MONTHLY: 30}
"""Times that an alarm goes off from which on it is called noisy: once a day is too much for weeks."""
HISTORY_ITEMS = 100
"""So many changes of state one answer of CloudWatch has; half of them, at most, say that the alarm went off."""
ERRORS_LINE = 100
"""Error lines of a day from which on somebody should read them."""
ERRORS_READ = 500
"""As many lines as are read: there may be more."""
LOGS_SINCE = timedelta(days=1)
"""Further back a query of logs costs more than it tells."""
SHOWN = 5


def score(around: Around) -> Found:
    """How well it is doing now."""
    if around.service().desired == 0:
        return nothing("0 tasks are wanted")
    findings = run(map(PROBES.__getitem__, READS), around.surroundings, deadline_s=LOOK_DEADLINE_S)
    scored = health_score(findings, around.playbook.targets)
    if scored.score is None:
        return unknown(scored.reason)
    details = [f"{part.name}: costs {part.lost:g}, {part.reason}" for part in scored.costs]
    details += [f"{part.name}: unknown, {part.reason}" for part in scored.unknown]
    text = f"{scored.score} of 100 now"
    return look(text, *details) if scored.score < SCORE_LINE else ok(text, *details)


def urls(around: Around) -> Found:
    """Each URL of the playbook: in how many of the minutes it was asked did it not answer as it has to?"""
    checks = around.playbook.synthetic_checks
    if not checks:
        return nothing("the playbook has no check that asks one")
    ref = around.playbook.ref
    measures = {
        f"{check.check}/{statistic}": hour_of(
            synthetic.NAMESPACE, synthetic.METRIC, synthetic.dimensions(ref, check.check), statistic
        )
        for check in checks
        for statistic in ("Sum", "SampleCount")
    }
    points = around.hourly(measures)
    hours = int((around.sources.until - around.sources.since).total_seconds()) // HOUR_S
    # The first and the last hour are cut, unless the digest is made on the hour.
    expected = max(1, hours - 1) * 60
    details: list[str] = []
    failing: list[str] = []
    unasked: list[str] = []
    for check in checks:
        failed = round(sum(value for _, value in points[f"{check.check}/Sum"]))
        asked = round(sum(value for _, value in points[f"{check.check}/SampleCount"]))
        if asked and failed >= FAILED_SHARE * asked:
            said = f"failed in {failed} of {asked} minutes"
            failing.append(f"{check.check} {said}")
        elif asked < ASKED_SHARE * expected:
            said = f"was asked in {asked} of {expected} minutes only" if asked else "was never asked"
            unasked.append(f"{check.check} {said}")
        else:
            said = f"answered in {asked - failed} of {asked} minutes"
        details.append(f"{check.check} {said}: {check.demands}")
    fine = len(checks) - len(failing) - len(unasked)
    text = f"{fine} of {len(checks)} answered as they have to{named([*failing, *unasked])}"
    return Found(verdict=worst(bool(failing), bool(unasked)), text=text, details=tuple(details))


def dependencies(around: Around) -> Found:
    """How what the playbook names is doing now."""
    wanted = (*around.playbook.dependencies, *around.playbook.checks)
    if not wanted:
        return nothing("the playbook names none")
    facts = Watcher(around.readers)(around.playbook.ref, wanted, now=around.sources.until)
    troubled = [each for each in facts if each.state.trouble]
    unread = [each for each in facts if each.state is DependencyState.UNKNOWN]
    return Found(
        verdict=worst(bool(troubled), bool(unread)),
        text=(
            f"{len(facts) - len(troubled) - len(unread)} of {len(facts)} are fine now"
            f"{named([f'{each.name} is {each.state}' for each in (*troubled, *unread)])}"
        ),
        details=tuple(f"{each.name}: {each.detail}" for each in (*troubled, *unread)),
    )


def tasks(around: Around) -> Found:
    service = around.service()
    if service.status != "ACTIVE":
        return look(f"ECS calls the service {service.status}")
    if service.desired == 0:
        return nothing("0 wanted: somebody set the service to 0")
    text = f"{service.running} of {service.desired} run"
    rollout = service.primary.rollout_state if service.primary is not None else None
    if rollout == "FAILED":
        return look(f"{text}; the deployment failed")
    if service.running < service.desired:
        return look(f"{text}; the deployment is {rollout or 'without a state'}")
    return ok(text)


def cpu(around: Around) -> Found:
    return _busy(around, "cpu", around.playbook.targets.cpu_percent)


def memory(around: Around) -> Found:
    return _busy(around, "memory", around.playbook.targets.memory_percent)


def _busy(around: Around, which: str, line: float) -> Found:
    points = around.used()[which]
    if not points and around.service().desired == 0:
        return nothing("no task ran")
    at, most = highest(points)
    text = (
        f"{most:.0f} % at most ({when(at)}), {average(points):.0f} % on average, "
        f"{points[-1][1]:.0f} % in the last hour; the target is {line:g} %"
    )
    return look(text) if most > line else ok(text)


def incidents(around: Around) -> Found:
    found, fleet = around.incidents(), around.fleet
    opened = sum(1 for incident in found if fleet.opened_now(incident))
    closed = sum(1 for incident in found if fleet.closed_now(incident))
    still_open = around.still_open()
    details = []
    for incident in found[:SHOWN]:
        ended = incident.closed_at
        how = "still open" if ended is None else f"ended after {spoken(ended - incident.opened_at)}"
        details.append(f"{when(incident.opened_at)} {incident.title}, {how}: {incident.id}")
    details += [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    text = f"{opened} opened, {closed} resolved, {len(still_open)} open now{named([each.id for each in still_open])}"
    return look(text, *details) if still_open else ok(text, *details)


def recovery(around: Around) -> Found:
    """How long those took that were resolved in this time."""
    lengths = sorted(
        incident.closed_at - incident.opened_at
        for incident in around.incidents()
        if incident.closed_at is not None and around.fleet.closed_now(incident)
    )
    if not lengths:
        return nothing("no incident was resolved in this time")
    middle = timedelta(seconds=median(length.total_seconds() for length in lengths))
    return ok(f"{spoken(middle)} in the middle, {spoken(lengths[-1])} at most, of {len(lengths)}")


def alarms(around: Around) -> Found:
    """Which are in ALARM now. One that has no data, and one that is gone, see nothing."""
    names = around.playbook.alarm_names
    if not names:
        return nothing("the playbook has none")
    found = around.once("alarms", lambda: tuple(around.readers.metrics.alarms(names)))
    known = {alarm.name for alarm in found}
    gone = [name for name in names if name not in known]
    ringing = [alarm for alarm in found if alarm.state is AlarmState.ALARM]
    blind = [alarm for alarm in found if alarm.state is AlarmState.INSUFFICIENT_DATA]
    details = [*map(_told, (*ringing, *blind))]
    trouble = [*(alarm.name for alarm in ringing), *(f"{name} does not exist" for name in gone)]
    text = f"{len(ringing)} of {len(names)} in ALARM{named(trouble)}"
    text += f"; {len(blind)} without data" if blind else ""
    return Found(verdict=worst(bool(ringing or gone), bool(blind)), text=text, details=tuple(details))


def _told(alarm: AlarmFacts) -> str:
    state = "in ALARM" if alarm.state is AlarmState.ALARM else "without data"
    return f"{alarm.name} {state} since {when(alarm.since)}"


def noisy(around: Around) -> Found:
    """How often each alarm went off."""
    names = around.playbook.alarm_names
    if not names:
        return nothing("the playbook has none")
    history: AlarmHistoryFacts = around.readers.metrics.alarm_history(names, since=around.sources.since)
    counts = sorted(((len(times), name) for name, times in history.went_off.items()), reverse=True)
    line = NOISY[around.sources.period]
    loud = [name for count, name in counts if count >= line]
    told = [f"{name} {'at least ' if count >= HISTORY_ITEMS // 2 else ''}{count}" for count, name in counts if count]
    times = counted(sum(count for count, _ in counts), "time")
    text = f"went off {times} in all{named(told)}; noisy from {line} on"
    return look(text) if loud else ok(text)


def pauses(around: Around) -> Found:
    """What people set for the service: a stop of everything, a pause, another mode, maintenance to come."""
    now, switch = around.sources.until, around.sources.ledger.switch(around.playbook.ref)
    window = next_window(now, around.playbook.maintenance, switch.maintenance)
    details = [f"maintenance from {window.span}"] if window is not None and window.start - now < LOGS_SINCE else []
    fleet = around.sources.ledger.fleet_switch()
    if fleet.stopped:
        return look(fleet.said, *details, "ends with: responder start --all")
    if switch.paused(now) and switch.paused_until is not None:
        said = f"paused until {when(switch.paused_until)} by {switch.by}: {switch.reason}"
        return look(said, *details, f"ends with: responder resume {around.playbook.ref.key}")
    if switch.mode is not None and switch.mode is not around.playbook.mode:
        return look(f"set to {switch.mode} by hand, the playbook says {around.playbook.mode}", *details)
    return ok(f"nothing is paused; mode {around.playbook.mode}", *details)


def muted(around: Around) -> Found:
    """Which alarms the responder, or somebody by `responder mute`, muted."""
    names = around.playbook.alarm_names
    if not names:
        return nothing("the playbook has no alarms")
    quiet = [name for name in names if around.sources.more.mutes.muted_s(name) != 0]
    if quiet:
        commands = (f"ends with: responder unmute {name} --region {around.playbook.region}" for name in quiet)
        return look(f"{len(quiet)} of {len(names)}{named(quiet)}", *commands)
    return ok(f"0 of {len(names)}")


def leases(around: Around) -> Found:
    """What is temporary and still out, and whether it is late."""
    out, now = around.sources.ledger.service_leases(around.playbook.ref), around.sources.until
    late = [lease for lease in out if lease.due_at < now]
    details = []
    for lease in out:
        terms = lease.terms
        what = f"{terms.kind} {terms.value:g} instead of {terms.original:g}"
        if terms.kind in (LeaseKind.MUTE, LeaseKind.ADDRESS):
            what = f"{terms.kind} of {terms.resource_id}"
        details.append(f"{what} until {when(lease.due_at)}, by {lease.incident_id}")
    text = f"{len(out)} out, {len(late)} overdue{named([f'the {lease.terms.kind}' for lease in late])}"
    return look(text, *details) if late else ok(text, *details)


def error_lines(around: Around) -> Found:
    """What the service complained of most in the last day."""
    groups = around.definition().log_groups
    if not groups:
        return unknown("no container logs to CloudWatch Logs in this Region")
    facts = around.readers.logs.errors(
        groups,
        since=around.sources.until - LOGS_SINCE,
        until=around.sources.until,
        causes=around.playbook.log_causes,
    )
    # A line mostly begins with its time, of which a pattern leaves a star.
    details = tuple(f"{pattern.count} x {pattern.pattern.lstrip('* ')}" for pattern in facts.patterns[:SHOWN])
    more = "at least " if facts.partial or facts.errors >= ERRORS_READ else ""
    kinds = counted(len(facts.patterns), "kind")
    text = f"{more}{counted(facts.errors, 'line')} of {kinds} in a day; {ERRORS_LINE} are many"
    if facts.errors >= ERRORS_LINE:
        return look(text, *details)
    if facts.partial:
        return unknown(f"{text}; the query was stopped for its cost or its time", *details)
    return Found(verdict=Verdict.OK, text=text, details=details)


def failed_requests(around: Around) -> Found:
    """The share of requests that failed, in all and in the worst hour, against the playbook's target."""
    points = around.answered()
    if points is None:
        return nothing("behind no load balancer: nothing counts its requests")
    asked, failed = points["requests"], dict(points["failed"])
    total = sum(value for _, value in asked)
    if not total:
        return _nobody_asked(points["counted"])
    line = around.playbook.targets.error_percent
    share = 100 * sum(failed.values()) / total
    # An hour with few requests says little: one of two would be a half.
    hours = [(100 * failed.get(at, 0.0) / count, at) for at, count in asked if count >= FEWEST_REQUESTS]
    text = f"{share:.2f} % of {total:,.0f}"
    if hours:
        worst_share, at = max(hours)
        text += f", {worst_share:.2f} % in the worst hour ({when(at)})"
    text += f"; the target is {line:g} %"
    return look(text) if max(share, *(each for each, _ in hours), 0.0) > line else ok(text)


def response_time(around: Around) -> Found:
    points = around.answered()
    if points is None:
        return nothing("behind no load balancer: nothing measures it")
    if not points["p95"]:
        return _nobody_asked(points["counted"])
    at, most = highest(points["p95"])
    line = around.playbook.targets.p95_s
    text = f"p95 {most:.2f} s at most ({when(at)}); the target is {line:g} s"
    return look(text) if most > line else ok(text)


def _nobody_asked(counted: Points) -> Found:
    """No request is no failure, where the load balancer measured anything at all."""
    if not counted:
        raise ReadFailed("the load balancer measured nothing in this time")
    return nothing("no request came in this time")


def requests(around: Around) -> Found:
    """Whether anybody used it: where not, it may be stopped."""
    points = around.answered()
    if points is None:
        return nothing("behind no load balancer: nothing counts its requests")
    asked = sum(value for _, value in points["requests"])
    if asked:
        return ok(f"{asked:,.0f} in all")
    if not points["counted"]:
        raise ReadFailed("the load balancer measured nothing in this time")
    if around.service().desired == 0:
        return nothing("none, and 0 tasks are wanted")
    return look(f"none in {around.sources.period.span.days} days, and {around.service().desired} tasks are paid for")
