"""Trials of a service over HTTP: who orders one is held to the rules here, and who carries it out once more."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from functions.diagnostics.synthetic import finding
from functions.domain.errors import NotNamed, ReadFailed, Refused
from functions.domain.findings import Findings
from functions.domain.model import Model
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.domain.synthetic import SyntheticCheck
from functions.domain.trials import (
    REQUEST_TIMEOUT_S,
    CheckSaid,
    Load,
    Run,
    RunState,
    is_run_id,
    measured,
    run_id,
)
from functions.domain.watched import WatchedUrl
from functions.playbooks.named import origin, origins, the_one
from functions.playbooks.schema import Playbook
from functions.ports import CheckCaller, Clock, HttpReader, Inspector, Ledger, LoadMaker, Runs, Trier

PATH = "/api/v1/deployment-validation/runs"
CHECKS_DEADLINE_S = 15.0
WRITTEN_DOWN = timedelta(seconds=REQUEST_TIMEOUT_S + 5)
"""How long after its time a trial under load has at most until it is written down what it found."""


class ChecksAnswer(Model):
    """What the checks of the playbook found just now."""

    service: str
    passed: bool
    """Each was made, and none failed. Without any check nothing has passed."""
    checks: tuple[CheckSaid, ...]
    reason: str


class RunAnswer(Model):
    """A trial under load, and where its result will be."""

    run_id: str
    status_url: str
    run: Run


@dataclass(frozen=True, kw_only=True)
class Try:
    """For the function that is asked."""

    trier: Trier
    inspector: Inspector
    runs: Runs
    ledger: Ledger
    clock: Clock
    playbooks: Sequence[Playbook]

    def checks(self, service: str, *, whole: bool) -> ChecksAnswer:
        playbook = the_one(self.playbooks, service)
        made = self.trier.checks(playbook.ref, whole=whole)
        if any(each.alarm is not None for each in made):
            findings = self.inspector.inspect(playbook.ref, ("alarms",))
            made = [each if each.alarm is None else by_alarm(each, findings) for each in made]
        return checks_answer(playbook, made)

    def load(self, *, service: str | None, url: str, concurrent: int, seconds: int, by: str) -> RunAnswer:
        """Let a trial under load begin.

        Raises:
            Refused: the URL's host is in no playbook, an incident is open, or another trial has just begun.
            ReadFailed: nobody knows whether it begins.
        """
        playbook = self._asked(service, url)
        holder = self.ledger.lock_holder(playbook.ref)
        if holder is not None:
            raise Refused(f"incident {holder} is open, and load would make it worse", rule="no-load-in-an-incident")
        now = self.clock.now()
        before = self.runs.run(run_id(playbook.ref, now, slots_ago=1))
        if before is not None and before.state is RunState.RUNNING and now < _over(before.load):
            raise Refused(f"trial {before.load.id} is still running", rule="one-trial-at-a-time")
        load = Load(
            id=run_id(playbook.ref, now),
            service=playbook.ref,
            url=url,
            concurrent=concurrent,
            seconds=seconds,
            by=by,
            asked_at=now,
        )
        run = Run(load=load, state=RunState.RUNNING)
        if not self.runs.announce(run):
            raise Refused(f"trial {load.id} has just begun; wait two minutes", rule="one-trial-at-a-time")
        try:
            self.trier.begin(load)
        except ReadFailed as error:
            self.runs.close(Run(load=load, state=RunState.FAILED, ended_at=now, why=str(error)))
            raise
        return run_answer(run)

    def run(self, written: str) -> RunAnswer:
        """Raises NotNamed."""
        run = self.runs.run(written) if is_run_id(written) else None
        if run is None:
            raise NotNamed("there is no such run, or it cannot be read")
        if run.state is RunState.RUNNING and self.clock.now() > _over(run.load):
            run = run.model_copy(update={"state": RunState.FAILED, "why": "nobody wrote down what it found"})
        return run_answer(run)

    def _asked(self, service: str | None, url: str) -> Playbook:
        """The playbook in which the URL's host stands."""
        try:
            host = origin(url)
        except ValueError as error:
            raise Refused(str(error), rule="hosts-of-the-playbook") from error
        said = self.playbooks if service is None else (the_one(self.playbooks, service),)
        fitting = [playbook for playbook in said if host in origins(playbook)]
        if not fitting:
            known = sorted({each for playbook in said for each in origins(playbook)})
            names = ", ".join(known) or "none; write an alarm of the kind check"
            raise Refused(f"{host} stands in no playbook; hosts of checks are {names}", rule="hosts-of-the-playbook")
        return fitting[0]


def _over(load: Load) -> datetime:
    return load.asked_at + timedelta(seconds=load.seconds) + WRITTEN_DOWN


def by_alarm(check: CheckSaid, findings: Findings) -> CheckSaid:
    """A check that needs a secret, by the alarm on what the function of the checks finds every minute."""
    facts = findings.alarms.value
    found = None if facts is None else next((alarm for alarm in facts.alarms if alarm.name == check.alarm), None)
    if found is None or found.state is AlarmState.INSUFFICIENT_DATA:
        said = "could not be read" if found is None else "has no data"
        return check.model_copy(update={"finding": f"it needs a secret, and its alarm {said}"})
    passed = found.state is AlarmState.OK
    finding = "" if passed else f"its alarm is in ALARM: {found.reason}"
    return check.model_copy(update={"passed": passed, "finding": finding})


def run_answer(run: Run) -> RunAnswer:
    return RunAnswer(run_id=run.load.id, status_url=f"{PATH}/{run.load.id}", run=run)


def checks_answer(playbook: Playbook, checks: Sequence[CheckSaid]) -> ChecksAnswer:
    failed = [each.check for each in checks if each.passed is False]
    unmade = [each.check for each in checks if each.passed is None]
    if not checks:
        reason = "the playbook has no check of a URL; write an alarm of the kind check, or http below checks"
    elif failed or unmade:
        said = [f"{name} failed" for name in failed] + [f"{name} could not be made" for name in unmade]
        reason = ", ".join(said)
    else:
        reason = "every check is fine"
    passed = bool(checks) and not failed and not unmade
    return ChecksAnswer(service=playbook.ref.key, passed=passed, checks=tuple(checks), reason=reason)


@dataclass(frozen=True, kw_only=True)
class MakeTrial:
    """For the function that has the network, and no rights but to write down what a trial under load found."""

    caller: CheckCaller
    http: HttpReader
    loader: LoadMaker
    runs: Runs
    clock: Clock
    playbooks: Sequence[Playbook]
    threads: Callable[[int], Executor]
    deadline_s: float = CHECKS_DEADLINE_S

    def checks(self, ref: ServiceRef, *, whole: bool) -> tuple[CheckSaid, ...]:
        """Every check of the playbook, side by side: only whether it is answered, or with `whole` all it demands."""
        playbook = the_one(self.playbooks, f"{ref.cluster}/{ref.service}")
        urls = [each for each in playbook.checks if isinstance(each, WatchedUrl)]
        made: list[tuple[CheckSaid, Callable[[], CheckSaid]]] = [
            (_unmade(each), partial(self._synthetic, each, alarm=playbook.alarm_name(each), whole=whole))
            for each in playbook.synthetic_checks
        ]
        made += [(_unmade(each), partial(self._watched, each)) for each in urls]
        pool = self.threads(max(1, len(made)))
        try:
            running: list[tuple[CheckSaid, Future[CheckSaid]]] = [(late, pool.submit(make)) for late, make in made]
            wait([future for _, future in running], timeout=self.deadline_s)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return tuple(_said(late, future, self.deadline_s) for late, future in running)

    def load(self, load: Load) -> Run:
        """Make the requests, if the host is one of the service's, and write down what came of it."""
        playbook = the_one(self.playbooks, f"{load.service.cluster}/{load.service.service}")
        if origin(load.url) not in origins(playbook):
            run = Run(load=load, state=RunState.FAILED, ended_at=self.clock.now(), why="its host is in no check")
        else:
            samples = self.loader.make(load)
            run = Run(load=load, state=RunState.DONE, measured=measured(samples), ended_at=self.clock.now())
        self.runs.close(run)
        return run

    def _synthetic(self, check: SyntheticCheck, *, alarm: str, whole: bool) -> CheckSaid:
        asked = check if whole else check.model_copy(update={"reads": None})
        if check.header is not None:
            why = "its header is a secret that only the function of the checks may read"
            return CheckSaid(check=check.check, demands=asked.demands, passed=None, finding=why, alarm=alarm)
        found = finding(asked, self.caller.ask(asked, headers={}))
        return CheckSaid(check=check.check, demands=asked.demands, passed=not found, finding=found)

    def _watched(self, each: WatchedUrl) -> CheckSaid:
        answer = self.http.answer(each.http.url, timeout_s=each.http.timeout)
        passed = answer.status == each.http.status
        found = "" if passed else answer.error or f"answered {answer.status} instead of {each.http.status}"
        return _unmade(each).model_copy(update={"passed": passed, "finding": found})


def _unmade(check: SyntheticCheck | WatchedUrl) -> CheckSaid:
    if isinstance(check, WatchedUrl):
        demands = f"{origin(check.http.url)} has to answer {check.http.status} within {check.http.timeout} s"
        return CheckSaid(check=check.name, demands=demands, passed=None)
    return CheckSaid(check=check.check, demands=check.demands, passed=None)


def _said(late: CheckSaid, future: Future[CheckSaid], deadline_s: float) -> CheckSaid:
    if not future.done() or future.cancelled():
        return late.model_copy(update={"finding": f"no end within {deadline_s:g} s"})
    try:
        return future.result()
    except ReadFailed as error:
        return late.model_copy(update={"finding": str(error)})
