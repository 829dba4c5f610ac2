"""Digests: what stands in them, what each line is judged by, and that whatever fails there is one, once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.circumstances import SecretFacts
from functions.domain.dependencies import QueriesFacts
from functions.domain.digests import Digest, Found, Line, Period, Section, Verdict
from functions.domain.errors import LedgerError, ReadFailed
from functions.domain.incidents import FleetSwitch, Mode, Switch
from functions.domain.signals import Signal, SignalKind
from functions.domain.threats import ThreatFacts
from functions.playbooks.schema import Playbook
from functions.ports import DrillRecord, Page
from functions.workflow.digests.checklist import OF_ACCOUNT, OF_SERVICE
from functions.workflow.digests.compose import ACCOUNT, compose
from functions.workflow.digests.letter import LONGEST, WIDTH, as_markdown, as_text, page_of
from functions.workflow.digests.send import SendDigest
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.digests import MORNING, ORDERS, READINGS, SECRET, Estate, estate, playbooks
from tests.fakes.world import FakeNotifier

DAILY, WEEKLY, MONTHLY = Period.DAILY, Period.WEEKLY, Period.MONTHLY


def made(found: Estate, period: Period, *, of: tuple[Playbook, ...] | None = None, deadline_s: float = 60.0) -> Digest:
    return compose(
        playbooks() if of is None else of,
        found.sources(period),
        responder="ecs-first-responder",
        region="eu-west-1",
        deadline_s=deadline_s,
    )


def line(digest: Digest, name: str, *, of: str = "shop/orders") -> Found:
    (section,) = (each for each in digest.sections if each.title == of)
    (found,) = (each.found for each in section.lines if each.name == name)
    return found


FINDING = "arn:aws:guardduty:eu-west-1:123456789012:detector/12abc34d567e8fa901bc2d34e56789f0/finding/1ab2"


def told_of_a_finding(found: Estate, playbook: Playbook) -> None:
    signal = Signal(
        kind=SignalKind.THREAT,
        occurred_at=MORNING,
        region=playbook.region,
        cluster=playbook.cluster,
        service=playbook.service,
        reference=FINDING,
        level="HIGH",
    )
    found.ledger.record_signal(signal, playbook.ref, may_open=True)


def orders(**changed: Any) -> tuple[Playbook, ...]:
    return (Playbook.model_validate({**ORDERS, **changed}),)


class TestTheChecklist:
    @pytest.mark.parametrize(
        ("period", "names"),
        [
            (DAILY, {"URLs", "CPU", "memory", "incidents", "alarms", "noisy alarms", "pauses", "muted alarms"}),
            (DAILY, {"leases", "error lines", "health score", "failed requests", "response time", "dependencies"}),
            (WEEKLY, {"tasks", "incidents", "time to recover", "alarms", "auto scaling", "requests", "spare room"}),
            (WEEKLY, {"database load", "storage", "slow queries", "backups", "secrets", "cost of tasks"}),
            (WEEKLY, {"findings", "denied calls", "image scans"}),
            (MONTHLY, {"peaks", "releases", "requests", "storage", "backups", "secrets"}),
        ],
    )
    def test_every_item_stands_there_by_its_name(self, period: Period, names: set[str]) -> None:
        """What the runbooks go through is found under each service, also where there is nothing of the kind."""
        digest = made(estate(), period)
        for section in digest.sections:
            if section.title != ACCOUNT:
                assert names <= {each.name for each in section.lines}, section.title

    @pytest.mark.parametrize(
        ("period", "names"),
        [
            (DAILY, None),
            (WEEKLY, {"cost by day", "cost by service", "cost of the responder"}),
            (
                MONTHLY,
                {
                    "cost by day",
                    "cost by service",
                    "cost of the responder",
                    "Fargate quota",
                    "drill",
                    "restore test",
                },
            ),
        ],
    )
    def test_the_account_is_gone_through_once(self, period: Period, names: set[str] | None) -> None:
        """One message for the deployment: the bill is read once, however many services there are."""
        found = estate()
        sections = {section.title: section for section in made(found, period).sections}
        told = {each.name for each in sections[ACCOUNT].lines} if ACCOUNT in sections else None
        assert told == names
        assert found.asked.count("bill") == (0 if names is None else 1)

    def test_no_item_is_there_twice(self) -> None:
        """A name is what people and scripts look for."""
        names = [item.name for item in OF_SERVICE] + [item.name for item in OF_ACCOUNT]
        assert len(set(names)) == len(names)


class TestVerdicts:
    def test_urls_answered_over_the_day(self) -> None:
        """Minutes that failed are counted for each URL; its query is nobody's business."""
        found = line(made(estate(), DAILY), "URLs")
        assert found.verdict is Verdict.LOOK
        assert "front-page failed in 13 of 1440 minutes" in found.text
        assert "pool-health answered in 1440 of 1440" in found.details[1]
        assert "utm" not in " ".join(found.details)

    def test_a_url_that_nobody_asked_is_unknown(self) -> None:
        """Without data points nothing failed, and nothing answered either."""
        quiet = estate()
        del quiet.measures[("front-page", "Failed", "SampleCount")]
        del quiet.measures[("front-page", "Failed", "Sum")]
        found = line(made(quiet, DAILY), "URLs")
        assert found.verdict is Verdict.UNKNOWN
        assert "front-page was never asked" in found.text

    def test_cpu_against_the_playbooks_target(self) -> None:
        """The fullest hour counts; the target is the playbook's own."""
        found = line(made(estate(), DAILY), "CPU")
        assert (found.verdict, "83 % at most" in found.text, "the target is 70 %" in found.text) == (
            Verdict.LOOK,
            True,
            True,
        )
        lenient = made(estate(), DAILY, of=orders(targets={"cpu_percent": 90}))
        assert line(lenient, "CPU").verdict is Verdict.OK

    @pytest.mark.parametrize("name", ["CPU", "memory"])
    def test_what_nobody_measured_is_unknown(self, name: str) -> None:
        """No data is never a calm day."""
        empty = estate()
        empty.measures = {}
        assert line(made(empty, DAILY), name) == Found(
            verdict=Verdict.UNKNOWN, text="nothing was measured in this time"
        )

    def test_a_short_outage_shows_in_the_worst_hour(self) -> None:
        """Two thousand failures vanish in the requests of a day, and not in those of their hour."""
        found = line(made(estate(), DAILY), "failed requests")
        assert found.verdict is Verdict.LOOK
        assert "0.20 % of 1,104,000" in found.text

    def test_incidents_of_the_night(self) -> None:
        """Opened, resolved and open ones, with how long they took; one that is open wants somebody."""
        found = line(made(estate(), DAILY), "incidents")
        assert found.verdict is Verdict.LOOK
        assert found.text.startswith("2 opened, 1 resolved, 1 open now: inc-")
        assert any("ended after 6 min 11 s" in detail for detail in found.details)
        assert line(made(estate(), WEEKLY), "time to recover").text.startswith("6 min 11 s in the middle")

    def test_an_old_incident_that_is_still_open_is_told(self) -> None:
        """However long ago it was opened."""
        old = estate()
        old.clock.advance(seconds=40 * 86_400)
        assert "1 open now" in line(made(old, DAILY), "incidents").text

    def test_alarms_in_alarm_and_noisy_ones(self) -> None:
        """Which are in ALARM now, and how often each went off."""
        digest = made(estate(), DAILY)
        assert line(digest, "alarms").text == "1 of 5 in ALARM: orders-legacy-5xx"
        noisy = line(digest, "noisy alarms")
        assert (noisy.verdict, noisy.text) == (
            Verdict.LOOK,
            "went off 11 times in all: orders-legacy-5xx 11; noisy from 3 on",
        )

    def test_what_is_held_back(self) -> None:
        """A pause, a muted alarm and an overdue lease are each a line that says how it ends."""
        held = estate()
        held.muted = {"orders-legacy-5xx"}
        digest = made(held, DAILY)
        pause = line(digest, "pauses", of="shop/stock")
        assert pause.text == "paused until Mon 03-02 15:00 by jane: moving to the new database"
        assert pause.details[-1] == "ends with: responder resume eu-west-1/shop/stock"
        assert line(digest, "muted alarms").details == (
            "ends with: responder unmute orders-legacy-5xx --region eu-west-1",
        )
        assert line(digest, "leases").text == "1 out, 1 overdue: the floor"
        assert line(digest, "leases", of="shop/stock").verdict is Verdict.OK

    def test_a_stop_of_everything_is_told_of_each_service(self) -> None:
        """It comes before a pause: without it the pause would say when something is done again."""
        stopped = estate()
        stopped.ledger.set_fleet_switch(FleetSwitch(stopped=True, by="jane", reason="a hunch"))
        found = line(made(stopped, DAILY), "pauses", of="shop/stock")
        assert (found.verdict, found.text) == (Verdict.LOOK, "everything is stopped by jane: a hunch")
        assert found.details[-1] == "ends with: responder start --all"

    def test_another_mode_than_the_playbooks_is_told(self) -> None:
        """Whoever switched by hand may have forgotten it."""
        switched = estate()
        stock = playbooks()[1]
        switched.ledger.set_switch(stock.ref, Switch(mode=Mode.AUTO))
        found = line(made(switched, DAILY), "pauses", of="shop/stock")
        assert found.text == "set to auto by hand, the playbook says observe"

    def test_error_lines_are_patterns_without_secrets(self) -> None:
        """The most frequent ones, redacted, of the last day."""
        found = line(made(estate(), DAILY), "error lines")
        assert found.details[0] == "212 x ERROR payment gateway timed out after * ms"
        assert "jane.roe" not in str(found)
        assert "4711abc" not in str(found)

    def test_a_query_of_the_logs_that_was_stopped_is_never_fine(self) -> None:
        """Few lines in a part of the log say nothing of the rest."""
        stopped = estate()
        stopped.quiet.shown_lines = ("ERROR one",)
        stopped.quiet.shown_logs = {"partial": True}
        assert line(made(stopped, DAILY), "error lines").verdict is Verdict.UNKNOWN

    def test_a_bill_that_rises_is_worth_a_look(self) -> None:
        """The last whole day against the usual one; what asking cost is said."""
        found = line(made(estate(), WEEKLY), "cost by day", of=ACCOUNT)
        assert found.verdict is Verdict.LOOK
        assert "1.5 times the usual" in found.text
        assert "asking cost 0.01 USD" in found.details[-1]
        calm = estate()
        calm.bill = (30.0,) * 7
        assert line(made(calm, WEEKLY), "cost by day", of=ACCOUNT).verdict is Verdict.OK
        by_service = line(made(calm, WEEKLY), "cost by service", of=ACCOUNT)
        assert by_service.details[0] == "115.50 Amazon Elastic Container Service"

    def test_what_the_responder_costs_is_in_the_bill(self) -> None:
        """As far as it has the tag; without one it is unknown, which is not nothing, and what to do is said."""
        found = line(made(estate(), WEEKLY), "cost of the responder", of=ACCOUNT)
        assert found.verdict is Verdict.UNKNOWN
        assert "TagKey=ecs-first-responder,Status=Active" in found.text
        tagged = estate()
        tagged.own_a_day = 0.2
        found = line(made(tagged, WEEKLY), "cost of the responder", of=ACCOUNT)
        assert found.verdict is Verdict.OK
        assert found.text == "1.40 USD in 7 days, which makes 6.08 a month"

    def test_tasks_cost_what_their_list_price_says(self) -> None:
        """Beside the budget of the playbook, because no bill names a service of ECS."""
        found = line(made(estate(), WEEKLY), "cost of tasks")
        assert found.verdict is Verdict.LOOK
        assert found.text.endswith("the budget is 4")

    def test_how_well_the_autoscaler_does(self) -> None:
        """What the ceiling stopped, and for how long the service was at it."""
        found = line(made(estate(), WEEKLY), "auto scaling")
        assert found.verdict is Verdict.LOOK
        assert found.text == "4 times scaled, 0 failed, 1 stopped by the ceiling of 8; 35 hours at it"

    def test_storage_that_fills_up_and_load(self) -> None:
        """How long the free storage lasts at the pace of this time."""
        digest = made(estate(), WEEKLY)
        assert line(digest, "storage").text == "1 of 1 full within 60 days: orders-db in 36 days"
        assert line(digest, "database load").verdict is Verdict.OK
        strict = made(estate(), WEEKLY, of=orders(targets={"database_cpu_percent": 50}))
        assert line(strict, "database load").text.endswith("above 50 % of CPU for an hour: orders-db")

    def test_slow_queries_by_performance_insights(self) -> None:
        """What keeps a whole session busy on average."""
        found = line(made(estate(), WEEKLY), "slow queries")
        assert (found.verdict, found.text) == (Verdict.LOOK, "1 statement that keeps 1 session or more busy")

    def test_slow_queries_without_it(self) -> None:
        """Then by what the playbook asks of the logs; without that, nobody knows."""
        without = estate()
        without.insights = QueriesFacts(insights=False)
        without.quiet.shown_logs = {"queries": [{"name": "slow", "count": 12}]}
        found = line(made(without, WEEKLY), "slow queries")
        assert found.details == ("orders-db: Performance Insights is not on", "slow: 12 lines")
        assert line(made(without, WEEKLY, of=orders(log_queries=[])), "slow queries").verdict is Verdict.UNKNOWN

    def test_a_backup_that_is_too_old_comes_with_the_command(self) -> None:
        """The newest usable one of each table and DB instance counts."""
        found = line(made(estate(), WEEKLY), "backups")
        assert found.text == "1 of 2 without one of the last 7 days: carts 19 days old"
        assert found.details[-1] == "take them with: responder backup shop/orders --region eu-west-1 --reason weekly"

    def test_a_backup_that_is_not_usable_is_none(self) -> None:
        """One that is being made, or failed, saves nobody."""
        failed = estate()
        failed.backups = tuple(backup.model_copy(update={"status": "failed"}) for backup in failed.backups)
        assert line(made(failed, WEEKLY), "backups").text.endswith("carts has none, orders-db has none")

    def test_secrets_older_than_ninety_days(self) -> None:
        """By the time of their last change; one that could not be read is unknown, and one that is gone is told."""
        assert line(made(estate(), WEEKLY), "secrets").text == "1 of 1 older than 90 days: shop/orders-db-AbCdEf"
        fresh = estate()
        fresh.quiet.shown_secrets = {SECRET: SecretFacts(name=SECRET, changed_at=MORNING - timedelta(days=89))}
        assert line(made(fresh, WEEKLY), "secrets").verdict is Verdict.OK
        fresh.quiet.shown_secrets = {SECRET: SecretFacts(name=SECRET, exists=None)}
        assert line(made(fresh, WEEKLY), "secrets").verdict is Verdict.UNKNOWN
        fresh.quiet.shown_secrets = {SECRET: SecretFacts(name=SECRET, exists=False)}
        assert line(made(fresh, WEEKLY), "secrets").verdict is Verdict.LOOK

    def test_a_service_that_nobody_uses(self) -> None:
        """Healthy targets and not one request in a week; where nothing was measured, nobody knows."""
        found = line(made(estate(), WEEKLY), "requests", of="shop/stock")
        assert (found.verdict, found.text) == (Verdict.LOOK, "none in 7 days, and 2 tasks are paid for")
        blind = estate()
        del blind.measures[("stock", "HealthyHostCount", "Maximum")]
        assert line(made(blind, WEEKLY), "requests", of="shop/stock").verdict is Verdict.UNKNOWN
        assert line(made(estate(), WEEKLY), "requests", of="back-office/export").verdict is Verdict.NONE

    def test_a_floor_that_was_never_needed(self) -> None:
        """Idle tasks at the floor for a whole week."""
        found = line(made(estate(), WEEKLY), "spare room", of="shop/stock")
        assert (found.verdict, found.text.endswith("a lower floor would do")) == (Verdict.LOOK, True)

    def test_findings_that_nobody_archived(self) -> None:
        """What incidents were told of is read back; without GuardDuty, no finding says nothing."""
        found = estate()
        told_of_a_finding(found, playbooks()[0])
        found.quiet.shown_threats = (
            ThreatFacts(arn=FINDING, type="Runtime:ECS/Reverse", severity=8, title="a shell", resource="task"),
        )
        assert line(made(found, WEEKLY), "findings").text == "1 told of this service, 1 not archived"
        off = estate()
        off.detected = ()
        assert line(made(off, WEEKLY), "findings").verdict is Verdict.UNKNOWN
        assert line(made(estate(), WEEKLY), "findings").verdict is Verdict.OK

    def test_peaks_against_ceilings_and_the_quota(self) -> None:
        """The lower of what playbook and autoscaler allow; and what all playbooks together may want of the account."""
        assert line(made(estate(), MONTHLY), "peaks").text.startswith("8 tasks of 8 at most")
        small = estate()
        small.vcpus = 24.0
        found = line(made(small, MONTHLY), "Fargate quota", of=ACCOUNT)
        assert (found.verdict, found.text) == (Verdict.LOOK, "34 of 24 vCPUs at most")
        assert found.details == ("all playbooks at their max_tasks would need 32",)

    def test_releases_that_drifted(self) -> None:
        """A release that was quarantined in this time may still stand in the code."""
        found = line(made(estate(), MONTHLY), "releases")
        assert found.verdict is Verdict.LOOK
        assert found.text.endswith("3 new releases: orders:40 was quarantined")
        assert line(made(estate(), MONTHLY), "releases", of="shop/stock").verdict is Verdict.UNKNOWN

    @pytest.mark.parametrize(
        ("body", "age", "verdict"),
        [
            ('{"policies": {"responder": {"runs": 500, "recovered": 470, "harmful": 0}}}', 3, Verdict.OK),
            ('{"policies": {"responder": {"runs": 500, "recovered": 470, "harmful": 1}}}', 3, Verdict.LOOK),
            ('{"policies": {"responder": {"runs": 500, "recovered": 470, "harmful": 0}}}', 60, Verdict.LOOK),
            ("not json", 3, Verdict.UNKNOWN),
            ("[]", 3, Verdict.UNKNOWN),
        ],
    )
    def test_the_last_drill(self, body: str, age: int, verdict: Verdict) -> None:
        """What the pipeline kept of it, if it is a month old at most and did no harm."""
        drilled = estate()
        drilled.drill = DrillRecord(kept_at=MORNING - timedelta(days=age), body=body)
        assert line(made(drilled, MONTHLY), "drill", of=ACCOUNT).verdict is verdict

    def test_what_only_people_know_is_unknown(self) -> None:
        """No drill in the archive, and a restore test that no call to AWS shows."""
        digest = made(estate(), MONTHLY)
        assert line(digest, "drill", of=ACCOUNT).text.startswith("no drill recorded")
        assert line(digest, "restore test", of=ACCOUNT).text.startswith("only a person knows")

    def test_the_health_score_names_what_costs_points(self) -> None:
        """And what of it could not be read."""
        blind = estate()
        blind.unreadable = {"series", "targets"}
        found = line(made(blind, DAILY), "health score")
        assert found.verdict is Verdict.UNKNOWN
        assert "could not be read" in found.text
        assert line(made(estate(), DAILY), "health score").text == "100 of 100 now"


class TestWhateverFails:
    @pytest.mark.thorough
    @settings(max_examples=60)
    @given(
        unreadable=st.sets(st.sampled_from(READINGS)),
        period=st.sampled_from(Period),
    )
    def test_there_is_a_digest_that_says_what_is_unknown(self, unreadable: set[str], period: Period) -> None:
        """Every item is there by its name, no reading that failed is ever fine, and the mail names each of them."""
        whole, broken = estate(), estate()
        broken.unreadable = unreadable
        digest, before = made(broken, period), made(whole, period)
        assert [(s.title, [each.name for each in s.lines]) for s in digest.sections] == [
            (s.title, [each.name for each in s.lines]) for s in before.sections
        ]
        text = as_text(digest)
        for section, fine in zip(digest.sections, before.sections, strict=True):
            for now, then in zip(section.lines, fine.lines, strict=True):
                if now.found.verdict is Verdict.OK:
                    assert then.found.verdict is Verdict.OK, (section.title, now.name)
                    assert "throttled" not in now.found.text
                if now.found.verdict is Verdict.UNKNOWN:
                    assert now.name in text.partition("UNKNOWN (")[2]

    @pytest.mark.parametrize("reading", READINGS)
    def test_each_reading_that_fails_is_told(self, reading: str) -> None:
        """None of them is quietly left out: some line of some digest names it."""
        told = []
        for period in Period:
            broken = estate()
            if reading == "threats":
                told_of_a_finding(broken, playbooks()[1])
            broken.unreadable = {reading}
            told.append(as_text(made(broken, period)))
        assert any(f"{reading} is throttled" in " ".join(text.split()) for text in told)

    def test_a_mistake_of_ours_costs_one_line(self) -> None:
        """Its name is told, what it says is not, and the others stand."""
        broken = estate()
        broken.backups = (object(),)  # type: ignore[assignment]
        digest = made(broken, WEEKLY)
        assert line(digest, "backups").text == "AttributeError, a mistake of ours"
        assert line(digest, "CPU").verdict is Verdict.LOOK

    def test_a_ledger_that_cannot_be_read_costs_its_lines(self) -> None:
        """Incidents, pauses, leases and releases are unknown then; what AWS measured stands."""
        broken = estate()
        broken.ledger = _Down(clock=broken.clock)
        digest = made(broken, DAILY)
        for name in ("incidents", "pauses", "leases"):
            assert line(digest, name).text == "the table cannot be reached", name
        assert (line(digest, "CPU").verdict, line(digest, "tasks").verdict) == (Verdict.LOOK, Verdict.OK)
        assert line(digest, "health score").text == "100 of 100 now"

    def test_what_is_late_is_unknown(self) -> None:
        """The digest goes out without it."""
        digest = made(_Slow(), WEEKLY, deadline_s=0.2)
        assert line(digest, "backups").text == "no answer within 0.2 s"


class _Down(MemoryLedger):
    """A table that nobody can read."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("switch", "service_leases", "open_incidents", "incidents_between", "releases", "inbox"):
            raise LedgerError("the table cannot be reached")
        return super().__getattribute__(name)


class _Slow(Estate):
    def known(self, backups: object) -> Any:
        import time

        time.sleep(1)
        return ()


@dataclass
class Failing:
    """A topic that takes nothing for so many times."""

    times: int
    pages: list[Page] = field(default_factory=list)

    def publish(self, page: Page) -> str:
        if self.times > 0:
            self.times -= 1
            raise ReadFailed("the topic is throttled")
        self.pages.append(page)
        return "message-1"


class _Full(FakeArchive):
    def keep(self, key: str, body: str, *, content_type: str) -> str:
        raise ReadFailed("the bucket is gone")


def sending(found: Estate, **parts: Any) -> SendDigest:
    sources = found.sources(DAILY)
    given: Mapping[str, Any] = {"archive": FakeArchive(), "notifier": FakeNotifier(), **parts}
    return SendDigest(
        ledger=found.ledger,
        readers=sources.readers,
        more=sources.more,
        clock=found.clock,
        playbooks=playbooks(),
        responder="ecs-first-responder",
        region="eu-west-1",
        **given,
    )


class TestSending:
    def test_one_message_for_all_services_and_a_copy(self) -> None:
        """The subject has the counts, the archive the same as Markdown."""
        notifier, archive = FakeNotifier(), FakeArchive()
        sent = sending(estate(), notifier=notifier, archive=archive)(DAILY)
        (page,) = notifier.pages
        assert page.subject == f"[digest daily] 3 services: {sent.look} to look at, {sent.unknown} unknown"
        assert page.attributes == {"kind": "digest", "period": "daily"}
        assert sent.kept == "s3://archive/digests/daily/2026-03-02.md"
        assert archive.documents[sent.kept].startswith("# Digest of the last day: 3 services in eu-west-1")

    def test_a_retry_sends_nothing(self) -> None:
        """Once for each day; the next day is another one, and so is another period."""
        found, notifier = estate(), FakeNotifier()
        send = sending(found, notifier=notifier)
        assert [send(DAILY).sent, send(DAILY).sent, send(WEEKLY).sent] == [True, False, True]
        found.clock.advance(seconds=86_400)
        assert send(DAILY).digest == "daily/2026-03-03"
        assert len(notifier.pages) == 3

    def test_what_the_topic_does_not_take_may_be_tried_again(self) -> None:
        """The claim is given back, and whoever calls is told."""
        notifier = Failing(times=1)
        send = sending(estate(), notifier=notifier)
        with pytest.raises(ReadFailed):
            send(DAILY)
        assert send(DAILY).sent
        assert len(notifier.pages) == 1

    def test_an_archive_that_is_gone_keeps_nobody_from_the_mail(self) -> None:
        """The copy is for later."""
        notifier = FakeNotifier()
        sent = sending(estate(), notifier=notifier, archive=_Full())(DAILY)
        assert (sent.sent, sent.kept, len(notifier.pages)) == (True, None, 1)


class TestTheMail:
    @pytest.mark.parametrize("period", Period)
    def test_no_line_is_too_long(self, period: Period) -> None:
        """Mail programs break lines of eighty columns; a command of its own may be longer only as one word."""
        for written in as_text(made(estate(), period)).splitlines():
            assert len(written) <= WIDTH

    def test_what_needs_somebody_is_at_the_top(self) -> None:
        """Before any line that is fine."""
        text = as_text(made(estate(), DAILY))
        assert text.index("LOOK AT") < text.index("UNKNOWN (") < text.index("\nok ")

    def test_the_page_shows_one_as_it_is(self) -> None:
        """What operations.md quotes is how such a mail begins."""
        page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
        quoted = page.partition("## Digests")[2].partition("```text\n")[2].partition("```")[0]
        assert as_text(made(estate(), DAILY)).startswith(quoted)

    def test_a_calm_day_says_so(self) -> None:
        """Nobody has to read on."""
        section = Section(title="shop/orders", lines=(Line(name="CPU", found=Found(verdict=Verdict.OK, text="3 %")),))
        digest = replace_sections(made(estate(), DAILY), section)
        assert "Nothing needs anybody." in as_text(digest)

    def test_text_from_outside_is_data(self) -> None:
        """Redacted and on one line in the mail; nothing of it is markup in Markdown."""
        hostile = "password=hunter2 <script>\x1b[31m | [x](javascript:a) `b`\nlook     fake"
        found = Found(verdict=Verdict.LOOK, text=hostile, details=(hostile,))
        digest = replace_sections(
            made(estate(), DAILY), Section(title="shop/orders", lines=(Line(name="x", found=found),))
        )
        for text in (as_text(digest), as_markdown(digest)):
            assert "hunter2" not in text
            assert "\x1b" not in text
            assert "\nlook     fake" not in text
        assert r"\<script\>" in as_markdown(digest)
        assert r"\[x\](javascript" in as_markdown(digest)

    def test_a_mail_that_sns_would_not_take_is_cut(self) -> None:
        """What needs somebody is at its beginning."""
        lines = tuple(
            Line(name=f"line {n}", found=Found(verdict=Verdict.OK, text="many words " * 30)) for n in range(1000)
        )
        page = page_of(replace_sections(made(estate(), DAILY), Section(title="shop/orders", lines=lines)))
        assert len(page.text.encode()) < LONGEST + 200
        assert "the archive has all of it" in page.text


def replace_sections(digest: Digest, *sections: Section) -> Digest:
    return digest.model_copy(update={"sections": sections})


def test_a_period_has_one_key() -> None:
    """By the day, the ISO week and the month, also where the year ends within a week."""
    at = FakeClock(MORNING).now().replace(year=2027, month=1, day=1)
    assert [period.key(at) for period in Period] == ["2027-01-01", "2026-W53", "2027-01"]
