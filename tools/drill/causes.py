"""The page about the causes, made from the rules, the ladders and the figures of a drill.

python -m tools.drill.causes                # the page anew, after a change of the code
python -m tools.drill.causes DRILL_JSON     # figures and page, from what `responder drill --json` wrote
"""

import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from functions.actions.registry import ACTIONS
from functions.diagnostics.ranking import LOST_AT_MOST, LOST_SUPPORT, RULES, Rule
from functions.diagnostics.registry import PROBES
from functions.diagnostics.thresholds import LATELY
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, split_rung
from functions.playbooks.ladders import default_ladder
from functions.playbooks.schema import Playbook
from functions.workflow.decide import (
    AMBIGUOUS,
    EASES_WITHIN,
    LOOK_AGAIN_S,
    LOOK_SOON_S,
    PATIENCE,
    QUITE_SURE,
    UNFELT_PATIENCE,
    YOUNG_AT_MOST,
    YOUNG_PERIODS,
)
from functions.workflow.decision import OTHERS_AT_WORK
from functions.workflow.surroundings import LOOK_DEADLINE_S
from tools.drill.scenario import Scenario, load_scenarios
from tools.markdown import bullets, code, prose, table

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "causes.md"
FIGURES = DOCS / "drill-figures.json"

OURS, NOBODY = "responder", "none"
"""The policies that the page tells of."""

EVIDENCE: Mapping[str, tuple[str, str]] = {
    "service": ("the service, its deployments and what ECS says about them", "free"),
    "tasks": ("tasks that run, and why others stopped: stop code, exit code, reason", "free"),
    "targets": ("which targets of the load balancer are healthy, and why others are not", "free"),
    "alarms": (
        "the alarms of the incident, and their own metrics asked anew",
        "0.01 USD per 1,000 metrics; other calls the same per 1,000, after a million a month",
    ),
    "metrics": (
        "requests, errors, response time, CPU, memory and counts of tasks, now against before, all in one call",
        "0.01 USD per 1,000 metrics",
    ),
    "scaling": ("the scalable target, its policies and what they did, what is suspended", "free"),
    "releases": ("what runs since when, what ran before, and where a rollback would go", "free"),
    "dependencies": (
        "whatever the playbook names as `dependencies`: working, slow, throttled or failing",
        "0.01 USD per 1,000 metrics; a URL is asked once",
    ),
    "definition": ("the task definition: size, ports, health check, names of secrets, log groups", "free"),
    "front": ("health checks and stickiness of the target groups, zonal shift, zones", "free"),
    "logs": (
        (
            f"the most frequent error lines since the trouble began, {LATELY.seconds // 60} minutes at most; and what "
            "the playbook asks besides"
        ),
        "0.005 USD per GB that is scanned, which `log_scan_mb` caps",
    ),
    "secrets": (
        "whether secrets and parameters exist, and when they changed; never a value",
        "0.05 USD per 10,000 calls",
    ),
    "history": (
        "how often the alarms went off in the last two hours",
        "0.01 USD per 1,000 calls, after a million a month",
    ),
    "exposure": (
        "rules of the security groups that let everybody in; only with `contain: {evidence: true}`",
        "free",
    ),
    "images": ("what ECR's scans found in the running images; only with `contain: {evidence: true}`", "free"),
    "denials": (
        "denied calls about the service, and changes by its tasks' role; only with `contain: {evidence: true}`",
        "free, two calls a second",
    ),
    "changes": (
        "who changed what of the service in the last hour, by CloudTrail, minutes late",
        "free, two calls a second",
    ),
    "stack": ("the CloudFormation stack of the service, and whether it is being changed", "free"),
    "budget": ("what the tasks that are wanted cost, against the playbook's `budget`", "nothing: the others tell it"),
    "network": (
        (
            "security groups between load balancer, tasks and databases; only where a database fails or cannot be "
            "reached, or targets time out"
        ),
        "free",
    ),
    "tables": (
        "what a DynamoDB table takes and how concentrated its keys are; only where it throttles",
        "0.01 USD per 1,000 metrics, only where Contributor Insights counts keys",
    ),
    "threats": (
        "the findings of GuardDuty that the incident was told of: type, severity, resource, whether archived",
        "nothing by itself; GuardDuty is paid by what it watches",
    ),
    "backups": (
        "the newest backup of each thing that the playbook wants backed up, where it has an `rpo`",
        "nothing",
    ),
    "health": ("what AWS says of itself in the Region", "nothing by itself; works only with a paid support plan"),
}
"""What each reading tells, and what it costs at the list prices of us-east-1 (the services' pricing pages)."""


class _Told(BaseModel):
    """What is read of a drill's JSON; the rest is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Ratio(_Told):
    median: float | None = None
    p95: float | None = None


class Numbers(_Told):
    """One way to respond in one scenario."""

    runs: int
    harmful: int
    escalated_correctly: int
    cause_first: int | None = None
    impact_ratio_to_oracle: Ratio


class OfPolicy(_Told):
    scenarios: Mapping[str, Numbers]


class Asked(_Told):
    what: str
    asked: str
    found: str
    met: bool


class Figures(_Told):
    """What the page shows of a drill, in the shape of the drill's own JSON."""

    seeds: int
    policies: Mapping[str, OfPolicy]
    asked: tuple[Asked, ...]

    def kept(self) -> Self:
        """Without the policies that the page does not tell of."""
        return self.model_copy(update={"policies": {name: self.policies[name] for name in (NOBODY, OURS)}})


def page(figures: Figures, scenarios: Sequence[Scenario]) -> str:
    """The whole page, with a newline at the end."""
    parts = [
        *_head(),
        *_evidence(),
        *_asked(figures),
        "## Each cause",
        *(part for rule in RULES for part in _cause(rule, figures, scenarios)),
        *_unknown(figures, scenarios),
    ]
    return "\n\n".join(parts) + "\n"


def _head() -> Iterator[str]:
    threshold = Playbook.model_fields["confidence"].default
    yield "# Causes"
    yield "<!-- Made by `make causes` from the rules, the ladders and docs/drill-figures.json. -->"
    yield prose(
        "Alarms show symptoms; people need a cause. This page says how one is named, what is read for it, and for each "
        "cause what it looks like, what is done about it by default, and how often the [drill](drill.md) found it. The "
        "decisions behind it are among the [records](decisions)."
    )
    yield "## How a cause is named"
    yield prose(
        f"One look reads everything below, side by side, within {LOOK_DEADLINE_S:g} s. Then each cause is judged by a "
        "rule of its own, on the same readings. The same readings always give the same ranking, and the trail keeps "
        "it: each cause with its confidence, what speaks for it and what speaks against it."
    )
    yield bullets(
        "**Confidence** goes from 0 to 1. The strongest thing that speaks for a cause sets it, and whatever speaks "
        "against it caps it.",
        "**Required** evidence that could not be read bars the cause: nothing is done for it. **Supporting** evidence "
        f"that could not be read costs {LOST_SUPPORT:g} of confidence each, {LOST_AT_MOST:g} at most.",
        "**Unread** is what failed, was refused, or did not answer in time. It is never taken for fine: dependencies "
        "that could not be read count like failing ones, and releases that could not be read like a new one. A page "
        "names it with a `?`.",
        f"**The threshold** is the playbook's `confidence`, {threshold:g} by default. If even the likeliest cause is "
        "below it, people are paged.",
        f"**Alike** are two causes that are no further than {AMBIGUOUS:g} apart. If their ladders differ they "
        "contradict each other, and people decide. Of two that are equally sure, the one higher up on this page comes "
        "first: what forbids acting before what invites it, and what says more before what says less.",
    )
    yield prose(
        "A cause is **clear** when it is above the threshold, has no other like it, and there is something to do about "
        f"it; one that only people can answer must reach {QUITE_SURE:g}. A clear cause is answered at once. An unclear "
        "one is given time, as long as one of these holds:"
    )
    yield bullets(
        f"**The incident is young.** Metrics come by whole periods and late. For {YOUNG_PERIODS} periods of its alarm, "
        f"{YOUNG_AT_MOST.seconds} s at most, the responder looks again every {LOOK_SOON_S} s.",
        f"**Nobody feels it.** No alarm is on and users are served: ECS has {UNFELT_PATIENCE.seconds // 60} minutes to "
        f"mend the service, and the responder looks every {LOOK_AGAIN_S} s.",
        "**It is easing.** The newest whole period shows nothing of the trouble any more: until the incident is "
        f"{EASES_WITHIN.seconds // 60} minutes old, it may end by itself.",
    )
    yield prose("When no such time is left, people are paged with the whole ranking.")


def _evidence() -> Iterator[str]:
    yield "## What is read"
    yield prose(
        "Each reading stands for itself: one that is missing takes no other with it, except those that need what it "
        "tells. Prices are list prices of us-east-1; other Regions differ by some percent."
    )
    yield table(
        ("evidence", "what it tells", "permissions", "what reading it costs"),
        [
            (code(name), EVIDENCE[name][0], ", ".join(code(p.action) for p in probe.permissions), EVIDENCE[name][1])
            for name, probe in PROBES.items()
        ],
    )


def _asked(figures: Figures) -> Iterator[str]:
    yield "## What the drill shows"
    yield prose(
        f"Simulated incidents, {figures.seeds} of each scenario. **Harmful** are runs in which users lost more than if "
        "nobody had done anything, or that did harm otherwise. **× oracle** is what users lost, compared with a "
        "response that knows the fault and acts at the first alarm: in the middle run, and in the 95th of a hundred. "
        "**Nobody** is the same where nobody responds. **Named first** are runs in which the first cause that the "
        "responder named was the true one; **paged right**, runs in which people were told if they were needed, and "
        "not otherwise. "
        "[drill.md](drill.md#what-is-measured) has the whole of it."
    )
    yield table(
        ("over all scenarios", "asked", "found", "met"),
        [(each.what, each.asked, each.found, "yes" if each.met else "no") for each in figures.asked],
    )


def _cause(rule: Rule, figures: Figures, scenarios: Sequence[Scenario]) -> Iterator[str]:
    yield f"### {rule.cause}"
    for said in (inspect.getdoc(rule.judge) or "").split("\n\n"):
        yield prose(said)
    yield bullets(
        f"Required: {', '.join(rule.requires)}.",
        f"Supporting: {', '.join(rule.supports) or 'nothing'}.",
        *_answers(rule.cause),
    )
    yield _drilled(rule.cause, figures, scenarios)


def _unknown(figures: Figures, scenarios: Sequence[Scenario]) -> Iterator[str]:
    yield f"### {Cause.UNKNOWN}"
    yield prose("No cause fits what was read. People get the symptoms, and what could not be read.")
    yield bullets(*_answers(Cause.UNKNOWN))
    yield _drilled(Cause.UNKNOWN, figures, scenarios)


def _answers(cause: Cause) -> Iterator[str]:
    """What is done by default, and below it what each action needs."""
    if cause in OTHERS_AT_WORK:
        yield f"By default: wait, and page after {PATIENCE.seconds // 60} minutes."
        return
    ladder = default_ladder(cause)
    yield f"By default: {', then '.join(map(code, ladder)) or 'stand down, and look again'}."
    for name in ladder:
        action, _ = split_rung(name)
        if action is not ActionName.PAGE:
            asks = " It always asks first." if ACTIONS[action].asks else ""
            yield f"{code(name)} needs {ACTIONS[action].preconditions}.{asks}"


def _drilled(cause: Cause, figures: Figures, scenarios: Sequence[Scenario]) -> str:
    ours, nobody = figures.policies[OURS].scenarios, figures.policies[NOBODY].scenarios
    names = [s.name for s in scenarios if s.truth.cause is cause and s.name in ours]
    if not names:
        return "No scenario of the drill has this cause."
    header = ("scenario", "runs", "harmful", "× oracle p50", "p95", "nobody p50", "named first", "paged right")
    return table(header, [(code(name), *_numbers(ours[name], nobody[name].impact_ratio_to_oracle)) for name in names])


def _numbers(ours: Numbers, nobody: Ratio) -> tuple[str, ...]:
    ratio = ours.impact_ratio_to_oracle
    return (
        str(ours.runs),
        str(ours.harmful),
        _times(ratio.median),
        _times(ratio.p95),
        _times(nobody.median),
        _share(ours.cause_first or 0, ours.runs),
        _share(ours.escalated_correctly, ours.runs),
    )


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def _share(part: int, whole: int) -> str:
    """Cut, not rounded: 100 % stands for all of them."""
    return f"{int(1000 * part / whole) / 10:g} %" if whole else ""


def figures_of(file: Path) -> Figures:
    """The figures in a drill's JSON, or in what was kept of one."""
    return Figures.model_validate_json(file.read_text(encoding="utf-8")).kept()


def as_file(figures: Figures) -> str:
    """A line for each scenario, so that a change shows where it is."""
    return figures.model_dump_json(exclude_none=True).replace('},"', '},\n"') + "\n"


def main(arguments: Sequence[str]) -> None:
    """Write the figures, where a drill's JSON is given, and the page."""
    figures = figures_of(Path(arguments[0]) if arguments else FIGURES)
    FIGURES.write_text(as_file(figures), encoding="utf-8")
    PAGE.write_text(page(figures, load_scenarios()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
