"""The life of an incident, as the one table that everything else is made from.

`infra/` compiles it to the Step Functions state machine; every step's visit is counted against it. No second copy of
the order exists anywhere.

Between steps travels only the payload: `incident_id`, `generation`, `step`, `outcome`, `wait_s`, `visits` (a counter by
step), and how far the execution has heard (`signals`) and told (`announced`). Evidence and plans lie in the ledger: a
Step Functions payload ends at 256 KB and an execution at 25,000 events (Step Functions Developer Guide, "Service
quotas").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class StepName(StrEnum):
    ASSESS = "assess"
    APPROVAL = "approval"
    REMEDIATE = "remediate"
    CONTAIN = "contain"
    SETTLE = "settle"
    VERIFY = "verify"
    LISTEN = "listen"
    PAGE = "page"
    UPDATE = "update"
    WATCH = "watch"
    SUCCESSOR = "successor"
    CLOSE = "close"
    INTERIM = "interim"
    """A report while leases are out."""
    REPORT = "report"
    RESTORE = "restore"
    LIFT = "lift"
    END = "end"


class Function(StrEnum):
    """The Lambda functions that carry the workflow's steps; each is a module of `functions/handlers/`."""

    ASSESS = "assess"
    REMEDIATE = "remediate"
    CONTAIN = "contain"
    """Of the optional contain stack; without it the state machine has no step of this function."""
    VERIFY = "verify"
    NOTIFY = "notify"
    CLOSE = "close"
    REPORT = "report"
    RESTORE = "restore"


class Outcome(StrEnum):
    """What a step can say when it is done."""

    ACT = "act"
    ASK = "ask"
    CONTAIN = "contain"
    """Only the function of the contain stack may do what comes next."""
    WAIT = "wait"
    ALL_CLEAR = "all-clear"
    STAND_DOWN = "stand-down"
    ESCALATE = "escalate"
    GRANTED = "granted"
    DENIED = "denied"
    EXPIRED = "expired"
    DONE = "done"
    DIFFERS = "differs"
    NEXT_STAGE = "next-stage"
    FAILED = "failed"
    RECOVERED = "recovered"
    NOT_YET = "not-yet"
    INEFFECTIVE = "ineffective"
    CANNOT_TELL = "cannot-tell"
    GIVE_UP = "give-up"
    PAGED = "paged"
    PROMISED = "promised"
    """People were promised to hear of it now, or nobody has the page."""
    PROMISED_MEANWHILE = "promised-meanwhile"
    """The same, while an action is given its time to show."""
    TOLD = "told"
    LOOK_AGAIN = "look-again"
    CHANGED = "changed"
    RESOLVED = "resolved"
    RETURNED = "returned"
    """A heartbeat came back. Of one nothing is reported."""
    LEASES_LEFT = "leases-left"
    NEW_SIGNAL = "new-signal"
    RESTORED = "restored"
    NOT_DUE = "not-due"
    POSTPONED = "postponed"
    EXHAUSTED = "exhausted"
    """The step's visits are used up; said by the counter, not by the step."""
    SUPERSEDED = "superseded"
    """Another execution carries the incident on: this one ends without a word."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One row of the table.

    `waits`: a wait of the payload's `wait_s` comes first. `function`: which Lambda does it; None for a step that Step
    Functions does alone. `visits`: how often one execution may come by before the outcome is `exhausted`.
    `awaits`: the function only asks, and is given a token for it; the outcome comes from whoever answers with the
    token, or is `expired` after the payload's `wait_s`, and `grace_s` for an answer of the last second. Its visits are
    not counted, those of its neighbours are.
    `spared`: nothing depends on it; when it fails, the execution goes on. One that awaits is then a mere wait, another
    says again what the step before it said. `repeats`: how often a visit that failed is made again. That is for a step
    that changes no service, and reads in the ledger how far it came.
    """

    name: StepName
    function: Function | None
    transitions: Mapping[Outcome, StepName]
    waits: bool = False
    visits: int = 0
    awaits: bool = False
    grace_s: int = 0
    spared: bool = False
    repeats: int = 0


ENTRY = (StepName.ASSESS, StepName.RESTORE)
"""Where an execution may begin: the payload's `step`. Restore is for a lease whose incident is over."""

TABLE: Mapping[StepName, Step] = {
    step.name: step
    for step in (
        Step(
            name=StepName.ASSESS,
            function=Function.ASSESS,
            visits=60,
            transitions={
                Outcome.ACT: StepName.REMEDIATE,
                Outcome.CONTAIN: StepName.CONTAIN,
                Outcome.ASK: StepName.APPROVAL,
                Outcome.WAIT: StepName.SETTLE,
                Outcome.ALL_CLEAR: StepName.CLOSE,
                Outcome.STAND_DOWN: StepName.WATCH,
                Outcome.ESCALATE: StepName.PAGE,
                Outcome.EXHAUSTED: StepName.PAGE,
            },
        ),
        Step(
            name=StepName.APPROVAL,
            function=Function.NOTIFY,
            awaits=True,
            grace_s=15,
            transitions={
                Outcome.GRANTED: StepName.ASSESS,
                Outcome.DENIED: StepName.PAGE,
                Outcome.EXPIRED: StepName.PAGE,
            },
        ),
        Step(
            name=StepName.REMEDIATE,
            function=Function.REMEDIATE,
            waits=True,
            visits=30,
            transitions={
                Outcome.DONE: StepName.SETTLE,
                Outcome.NEXT_STAGE: StepName.REMEDIATE,
                Outcome.DIFFERS: StepName.ASSESS,
                Outcome.LOOK_AGAIN: StepName.ASSESS,
                Outcome.FAILED: StepName.ASSESS,
                Outcome.EXHAUSTED: StepName.PAGE,
            },
        ),
        Step(
            name=StepName.CONTAIN,
            function=Function.CONTAIN,
            waits=True,
            visits=30,
            transitions={
                Outcome.DONE: StepName.SETTLE,
                Outcome.NEXT_STAGE: StepName.CONTAIN,
                Outcome.DIFFERS: StepName.ASSESS,
                Outcome.FAILED: StepName.ASSESS,
                Outcome.EXHAUSTED: StepName.PAGE,
            },
        ),
        Step(name=StepName.SETTLE, function=None, waits=True, transitions={Outcome.DONE: StepName.VERIFY}),
        Step(
            name=StepName.VERIFY,
            function=Function.VERIFY,
            visits=400,
            transitions={
                Outcome.RECOVERED: StepName.CLOSE,
                Outcome.NOT_YET: StepName.LISTEN,
                Outcome.WAIT: StepName.SETTLE,
                Outcome.CANNOT_TELL: StepName.SETTLE,
                Outcome.INEFFECTIVE: StepName.ASSESS,
                Outcome.LOOK_AGAIN: StepName.ASSESS,
                Outcome.PROMISED_MEANWHILE: StepName.UPDATE,
                Outcome.GIVE_UP: StepName.PAGE,
                Outcome.EXHAUSTED: StepName.PAGE,
            },
        ),
        Step(
            name=StepName.LISTEN,
            function=Function.VERIFY,
            awaits=True,
            spared=True,
            transitions={Outcome.NEW_SIGNAL: StepName.VERIFY, Outcome.EXPIRED: StepName.VERIFY},
        ),
        Step(
            name=StepName.PAGE,
            function=Function.NOTIFY,
            visits=60,
            transitions={
                Outcome.PAGED: StepName.WATCH,
                Outcome.TOLD: StepName.END,
                Outcome.EXHAUSTED: StepName.WATCH,
            },
        ),
        Step(
            name=StepName.UPDATE,
            function=Function.NOTIFY,
            visits=200,
            transitions={
                Outcome.PAGED: StepName.WATCH,
                Outcome.NOT_YET: StepName.SETTLE,
                Outcome.EXHAUSTED: StepName.WATCH,
            },
        ),
        Step(
            name=StepName.WATCH,
            function=Function.ASSESS,
            waits=True,
            visits=300,
            transitions={
                Outcome.PROMISED: StepName.UPDATE,
                Outcome.LOOK_AGAIN: StepName.WATCH,
                Outcome.CHANGED: StepName.ASSESS,
                Outcome.ALL_CLEAR: StepName.CLOSE,
                Outcome.EXHAUSTED: StepName.SUCCESSOR,
            },
        ),
        Step(name=StepName.SUCCESSOR, function=None, transitions={Outcome.DONE: StepName.END}),
        Step(
            name=StepName.CLOSE,
            function=Function.CLOSE,
            visits=30,
            # Once the incident is resolved no sweep starts it anew, and people have not been told yet.
            repeats=3,
            transitions={
                Outcome.RESOLVED: StepName.REPORT,
                Outcome.LEASES_LEFT: StepName.INTERIM,
                Outcome.RETURNED: StepName.END,
                Outcome.NEW_SIGNAL: StepName.ASSESS,
                Outcome.EXHAUSTED: StepName.PAGE,
            },
        ),
        Step(
            name=StepName.INTERIM,
            function=Function.REPORT,
            visits=30,
            spared=True,
            transitions={
                Outcome.LEASES_LEFT: StepName.RESTORE,
                # The sweep gives what is left back when it is due.
                Outcome.EXHAUSTED: StepName.END,
            },
        ),
        Step(
            name=StepName.REPORT,
            function=Function.REPORT,
            visits=30,
            spared=True,
            transitions={
                Outcome.RESOLVED: StepName.END,
                Outcome.RESTORED: StepName.END,
                Outcome.EXHAUSTED: StepName.END,
            },
        ),
        Step(
            name=StepName.RESTORE,
            function=Function.RESTORE,
            waits=True,
            visits=200,
            transitions={
                Outcome.RESTORED: StepName.REPORT,
                Outcome.NOT_DUE: StepName.RESTORE,
                Outcome.POSTPONED: StepName.RESTORE,
                Outcome.CONTAIN: StepName.LIFT,
                Outcome.GIVE_UP: StepName.PAGE,
                Outcome.EXHAUSTED: StepName.PAGE,
            },
        ),
        Step(
            name=StepName.LIFT,
            function=Function.CONTAIN,
            visits=200,
            transitions={
                Outcome.DONE: StepName.RESTORE,
                Outcome.POSTPONED: StepName.RESTORE,
                Outcome.GIVE_UP: StepName.PAGE,
                Outcome.EXHAUSTED: StepName.PAGE,
            },
        ),
    )
}
"""Every step that does something also knows `superseded`, which ends the execution from anywhere."""


def next_step(step: StepName, outcome: Outcome) -> StepName:
    """Where an outcome leads.

    Raises:
        KeyError: if the table does not know that outcome for that step, which is a bug.
    """
    return StepName.END if outcome is Outcome.SUPERSEDED else TABLE[step].transitions[outcome]
