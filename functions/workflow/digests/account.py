"""What belongs to no single service: the bill, the quota of Fargate, the drill, and what only people know."""

import json
from datetime import timedelta

from functions.domain.costs import OWN_TAG
from functions.domain.digests import Found, look, ok, unknown
from functions.domain.errors import ReadFailed
from functions.domain.words import counted
from functions.workflow.digests.around import Fleet, highest, hour_of
from functions.workflow.digests.upkeep import NEAR

COST_ROSE = 1.3
"""So many times what a day usually cost is worth a look."""
DEAREST = 6
DAYS_OF_A_MONTH = 365 / 12
DRILL_LASTS = timedelta(days=35)
POLICY = "responder"


def cost_by_day(fleet: Fleet) -> Found:
    bill = fleet.bill()
    *before, last = bill.days
    usual = sorted(day.total for day in before)[len(before) // 2] if before else None
    text = (
        f"{bill.total:,.2f} {bill.currency} in {len(bill.days)} days for the whole account, "
        f"{last.total:,.2f} on the last ({last.day:%a %m-%d})"
    )
    shown = bill.days if len(bill.days) <= 7 else bill.days[-7:]
    guessed = ", and AWS may still correct them" if any(day.estimated for day in shown) else ""
    details = [", ".join(f"{day.day:%a} {day.total:,.2f}" for day in shown)]
    details.append(f"asking cost {bill.requests * 0.01:.2f} USD; the figures are a day late{guessed}")
    if usual is not None and last.total > usual * COST_ROSE and last.total - usual >= 1:
        return look(f"{text}: {last.total / usual:.1f} times the usual" if usual else text, *details)
    return ok(text, *details)


def cost_by_service(fleet: Fleet) -> Found:
    bill = fleet.bill()
    dearest = [(name, amount) for name, amount in bill.by_service.items() if amount >= 0.005]
    details = [f"{amount:,.2f} {name}" for name, amount in dearest[:DEAREST]]
    rest = sum(amount for _, amount in dearest[DEAREST:])
    details += [f"{rest:,.2f} all others"] if rest else []
    return ok(f"{counted(len(dearest), 'service')} of AWS cost {bill.total:,.2f} {bill.currency}", *details)


def own_cost(fleet: Fleet) -> Found:
    """What the bill says of the responder's own stacks; alarms and dashboards of the services are among them."""
    bill = fleet.bill()
    if bill.own == 0:
        return unknown(
            f"no cost of these days has the tag {OWN_TAG}: it tells from the day on after somebody activates it: "
            f"aws ce update-cost-allocation-tags-status --cost-allocation-tags-status TagKey={OWN_TAG},Status=Active"
        )
    month = bill.own / len(bill.days) * DAYS_OF_A_MONTH
    return ok(
        f"{bill.own:,.2f} {bill.currency} in {counted(len(bill.days), 'day')}, which makes {month:,.2f} a month",
        "with the alarms and dashboards that it makes for services; responder cost says what to expect",
    )


def quota(fleet: Fleet) -> Found:
    """The peak of this time against the quota, and what all services together may want at most."""
    limit = fleet.sources.more.quotas.fargate_vcpus()
    # ECS Developer Guide, "AWS Fargate usage metrics".
    used = {"Service": "Fargate", "Type": "Resource", "Resource": "vCPU", "Class": "Standard/OnDemand"}
    (points,) = fleet.sources.readers.metrics.measured(
        [hour_of("AWS/Usage", "ResourceCount", used, "Maximum")], start=fleet.sources.since, end=fleet.sources.until
    )
    _, most = highest(points)
    text = f"{most:g} of {limit:g} vCPUs at most"
    wanted, unread = 0.0, []
    for around in fleet.services:
        try:
            cpu = around.definition().cpu
        except ReadFailed:
            cpu = None
        if cpu is None:
            unread.append(around.title)
        else:
            wanted += around.playbook.limits.max_tasks * cpu / 1024
    details = [f"all playbooks at their max_tasks would need {wanted:g}, without {', '.join(unread)}"] if unread else []
    details = details or [f"all playbooks at their max_tasks would need {wanted:g}"]
    return look(text, *details) if most >= NEAR * limit or wanted > limit else ok(text, *details)


def drill(fleet: Fleet) -> Found:
    """What the pipeline put into the archive after the last drill."""
    record = fleet.sources.more.drills.last()
    if record is None:
        return unknown("no drill recorded: put what responder drill --json writes into the archive as drills/last.json")
    try:
        ours = json.loads(record.body)["policies"][POLICY]
        runs, recovered, harmful = int(ours["runs"]), int(ours["recovered"]), int(ours["harmful"])
    except (ValueError, KeyError, TypeError) as unreadable:
        raise ReadFailed("what lies in the archive as drills/last.json is no result of a drill") from unreadable
    age = fleet.sources.until - record.kept_at
    text = f"{counted(runs, 'run')} {counted(age.days, 'day')} ago: {recovered} recovered, {harmful} did harm"
    return look(text) if harmful or age > DRILL_LASTS else ok(text)


def restore_test(fleet: Fleet) -> Found:
    """No call to AWS tells of one. It stands there so that somebody is asked."""
    return unknown(
        "only a person knows when a restore, or the recovery of a Region, was last tried; "
        "responder backup --list prints how a restore is done"
    )
