"""Reading raw messages: which become signals, which are ignored, and which are refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import SignalRefused
from functions.domain.signals import AlarmState, Signal, SignalKind
from functions.handlers.signals import Ignored, Outcome, read_message
from functions.handlers.signals.envelopes import MOST_MESSAGES
from tools.chaos import samples


def only(outcomes: list[Outcome]) -> Outcome:
    assert len(outcomes) == 1
    return outcomes[0]


def signal(message: Any) -> Signal:
    outcome = only(read_message(message))
    assert isinstance(outcome, Signal), outcome
    return outcome


def refusal(message: Any) -> str:
    outcome = only(read_message(message))
    assert isinstance(outcome, SignalRefused), outcome
    return str(outcome)


def ignored(message: Any) -> str:
    outcome = only(read_message(message))
    assert isinstance(outcome, Ignored), outcome
    return outcome.reason


class TestAlarms:
    @pytest.mark.parametrize(
        "message",
        [
            samples.alarm_event(),
            samples.lambda_action(),
            samples.sns_message(),
            samples.envelope(samples.sns_message()),
            samples.sns_to_lambda(samples.sns_message()),
            samples.sqs_to_lambda(samples.sns_message()),
            samples.sqs_to_lambda(samples.envelope(samples.sns_message())),
            samples.envelope(samples.alarm_event()),
            {"Type": "Notification", "Message": json.dumps(samples.sns_message())},
            {"Records": [{"receiptHandle": "x", "body": json.dumps(samples.sns_message())}]},
        ],
        ids=[
            "eventbridge",
            "lambda",
            "sns",
            "envelope",
            "sns-lambda",
            "sqs-raw",
            "sqs-enveloped",
            "event-in-sns",
            "bare envelope",
            "bare record",
        ],
    )
    def test_every_channel_tells_the_same(self, message: samples.JsonObject) -> None:
        """The same state change is the same signal, with the same key, whichever channel brings it."""
        found = signal(message)

        assert found == signal(samples.alarm_event())
        assert found.dedupe_key == signal(samples.sns_message()).dedupe_key
        assert (found.kind, found.alarm, found.state) == (SignalKind.ALARM, "orders-cpu", AlarmState.ALARM)
        assert found.previous_state is AlarmState.OK
        assert (found.account, found.region) == (samples.ACCOUNT, samples.REGION)
        assert (found.cluster, found.service) == ("shop", "orders")
        assert found.occurred_at == datetime(2026, 3, 1, 3, 12, 4, 517_000, tzinfo=UTC)
        assert found.metrics[0].dimensions == {"ClusterName": "shop", "ServiceName": "orders"}
        assert found.opens_incident

    @pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
    def test_calm_states_open_nothing(self, state: str) -> None:
        """OK and INSUFFICIENT_DATA are signals too, never reasons to act."""
        found = signal(samples.alarm_event(samples.alarm_detail(state=state)))

        assert found.state == state
        assert not found.opens_incident

    def test_region_comes_from_the_arn(self) -> None:
        """SNS names the Region for people; the alarm's ARN has the code, and without it the Region is unknown."""
        message = samples.sns_message()
        assert signal(message).region == samples.REGION

        del message["AlarmArn"]
        assert signal(message).region is None

    def test_region_code_in_an_sns_message_is_taken(self) -> None:
        """A sender that writes the Region's code where CloudWatch writes its name is understood."""
        message = samples.sns_message() | {"Region": "us-west-2"}
        del message["AlarmArn"]

        assert signal(message).region == "us-west-2"

    def test_secrets_do_not_get_in(self) -> None:
        """Credentials in an alarm's reason or dimensions are redacted before anything else sees them."""
        detail = samples.alarm_detail()
        detail["state"]["reason"] = "cannot reach postgres://app:hunter2@db.example.com/prod"
        detail["configuration"]["metrics"][0]["metricStat"]["metric"]["dimensions"]["Url"] = "https://me:hunter2@x.io"

        assert "hunter2" not in signal(samples.alarm_event(detail)).model_dump_json()

    def test_an_action_after_a_mute_window_is_the_old_change(self) -> None:
        """A replayed notification has the key of the state change it tells about."""
        late = samples.sns_message() | {"ActionExecutedAfterMuteWindow": True}

        assert signal(late).dedupe_key == signal(samples.sns_message()).dedupe_key

    @pytest.mark.parametrize("name", [None, 12345, "", "   ", ["a"], "n" * 256])
    def test_an_alarm_needs_a_name(self, name: Any) -> None:
        """Without a usable name nothing can be looked up: refused."""
        assert "name" in refusal(samples.alarm_event(samples.alarm_detail() | {"alarmName": name}))
        assert "name" in refusal(samples.sns_message() | {"AlarmName": name})

    @pytest.mark.parametrize("state", [None, "SUPPRESSED", "alarm", 1, {"a": 1}, ["ALARM"]])
    def test_an_alarm_needs_a_known_state(self, state: Any) -> None:
        """A state that is none of the three is refused, with what is wrong."""
        detail = samples.alarm_detail()
        detail["state"]["value"] = state

        assert "INSUFFICIENT_DATA" in refusal(samples.alarm_event(detail))
        assert "INSUFFICIENT_DATA" in refusal(samples.sns_message() | {"NewStateValue": state})

    @pytest.mark.parametrize("detail", [None, [1], "{}", 5, {}])
    def test_broken_details_are_refused(self, detail: Any) -> None:
        """An alarm event whose detail is no alarm is refused, not ignored: somebody meant it for us."""
        event = samples.alarm_event()
        event["detail"] = detail

        refusal(event)
        refusal({"alarmData": detail})

    def test_a_name_that_utf8_cannot_hold(self) -> None:
        """A lone surrogate in a name becomes a replacement character, so that the signal can be stored."""
        message = json.dumps(samples.sns_message("bad\ud800name"))

        assert signal(message).alarm == "bad\N{REPLACEMENT CHARACTER}name"


class TestTimes:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("2026-03-01T03:12:04.517+0000", datetime(2026, 3, 1, 3, 12, 4, 517_000, tzinfo=UTC)),
            ("2026-03-01T03:12:04Z", datetime(2026, 3, 1, 3, 12, 4, tzinfo=UTC)),
            ("2026-03-01T03:12:04.5Z", datetime(2026, 3, 1, 3, 12, 4, 500_000, tzinfo=UTC)),
            ("2026-03-01T05:12:04+02:00", datetime(2026, 3, 1, 3, 12, 4, tzinfo=UTC)),
            ("2026-03-01T03:12:04.123456789Z", datetime(2026, 3, 1, 3, 12, 4, 123_456, tzinfo=UTC)),
            ("Sun, 01 Mar 2026 03:12:04 GMT", datetime(2026, 3, 1, 3, 12, 4, tzinfo=UTC)),
            (1772334724, datetime(2026, 3, 1, 3, 12, 4, tzinfo=UTC)),
            (1772334724.5, datetime(2026, 3, 1, 3, 12, 4, 500_000, tzinfo=UTC)),
            ("9999-12-31T23:59:59.999+0000", datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
            ("2001-01-01T00:00:00Z", datetime(2001, 1, 1, tzinfo=UTC)),
        ],
    )
    def test_times_of_every_sender(self, written: Any, meant: datetime) -> None:
        """Whatever format a sender uses, and however old or far ahead it is, the moment is understood."""
        assert signal(samples.sns_message() | {"StateChangeTime": written}).occurred_at == meant

    @pytest.mark.parametrize(
        "written",
        [
            None, "", "date", "2020.01.01", "2026-03-01T03:12:04", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-0100",
            1e300, float("inf"), float("nan"), True, [], "Xyz, not a date", "２０２６-03-01T03:12:04Z",
        ],
    )  # fmt: skip
    def test_unreadable_times_are_told_apart_by_the_message(self, written: Any) -> None:
        """Without a readable time the signal stands, and the message's own hash keeps two of them apart."""
        first = signal(samples.sns_message() | {"StateChangeTime": written})
        again = signal(samples.sns_message() | {"StateChangeTime": written})
        other = signal(samples.sns_message() | {"StateChangeTime": written, "NewStateReason": "another change"})

        assert first.occurred_at is None
        assert first.dedupe_key == again.dedupe_key
        assert first.dedupe_key != other.dedupe_key

    def test_the_events_own_time_is_second_best(self) -> None:
        """An alarm event whose state has no time happened when EventBridge says it did."""
        detail = samples.alarm_detail()
        del detail["state"]["timestamp"]

        assert signal(samples.alarm_event(detail)).occurred_at == datetime(2026, 3, 1, 3, 12, 4, tzinfo=UTC)


class TestServiceOfAnAlarm:
    def found(self, *metrics: samples.JsonObject) -> tuple[str | None, str | None]:
        read = signal(samples.alarm_event(samples.alarm_detail(*metrics)))
        return read.cluster, read.service

    def test_metrics_that_are_not_returned_count(self) -> None:
        """Metric math names the service only in the metrics it is made of."""
        expression = {"id": "e1", "expression": "100*m1/m2", "returnData": True}

        assert self.found(expression, samples.metric(returned=False)) == ("shop", "orders")

    def test_metric_math_in_an_sns_message(self) -> None:
        """SNS spells metric math with capitals and lists its dimensions; anomaly alarms have nothing else."""
        dimensions = [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "orders"}]
        wanted = {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Dimensions": dimensions}
        message = samples.sns_message()
        message["Trigger"] = {"ThresholdMetricId": "ad1", "Metrics": [{"Id": "m1", "MetricStat": {"Metric": wanted}}]}

        assert (signal(message).cluster, signal(message).service) == ("shop", "orders")

    def test_two_services_are_no_service(self) -> None:
        """An alarm over two services names neither; the cluster they share is still known."""
        assert self.found(samples.metric(), samples.metric(service="cart")) == ("shop", None)
        assert self.found(samples.metric(), samples.metric(cluster="other")) == (None, None)

    def test_one_metric_with_two_values_for_a_name(self) -> None:
        """A list of dimensions that names the service twice is ambiguous, whichever comes last."""
        message = samples.sns_message()
        message["Trigger"]["Dimensions"].append({"name": "ServiceName", "value": "cart"})

        assert signal(message).service is None

    def test_cluster_without_service(self) -> None:
        """An alarm on a whole cluster names the cluster and no service."""
        assert self.found(samples.metric(service=None)) == ("shop", None)
        assert self.found(samples.metric(cluster=None)) == (None, None)

    @pytest.mark.parametrize(
        "name",
        [
            "", " orders ", "*", "../../etc/passwd", "orders\nother", "orders\x00", "оrders", "orders\u202eipa",
            "orders; rm -rf /", "o" * 256, "arn:aws:ecs:x:y:service/orders", "ｏrders", "orders\n",
        ],
    )  # fmt: skip
    def test_what_ecs_would_not_allow_is_no_service(self, name: str) -> None:
        """Only a name that ECS itself would take is believed; look-alikes and tricks stay data in the metrics."""
        assert self.found(samples.metric(service=name)) == ("shop", None)
        assert self.found(samples.metric(cluster=name)) == (None, None)

    @pytest.mark.parametrize("metrics", [None, "CPU", {"m1": {}}, [None, 5, "x", {"metricStat": []}]])
    def test_unreadable_metrics_leave_the_alarm_standing(self, metrics: Any) -> None:
        """An alarm whose metrics cannot be read is an alarm without a service."""
        detail = samples.alarm_detail()
        detail["configuration"]["metrics"] = metrics

        found = signal(samples.alarm_event(detail))
        assert found.alarm == "orders-cpu"
        assert found.service is None
        assert signal(samples.sns_message() | {"Trigger": metrics}).service is None


class TestComposites:
    @pytest.mark.parametrize(
        ("rule", "children"),
        [
            ("ALARM(a) OR ALARM(b)", ("a", "b")),
            ('ALARM("a b") AND NOT INSUFFICIENT_DATA("c")', ("a b", "c")),
            (f'ALARM({samples.alarm_arn("a")}) OR OK( "{samples.alarm_arn("b")}" )', ("a", "b")),
            (r'ALARM("odd \"name\" (v2)")', ('odd "name" (v2)',)),
            ("ALARM(a) OR ALARM(a) OR ALARM(orders-unwell)", ("a",)),
            ("TRUE", ()),
            ('ALARM("a" OR (ALARM(b)', ("b",)),
            ("ALARM(" * 3000, ()),
        ],
    )
    def test_children_are_read_from_the_rule(self, rule: str, children: tuple[str, ...]) -> None:
        """Bare, quoted or by ARN, each child once and never the alarm itself; an unreadable rule has none."""
        found = signal(samples.composite_event(rule))

        assert found.children == children
        assert (found.cluster, found.service) == (None, None)

    def test_children_that_triggered(self) -> None:
        """Children that pulled the trigger are known even without a rule, from EventBridge and from SNS."""
        data = json.dumps({"triggeringAlarms": [{"arn": samples.alarm_arn("a")}]})
        assert signal(samples.composite_event("", reasonData=data)).children == ("a",)

        message = samples.sns_message() | {"Trigger": None, "TriggeringChildren": [{"Arn": samples.alarm_arn("b")}]}
        assert signal(message).children == ("b",)

    @pytest.mark.parametrize(("letter", "kept"), [("a", 100), ("é", 64), ("💥", 32)])
    def test_children_take_no_more_room_than_there_is(self, letter: str, kept: int) -> None:
        """A hundred of the longest names are kept, and no more bytes than these have, whatever they are written in."""
        names = [f"{number:03}{letter * 252}" for number in range(120)]
        data = {"triggeringAlarms": [{"arn": samples.alarm_arn(name)} for name in names]}
        found = signal(samples.composite_event("", reasonData=json.dumps(data)))
        assert found.children == tuple(names[:kept])

    @pytest.mark.parametrize("reason_data", ["[1,2,3]", "{", "null", 5, {"triggeringAlarms": {"a": 1}}, None])
    def test_unreadable_reason_data_names_no_children(self, reason_data: Any) -> None:
        """A `reasonData` that cannot be read costs nothing but the children in it."""
        assert signal(samples.composite_event("ALARM(a)", reasonData=reason_data)).children == ("a",)

    @pytest.mark.parametrize("by", ["Alarm", "WaitPeriod", "ExtensionPeriod", 7, True])
    def test_a_suppressed_alarm_opens_nothing(self, by: Any) -> None:
        """Suppressed composites still reach EventBridge; whoever suppressed them, they open no incident."""
        found = signal(samples.composite_event("ALARM(a)", actionsSuppressedBy=by))

        assert found.suppressed_by == str(by)
        assert not found.opens_incident


class TestEcsEvents:
    def test_a_failed_deployment(self) -> None:
        """A failed deployment names its service by ARN and opens an incident."""
        found = signal(samples.deployment_event())

        assert (found.kind, found.event_name) == (SignalKind.DEPLOYMENT, "SERVICE_DEPLOYMENT_FAILED")
        assert (found.region, found.cluster, found.service) == (samples.REGION, "shop", "orders")
        assert (found.level, found.deployment_id) == ("ERROR", "ecs-svc/4711")
        assert "circuit breaker" in found.reason
        assert found.alarm is None
        assert found.state is None
        assert found.opens_incident

    def test_a_completed_deployment_opens_nothing(self) -> None:
        """A deployment that went well is a signal for the release history."""
        assert not signal(samples.deployment_event("SERVICE_DEPLOYMENT_COMPLETED")).opens_incident

    def test_an_old_arn_has_no_cluster(self) -> None:
        """Service ARNs in the old format name the service alone; another field may still name the cluster."""
        event = samples.deployment_event(arn=samples.service_arn("orders"))
        assert (signal(event).cluster, signal(event).service) == (None, "orders")

        event["detail"]["clusterArn"] = "arn:aws:ecs:eu-central-1:111122223333:cluster/shop"
        assert (signal(event).cluster, signal(event).service) == ("shop", "orders")

    def test_a_service_named_in_the_detail(self) -> None:
        """An event without resources can name its service in the detail."""
        event = samples.deployment_event()
        event["resources"] = []
        event["detail"] |= {"clusterArn": "arn:aws:ecs:eu-central-1:1:cluster/shop", "serviceName": "orders"}

        assert (signal(event).cluster, signal(event).service) == ("shop", "orders")

    def test_two_services_in_one_event_are_none(self) -> None:
        """An event about two services does not say which one is meant."""
        event = samples.deployment_event()
        event["resources"].append(samples.service_arn("shop/cart"))

        assert signal(event).service is None

    @pytest.mark.parametrize(("level", "opens"), [("ERROR", True), ("WARN", False), ("INFO", False)])
    def test_service_actions_count_by_level(self, level: str, opens: bool) -> None:
        """Only a service action of level ERROR opens an incident."""
        found = signal(samples.service_action(level))

        assert (found.kind, found.cluster, found.service) == (SignalKind.SERVICE_ACTION, "shop", "orders")
        assert found.opens_incident is opens

    def test_a_task_that_stopped_is_understood(self) -> None:
        """A task's group names its service, its starter the deployment, and it happened when the task stopped."""
        found = signal(samples.task_event())

        assert (found.kind, found.cluster, found.service) == (SignalKind.TASK, "shop", "orders")
        assert (found.event_name, found.deployment_id) == ("STOPPED", "ecs-svc/4711")
        assert found.occurred_at == datetime(2026, 3, 1, 3, 12, 4, 900_000, tzinfo=UTC)
        assert found.title == "task stopped by itself: Essential container in task exited"

    @pytest.mark.parametrize(
        ("code", "reason", "opens"),
        [
            ("TaskFailedToStart", "CannotPullContainerError: pull image manifest has been retried", True),
            ("TaskFailedToStart", None, True),
            ("EssentialContainerExited", "Essential container in task exited", True),
            ("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group arn:aws:x)", True),
            ("ServiceSchedulerInitiated", "Task failed ELB health checks in (elb shop)", True),
            ("ServiceSchedulerInitiated", "Task failed container health checks", True),
            ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/4711)", False),
            ("ServiceSchedulerInitiated", None, False),
            ("UserInitiated", "Task failed ELB health checks, said somebody", False),
            ("UserInitiated", "Container instance deregistration forced by user", False),
            ("SpotInterruption", "Your Spot Task was interrupted.", False),
            ("TerminationNotice", "Host EC2 (instance i-0123) stopped.", False),
            (None, "Task failed ELB health checks", False),
        ],
    )
    def test_only_a_task_that_nobody_wanted_to_stop_opens_an_incident(
        self, code: str | None, reason: str | None, opens: bool
    ) -> None:
        """It failed to start, died, or failed its health checks: not one that was scaled in, interrupted or stopped."""
        assert signal(samples.task_event(code, reason)).opens_incident is opens

    @pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "RUNNING", "DEACTIVATING", "STOPPING"])
    def test_a_task_on_its_way_opens_nothing(self, status: str) -> None:
        """Only the end of a task counts, of which there is one."""
        assert not signal(samples.task_event(status=status)).opens_incident

    def test_why_a_container_stopped_is_told(self) -> None:
        """The task's own reason leaves out that memory ran out; secrets are taken out of either."""
        event = samples.task_event()
        event["detail"]["containers"][0]["reason"] = "OutOfMemoryError: killed, DB_PASSWORD=hunter2"

        found = signal(event)
        assert found.reason == "Essential container in task exited; OutOfMemoryError: killed, DB_PASSWORD=[redacted]"
        assert found.summary.endswith(found.reason)

    @pytest.mark.parametrize("containers", [None, 5, "x", {"reason": "x"}, [None, 5, {"reason": 5}, {"reason": ""}]])
    def test_unreadable_containers_leave_the_task_standing(self, containers: Any) -> None:
        """What they would have added is missing, nothing else."""
        event = samples.task_event()
        event["detail"]["containers"] = containers

        assert signal(event).reason == "Essential container in task exited"

    def test_a_long_reason_is_short_in_the_title(self) -> None:
        """A title stands in a list; the summary has it all."""
        found = signal(samples.task_event("TaskFailedToStart", "CannotPullContainerError: " + "x" * 400))

        assert len(found.title) < 120
        assert found.summary.endswith("x" * 400)

    @given(
        tasks=st.lists(
            st.tuples(
                st.sampled_from(["TaskFailedToStart", "EssentialContainerExited"]),
                st.text(max_size=20),
                st.floats(min_value=0, max_value=599.99),
            ),
            min_size=1,
            max_size=8,
        ),
        data=st.data(),
    )
    def test_a_crash_loop_is_one_signal_in_ten_minutes(
        self, tasks: list[tuple[str, str, float]], data: st.DataObject
    ) -> None:
        """Whatever its tasks say, in whatever order and however often; another deployment or time is another one."""
        begin = datetime(2026, 3, 1, 3, 10, tzinfo=UTC)
        stopped = [(code, why, (begin + timedelta(seconds=at)).isoformat()) for code, why, at in tasks]
        delivered = data.draw(st.permutations([*stopped, *stopped]))
        events = [samples.task_event(code, why, stopped_at=at) for code, why, at in delivered]

        (key,) = {signal(event).dedupe_key for event in events}
        code, why, at = stopped[0]
        later = (begin + timedelta(seconds=600)).isoformat()
        assert signal(samples.task_event(code, why, stopped_at=later)).dedupe_key != key
        assert signal(samples.task_event(code, why, stopped_at=at, deployment="ecs-svc/4712")).dedupe_key != key
        assert signal(samples.task_event("UserInitiated", why, stopped_at=at)).dedupe_key != key

    def test_a_task_outside_a_service(self) -> None:
        """A task that was run by hand belongs to a cluster and to no service."""
        event = samples.task_event()
        event["detail"] |= {"group": "family:batch", "startedBy": "nightly"}

        found = signal(event)
        assert (found.cluster, found.service, found.deployment_id) == ("shop", None, None)

    @pytest.mark.parametrize("build", [samples.deployment_event, samples.service_action, samples.task_event])
    @pytest.mark.parametrize("detail", [None, [], "{}", {}])
    def test_broken_ecs_events_are_refused(self, build: Any, detail: Any) -> None:
        """An ECS event that does not say what happened is refused."""
        refusal(build() | {"detail": detail})


class TestOthers:
    @pytest.mark.parametrize(
        "message",
        [
            {},
            {"hello": "world"},
            {"MetricAlarms": [{"AlarmName": "a", "StateValue": "ALARM"}]},
            {"AlarmName": "a", "StateValue": "ALARM"},
            {"services": [{"serviceName": "x", "events": [{"id": "1"}]}], "failures": []},
            {"Error": {"Code": "ThrottlingException"}},
            {"detail-type": "CloudWatch Alarm Configuration Change", "source": "aws.cloudwatch", "detail": {}},
            {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}},
            {"detail-type": ["odd"], "source": {"odd": 1}},
            {"Records": []},
            {"Records": [{"eventSource": "aws:s3", "s3": {}}]},
            {"Messages": []},
            samples.envelope("have a nice day"),
            samples.envelope("x", Type="SubscriptionConfirmation"),
            samples.sqs_to_lambda("not json"),
            samples.sqs_to_lambda({"foo": "bar"}),
            [{"Source": "com.example", "DetailType": "AWS Health Event", "Detail": "{}"}],
            [],
            "just a line of text",
        ],
    )
    def test_what_is_well_but_not_ours_is_ignored(self, message: Any) -> None:
        """API answers, foreign events and plain text are ignored, with a reason."""
        assert ignored(message if isinstance(message, str) else json.dumps(message))

    def test_an_alarm_event_that_is_not_from_cloudwatch(self) -> None:
        """Anybody can put an event that looks like an alarm; only AWS can put its source."""
        assert "aws.cloudwatch" in ignored(samples.alarm_event() | {"source": "com.example"})

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"  \n", b"null", b"5", b"true", b'"ALARM"', b"{", b'{"AlarmName": ', b"[1", b"\xff\xfe{\x00}\x00",
            b"\x89PNG\r\n", b'{"Records": [{"Sns": null}]}', b'{"Type": "Notification", "TopicArn": "arn"}',
            b'{"detail-type": "CloudWatch Alarm State Change", "detail": {}}', b"[" * 100_000,
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b'{"a": ' + b"1" * 10_000 + b"}",
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_is_refused(self, body: bytes) -> None:
        """Broken input is refused with one line that says what is wrong, and never ends in a crash."""
        reason = refusal(body)

        assert reason
        assert "\n" not in reason

    def test_a_byte_order_mark_does_no_harm(self) -> None:
        """A message saved by an editor that marks UTF-8 is read all the same."""
        assert signal(b"\xef\xbb\xbf" + json.dumps(samples.sns_message()).encode()).alarm == "orders-cpu"

    def test_a_batch_keeps_its_good_records(self) -> None:
        """Each record has its own outcome, in order; a broken one harms no other."""
        batch = samples.sqs_to_lambda(samples.sns_message("a"), "{broken", samples.alarm_event(), "text")

        first, second, third, fourth = read_message(batch)
        assert isinstance(first, Signal)
        assert isinstance(second, SignalRefused)
        assert isinstance(third, Signal)
        assert isinstance(fourth, Ignored)

    def test_messages_taken_from_a_queue_by_hand(self) -> None:
        """What `aws sqs receive-message` prints can be explained too, which is how one looks at a dead letter."""
        received = {"Messages": [{"MessageId": "1", "Body": json.dumps(samples.sns_message())}]}

        assert signal(received).alarm == "orders-cpu"

    def test_wrapping_without_end_is_refused(self) -> None:
        """An envelope in an envelope in an envelope is nobody's delivery."""
        message: samples.JsonObject = samples.sns_message()
        for _ in range(12):
            message = samples.envelope(message)

        assert "wrapped" in refusal(message)


class TestLimits:
    def test_one_message_holds_no_more_than_so_many(self) -> None:
        """Those beyond are refused together, so that the queue keeps the message; the others are read."""
        many = [samples.alarm_event(samples.alarm_detail(name=f"a-{n}")) for n in range(MOST_MESSAGES + 20)]
        outcomes = read_message(json.dumps(many))
        assert [type(outcome) for outcome in outcomes] == [Signal] * MOST_MESSAGES + [SignalRefused]
        assert str(outcomes[-1]) == "20 more than 100 messages are in one: send them one by one"

    def test_what_is_kept_of_an_alarm_is_bounded(self) -> None:
        """However many metrics, dimensions and characters the message has: the ledger takes no item of any size."""
        long = "ü" * 100_000
        metric = samples.metric()
        metric["metricStat"]["metric"]["dimensions"] |= {f"{n}{long}": long for n in range(50)}
        detail = samples.alarm_detail(*[metric] * 50)
        detail["state"]["reason"] = long
        event = samples.alarm_event(detail) | {"region": "eu" + "-x" * 100_000 + "-1", "account": long}
        event["resources"] = [samples.alarm_arn("orders-cpu" + long)]
        kept = signal(event).model_dump_json()
        assert len(kept.encode()) < 64 * 1024

    @pytest.mark.parametrize("amount", [10**400, float("nan"), float("inf"), -(10**400), True, "42"])
    def test_an_amount_that_is_none_is_not_told(self, amount: object) -> None:
        """JSON can hold numbers that no float can."""
        told = signal(samples.anomaly_event(impact={"totalImpact": amount}))
        assert told.reason.startswith("more than expected: ")

    @pytest.mark.parametrize("name", ["orders\ncpu", "orders\x1b[2J", "\x00"])
    def test_a_name_with_control_characters_is_no_alarms(self, name: str) -> None:
        """CloudWatch takes none of them."""
        assert "control characters" in refusal(samples.alarm_event(samples.alarm_detail(name=name)))

    def test_whose_alarm_it_is_has_one_answer(self) -> None:
        """An account or a Region that is not the one of the alarm's ARN is a contradiction."""
        assert "nobody knows whose it is" in refusal(samples.sns_message() | {"AWSAccountId": "999999999999"})
        assert "nobody knows whose it is" in refusal(samples.alarm_event() | {"region": "us-east-1"})
