"""The responder's stack: what its resources promise, not how many there are."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from functions import settings
from functions.domain.counts import NAMESPACE, SERVICE, Count
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal
from functions.domain.table import INDEXES, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE
from functions.handlers.signals import read_message
from functions.workflow.table import Function
from infra.context import Architecture, Deployment
from infra.function import ROUNDS, TIMEOUT_S
from infra.intake import Intake
from infra.workflow import definition as compiled
from tests.infra.synthesis import Synthesis, Template, synthesise
from tools.chaos import samples

FUNCTIONS = {
    *(function.value for function in Function if function is not Function.CONTAIN),
    "intake",
    "sweep",
    "bake",
    "check",
    "digest",
    "forward",
    "lookup",
    "api",
    "read",
    "trial",
}


@pytest.fixture(scope="module")
def stack(synthesis: Synthesis) -> Template:
    return synthesis.responder


def function(stack: Template, name: str) -> Any:
    return stack.named("AWS::Lambda::Function", "FunctionName", f"ecs-first-responder-{name}")[1]


def queue(stack: Template, name: str) -> tuple[str, Any]:
    return stack.named("AWS::SQS::Queue", "QueueName", f"ecs-first-responder-{name}")


def statements(properties: Any) -> list[Any]:
    listed: list[Any] = properties["PolicyDocument"]["Statement"]
    return listed


def test_the_ledger_is_the_table_that_the_functions_write(stack: Template) -> None:
    """Keys, indexes and time to live are those of the one declaration, and the name is what the CLI looks for."""
    ((_, table),) = stack.resources("AWS::DynamoDB::Table").items()
    assert table["TableName"] == "ecs-first-responder"
    assert table["KeySchema"] == [
        {"AttributeName": PARTITION_KEY, "KeyType": "HASH"},
        {"AttributeName": SORT_KEY, "KeyType": "RANGE"},
    ]
    assert {
        (index["IndexName"], *(key["AttributeName"] for key in index["KeySchema"]))
        for index in table["GlobalSecondaryIndexes"]
    } == {tuple(index) for index in INDEXES}
    assert {index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]} == {"ALL"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}


def test_the_ledger_outlives_mistakes(stack: Template) -> None:
    """Encrypted, on demand, recoverable to any point in time, and neither deleted nor replaced by a deployment."""
    ((_, table),) = stack.attributes("AWS::DynamoDB::Table").items()
    properties = table["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["DeletionProtectionEnabled"] is True
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"


def test_the_archive_is_closed_and_kept(stack: Template) -> None:
    """Encrypted, versioned, private, reached by TLS alone, and kept when the stack goes."""
    ((_, bucket),) = stack.attributes("AWS::S3::Bucket").items()
    properties = bucket["Properties"]
    assert properties["BucketEncryption"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["DeletionPolicy"] == "Retain"
    ((_, policy),) = stack.resources("AWS::S3::BucketPolicy").items()
    assert {"Bool": {"aws:SecureTransport": "false"}} in [s.get("Condition") for s in statements(policy)]


def test_cloudwatch_may_use_the_key_of_the_topics(stack: Template) -> None:
    """Without this grant an alarm fails to reach an encrypted topic, and nobody is told."""
    ((key_id, key),) = stack.resources("AWS::KMS::Key").items()
    assert key["EnableKeyRotation"] is True
    (granted,) = (
        statement
        for statement in key["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    )
    assert set(granted["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    for topic in stack.resources("AWS::SNS::Topic").values():
        assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": [key_id, "Arn"]}


def test_only_alarms_of_this_account_reach_the_topics(stack: Template) -> None:
    """CloudWatch may publish for this account's alarms, where alarms have to be heard; everybody only by TLS."""
    names = {logical_id: topic["TopicName"] for logical_id, topic in stack.resources("AWS::SNS::Topic").items()}
    heard = set()
    for policy in stack.resources("AWS::SNS::TopicPolicy").values():
        (tls,) = (s for s in statements(policy) if s["Effect"] == "Deny")
        assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        allowed = [s for s in statements(policy) if s["Effect"] == "Allow"]
        assert all(s["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"} for s in allowed)
        if any(s["Principal"] == {"Service": "cloudwatch.amazonaws.com"} for s in allowed):
            heard |= {names[topic["Ref"]] for topic in policy["Topics"]}
    assert heard == {"ecs-first-responder-alarms", "ecs-first-responder-pages"}


def test_costs_reach_the_topic_for_alarms_alone(stack: Template) -> None:
    """AWS Budgets and Cost Anomaly Detection may publish there, for this account, and use the key for it."""
    alarms, _ = stack.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-alarms")
    pages, _ = stack.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-pages")
    account = {"aws:SourceAccount": "123456789012"}
    ours = {"ArnLike": {"aws:SourceArn": "arn:aws:budgets::123456789012:*"}, "StringEquals": account}
    wanted = {"budgets.amazonaws.com": ours, "costalerts.amazonaws.com": {"StringEquals": account}}

    def of_costs(said: Iterable[Any]) -> dict[str, Any]:
        from_services = (s for s in said if isinstance(s["Principal"], dict) and "Service" in s["Principal"])
        return {s["Principal"]["Service"]: s for s in from_services if s["Principal"]["Service"] in wanted}

    policies = stack.resources("AWS::SNS::TopicPolicy").values()
    by_topic = {topic["Ref"]: statements(p) for p in policies for topic in p["Topics"]}
    published = of_costs(by_topic[alarms])
    assert {service: statement["Condition"] for service, statement in published.items()} == wanted
    assert {statement["Action"] for statement in published.values()} == {"sns:Publish"}
    assert of_costs(by_topic[pages]) == {}
    ((_, key),) = stack.resources("AWS::KMS::Key").items()
    used = of_costs(key["KeyPolicy"]["Statement"])
    assert {service: statement["Condition"] for service, statement in used.items()} == wanted
    assert {action for statement in used.values() for action in statement["Action"]} == {
        "kms:Decrypt", "kms:GenerateDataKey"
    }  # fmt: skip


def test_people_are_subscribed_by_playbook_and_by_context(stack: Template) -> None:
    """Addresses of the playbooks and of the deployment get every page."""
    pages, _ = stack.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-pages")
    assert {
        (subscription["Protocol"], subscription["Endpoint"])
        for subscription in stack.resources("AWS::SNS::Subscription").values()
        if subscription["TopicArn"] == {"Ref": pages}
    } == {("email", "on-call@example.com"), ("https", "https://pages.example.com/hook")}


def test_second_contacts_are_called_for_their_own_services(stack: Template) -> None:
    """By a topic of their own, and who is named by two playbooks has one subscription for both services."""
    second, _ = stack.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-second")
    assert {
        (subscription["Protocol"], subscription["Endpoint"], tuple(subscription["FilterPolicy"]["service"]))
        for subscription in stack.resources("AWS::SNS::Subscription").values()
        if subscription["TopicArn"] == {"Ref": second}
    } == {
        ("email", "lead@example.com", ("eu-west-1/shop/orders", "eu-west-1/shop/pay_ments")),
        ("https", "https://pager.example.com/second", ("eu-west-1/shop/orders",)),
    }


def test_there_is_a_topic_for_chat_where_somebody_wants_one(synthesis: Synthesis, containing: Synthesis) -> None:
    """A rule hands it the notification in each of our events, and may use its key; by default there is neither."""
    chat, _ = containing.responder.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-chat")
    rules = containing.responder.resources("AWS::Events::Rule").values()
    (rule,) = (each for each in rules if each.get("EventPattern", {}).get("source") == ["ecs-first-responder"])
    assert [(each["Arn"], each["InputPath"]) for each in rule["Targets"]] == [({"Ref": chat}, "$.detail.chat")]
    (policy,) = (
        each
        for each in containing.responder.resources("AWS::SNS::TopicPolicy").values()
        if each["Topics"] == [{"Ref": chat}]
    )
    ((_, key),) = containing.responder.resources("AWS::KMS::Key").items()
    for said in (statements(policy), key["KeyPolicy"]["Statement"]):
        assert {"Service": "events.amazonaws.com"} in [statement["Principal"] for statement in said]
    names = [topic["TopicName"] for topic in synthesis.responder.resources("AWS::SNS::Topic").values()]
    assert "ecs-first-responder-chat" not in names


def test_a_message_that_cannot_be_read_is_kept(stack: Template) -> None:
    """After five receives a message lies in the dead-letter queue for a fortnight."""
    dead_letters, properties = queue(stack, "intake-dead-letters")
    _, intake = queue(stack, "intake")
    assert intake["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [dead_letters, "Arn"]},
        "maxReceiveCount": 5,
    }
    assert properties["MessageRetentionPeriod"] == 14 * 86_400


def test_every_queue_is_encrypted_and_reached_by_tls_alone(stack: Template) -> None:
    """SSE-SQS everywhere, so that SNS and EventBridge need no key of ours."""
    queues = stack.resources("AWS::SQS::Queue")
    assert all(properties["SqsManagedSseEnabled"] is True for properties in queues.values())
    closed = {
        policy["Queues"][0]["Ref"]
        for policy in stack.resources("AWS::SQS::QueuePolicy").values()
        if any(s["Effect"] == "Deny" and "aws:SecureTransport" in str(s["Condition"]) for s in statements(policy))
    }
    assert closed == set(queues)


def test_the_intake_reads_in_batches_and_fails_by_the_message(stack: Template) -> None:
    """One bad record does not send its whole batch back, and no message returns while the function may still work."""
    ((_, mapping),) = stack.resources("AWS::Lambda::EventSourceMapping").items()
    queue_id, properties = queue(stack, "intake")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [queue_id, "Arn"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties["VisibilityTimeout"] >= 6 * TIMEOUT_S


def test_alarms_come_in_by_the_topic(stack: Template) -> None:
    """The alarm topic feeds the intake queue; what cannot be delivered is kept."""
    alarms, _ = stack.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-alarms")
    queue_id, _ = queue(stack, "intake")
    (subscription,) = (
        subscription
        for subscription in stack.resources("AWS::SNS::Subscription").values()
        if subscription["TopicArn"] == {"Ref": alarms}
    )
    assert subscription["Endpoint"] == {"Fn::GetAtt": [queue_id, "Arn"]}
    assert "deadLetterTargetArn" in subscription["RedrivePolicy"]


def rules(stack: Template, function: str | None = None) -> dict[str, Any]:
    """The rules that feed the intake, or wake a function, by detail type."""
    if function is None:
        to, _ = queue(stack, "intake")
    else:
        to, _ = stack.named("AWS::Lambda::Function", "FunctionName", f"ecs-first-responder-{function}")
    return {
        rule["EventPattern"]["detail-type"][0]: rule
        for rule in stack.resources("AWS::Events::Rule").values()
        if "EventPattern" in rule and rule["Targets"][0]["Arn"] == {"Fn::GetAtt": [to, "Arn"]}
    }


def test_events_come_in_by_rules(stack: Template) -> None:
    """Alarms that others made, deployments, service actions of level ERROR, tasks that stopped by themselves, trouble
    of AWS in what the services stand on, costs, and findings in their clusters."""
    found = rules(stack)
    assert {kind: rule["EventPattern"].get("detail") for kind, rule in found.items()} == {
        "CloudWatch Alarm State Change": {"alarmName": ["orders-legacy-5xx"]},
        "ECS Deployment State Change": None,
        "ECS Service Action": {"eventType": ["ERROR"]},
        "ECS Task State Change": {
            "clusterArn": ["arn:aws:ecs:eu-west-1:123456789012:cluster/shop"],
            "group": ["service:orders", "service:pay_ments"],
            "lastStatus": ["STOPPED"],
            "$or": [
                {"stopCode": ["EssentialContainerExited", "TaskFailedToStart"]},
                {"stopCode": ["ServiceSchedulerInitiated"], "stoppedReason": [{"prefix": "Task failed "}]},
            ],
        },
        "AWS Health Event": {
            "eventRegion": ["eu-west-1"],
            "service": ["COGNITO", "DYNAMODB", "EC2", "ECS", "ELASTICLOADBALANCING", "FARGATE", "RDS"],
            "eventTypeCategory": ["issue", "scheduledChange"],
        },
        "Anomaly Detected": None,
        "GuardDuty Finding": {
            "severity": [{"numeric": [">=", 4]}],
            "resource": {"ecsClusterDetails": {"arn": ["arn:aws:ecs:eu-west-1:123456789012:cluster/shop"]}},
        },
    }
    queue_id, _ = queue(stack, "intake")
    undelivered, _ = queue(stack, "undelivered")
    for rule in found.values():
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": [queue_id, "Arn"]}
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [undelivered, "Arn"]}}


def matches(pattern: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Whether an event fits a pattern, as far as patterns are used here (EventBridge User Guide, "Event patterns")."""

    def one(wanted: object, value: object) -> bool:
        prefix = wanted.get("prefix") if isinstance(wanted, Mapping) else None
        return value == wanted if prefix is None else isinstance(value, str) and value.startswith(prefix)

    return all(
        any(matches(part, data) for part in wanted)
        if key == "$or"
        else any(one(choice, data.get(key)) for choice in wanted)
        for key, wanted in pattern.items()
    )


def test_however_many_services_there_are_each_pattern_fits() -> None:
    """Every service is in one rule for stopped tasks, with its own cluster; a pattern ends at 2,048 characters."""
    app = cdk.App(context={"@aws-cdk/core:enablePartitionLiterals": True})
    scope = cdk.Stack(app, "Stack", env=cdk.Environment(account="123456789012", region="ap-southeast-1"))
    services = [
        ServiceRef(region="ap-southeast-1", cluster=cluster * 255, service=f"{number:02d}-" + "x" * 250)
        for cluster in "ab"
        for number in range(12)
    ]
    topic = sns.Topic(scope, "Topic")
    Intake(scope, "Intake", name="x", alarm_topic=topic, existing_alarms=[], services=services, aws_services=[])
    resources = app.synth().get_stack_by_name("Stack").template["Resources"].values()
    patterns = [r["Properties"]["EventPattern"] for r in resources if r["Type"] == "AWS::Events::Rule"]
    stopped = [pattern for pattern in patterns if pattern["detail-type"] == ["ECS Task State Change"]]
    named = [(p["detail"]["clusterArn"], group) for p in stopped for group in p["detail"]["group"]]
    assert max(len(json.dumps(pattern)) for pattern in stopped) <= 2_048
    assert sorted(named) == sorted(
        ([f"arn:aws:ecs:ap-southeast-1:123456789012:cluster/{ref.cluster}"], f"service:{ref.service}")
        for ref in services
    )


@pytest.mark.parametrize("status", ["STOPPED", "STOPPING"])
@pytest.mark.parametrize(
    "code",
    [
        "TaskFailedToStart", "EssentialContainerExited", "UserInitiated", "ServiceSchedulerInitiated",
        "SpotInterruption", "TerminationNotice", "InfrastructureHealth", None,
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "reason",
    [
        "Task failed ELB health checks in (target-group arn:aws:x)",
        "Task failed container health checks",
        "Scaling activity initiated by (deployment ecs-svc/1)",
        "Essential container in task exited",
        None,
    ],
)
def test_the_rule_lets_in_what_opens_an_incident(
    stack: Template, status: str, code: str | None, reason: str | None
) -> None:
    """Of the tasks of a playbook's service exactly those that stopped by themselves."""
    pattern = dict(rules(stack)["ECS Task State Change"]["EventPattern"]["detail"])
    del pattern["clusterArn"]
    event = samples.task_event(code, reason, status=status)
    (signal,) = read_message(event)
    assert isinstance(signal, Signal)
    assert matches(pattern, event["detail"]) == signal.opens_incident
    assert not matches(pattern, event["detail"] | {"group": "service:other"})


def test_what_the_forwarder_cannot_hand_over_is_kept(stack: Template) -> None:
    """As the alarm sent it, among what EventBridge and SNS could not deliver."""
    _, properties = stack.named("AWS::Lambda::Function", "FunctionName", "ecs-first-responder-forward")
    undelivered, _ = queue(stack, "undelivered")
    assert properties["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": [undelivered, "Arn"]}}


def test_an_alarm_may_call_the_forwarder_directly(stack: Template) -> None:
    """A Lambda alarm action of this account is let in, and ends in the same queue."""
    forwarder, properties = stack.named("AWS::Lambda::Function", "FunctionName", "ecs-first-responder-forward")
    (permission,) = (
        permission
        for permission in stack.resources("AWS::Lambda::Permission").values()
        if permission["Principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
    )
    assert permission["FunctionName"] == {"Fn::GetAtt": [forwarder, "Arn"]}
    assert permission["SourceAccount"] == "123456789012"
    assert properties["Environment"]["Variables"][settings.INTAKE_QUEUE_URL] == {"Ref": queue(stack, "intake")[0]}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_is_what_it_is_tested_as(name: str, stack: Template) -> None:
    """Python 3.13 on arm64, traced but for what a clock wakes, with the layer, a role and a log group of its own."""
    properties = function(stack, name)
    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["arm64"]
    assert properties["TracingConfig"] == {"Mode": "PassThrough" if name in ROUNDS else "Active"}
    assert len(properties["Layers"]) == 1
    assert properties["Handler"] == f"functions.handlers.{name}.handler"
    log = stack.resources("AWS::Logs::LogGroup")[properties["LoggingConfig"]["LogGroup"]["Ref"]]
    assert log["RetentionInDays"] == 90
    role = stack.resources("AWS::IAM::Role")[properties["Role"]["Fn::GetAtt"][0]]
    assert "ManagedPolicyArns" not in role


def test_no_two_functions_share_a_role(stack: Template) -> None:
    """What one function may do, no other may by accident."""
    roles = [properties["Role"]["Fn::GetAtt"][0] for properties in stack.resources("AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(roles) == len(FUNCTIONS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("intake", {settings.TABLE_NAME, settings.BUCKET_NAME, settings.STATE_MACHINE_ARN}),
        (
            "sweep",
            {settings.TABLE_NAME, settings.BUCKET_NAME, settings.STATE_MACHINE_ARN, settings.FUNCTION_TIMEOUT},
        ),
        (
            "assess",
            {
                settings.TABLE_NAME,
                settings.BUCKET_NAME,
                settings.FLEET_ACTIONS_PER_HOUR,
                settings.LOG_SCAN_MB,
                settings.CONTAIN,
            },
        ),
        (
            "remediate",
            {settings.TABLE_NAME, settings.BUCKET_NAME, settings.FLEET_ACTIONS_PER_HOUR, settings.LOG_SCAN_MB},
        ),
        ("verify", {settings.TABLE_NAME, settings.BUCKET_NAME, settings.LOG_SCAN_MB, settings.STATE_MACHINE_ARN}),
        (
            "notify",
            {settings.TABLE_NAME, settings.BUCKET_NAME, settings.PAGE_TOPIC_ARN, settings.SECOND_TOPIC_ARN},
        ),
        ("close", {settings.TABLE_NAME, settings.BUCKET_NAME, settings.PAGE_TOPIC_ARN}),
        ("report", {settings.TABLE_NAME, settings.BUCKET_NAME, settings.LOG_SCAN_MB}),
        ("restore", {settings.TABLE_NAME, settings.BUCKET_NAME, settings.CONTAIN}),
        ("check", set()),
        (
            "digest",
            {settings.TABLE_NAME, settings.BUCKET_NAME, settings.PAGE_TOPIC_ARN, settings.LOG_SCAN_MB},
        ),
        ("forward", {settings.INTAKE_QUEUE_URL}),
        ("lookup", set()),
    ],
)
def test_a_function_is_told_what_it_needs(name: str, expected: set[str], stack: Template) -> None:
    """Each function's environment holds the settings it reads and no others."""
    variables = function(stack, name)["Environment"]["Variables"]
    assert {key for key in variables if key.startswith("RESPONDER_")} == expected


def test_executions_call_published_versions(stack: Template, definition: dict[str, Any]) -> None:
    """An execution goes on with the code it began with: it names versions, and old versions are kept."""
    versions = stack.attributes("AWS::Lambda::Version")
    called = {
        state["Arguments"]["FunctionName"]
        for state in definition["States"].values()
        if state.get("Resource", "").endswith("lambda:invoke")
    }
    assert called == {f"<{version}>" for version in versions}
    assert {version["DeletionPolicy"] for version in versions.values()} == {"Retain"}


def test_the_machine_is_compiled_from_the_table(stack: Template, definition: dict[str, Any]) -> None:
    """What is deployed is what the compiler makes of the table, with this stack's names in it."""
    names: dict[Function, str] = {
        function: definition["States"][function.value if function is not Function.NOTIFY else "page"]["Arguments"][
            "FunctionName"
        ]
        for function in Function
        if function is not Function.CONTAIN
    }
    pages, _ = stack.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-pages")
    assert definition == compiled(
        functions=names,
        function_timeout_s=TIMEOUT_S,
        page_topic=f"<{pages}>",
        state_machine="arn:aws:states:eu-west-1:123456789012:stateMachine:ecs-first-responder",
    )


def test_the_machine_is_traced_and_logs_errors(stack: Template) -> None:
    """A Standard machine under a fixed name, with X-Ray and a log of what went wrong, kept for a while."""
    ((_, machine),) = stack.resources("AWS::StepFunctions::StateMachine").items()
    assert machine["StateMachineName"] == "ecs-first-responder"
    assert machine.get("StateMachineType", "STANDARD") == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ERROR"
    _, log = stack.named("AWS::Logs::LogGroup", "LogGroupName", "/aws/vendedlogs/states/ecs-first-responder")
    assert log["RetentionInDays"] == 90


def test_the_sweep_runs_every_five_minutes(stack: Template) -> None:
    """Nothing depends on a message arriving."""
    assert scheduled(stack, "sweep") == "rate(5 minutes)"


def test_releases_are_looked_after_every_minute(stack: Template) -> None:
    """A release that hurts is seen before an alarm has counted its periods."""
    assert scheduled(stack, "bake") == "rate(1 minute)"


def test_checks_are_made_every_minute(stack: Template) -> None:
    """As often as their alarms count."""
    assert scheduled(stack, "check") == "rate(1 minute)"


@pytest.mark.parametrize(
    ("period", "expected"),
    [("daily", "cron(0 6 * * ? *)"), ("weekly", "cron(10 6 ? * MON *)"), ("monthly", "cron(20 6 1 * ? *)")],
)
def test_each_digest_has_its_schedule(period: str, expected: str, stack: Template) -> None:
    """In the morning, in UTC, and told which one it is."""
    digest, _ = stack.named("AWS::Lambda::Function", "FunctionName", "ecs-first-responder-digest")
    rules = [rule for rule in stack.resources("AWS::Events::Rule").values() if "ScheduleExpression" in rule]
    ours = [rule["Targets"][0] | {"when": rule["ScheduleExpression"]} for rule in rules]
    said = {json.loads(t["Input"])["period"]: t["when"] for t in ours if t["Arn"] == {"Fn::GetAtt": [digest, "Arn"]}}
    assert said[period] == expected


def test_without_digests_there_is_no_such_function(tmp_path: Path) -> None:
    """What is switched off has no schedule, no role and no rights: nobody reads the bill."""
    (tmp_path / "orders.yaml").write_text("region: eu-west-1\ncluster: shop\nservice: orders\n")
    deployment = Deployment(
        region="eu-west-1",
        account="123456789012",
        playbooks=tmp_path,
        architecture=Architecture.LOCAL,
        digests="none",
    )
    stack = synthesise(deployment, tmp_path / "cdk.out").responder
    names = [each.get("FunctionName") for each in stack.resources("AWS::Lambda::Function").values()]
    assert "ecs-first-responder-bake" in names
    assert "ecs-first-responder-digest" not in names


def test_only_the_digests_that_are_wanted_are_sent(tmp_path: Path) -> None:
    """One of them may be enough."""
    (tmp_path / "orders.yaml").write_text("region: eu-west-1\ncluster: shop\nservice: orders\n")
    deployment = Deployment(
        region="eu-west-1",
        account="123456789012",
        playbooks=tmp_path,
        architecture=Architecture.LOCAL,
        digests="weekly",
    )
    rules = synthesise(deployment, tmp_path / "cdk.out").responder.resources("AWS::Events::Rule")
    assert [rule["ScheduleExpression"] for name, rule in rules.items() if "Digest" in name] == ["cron(10 6 ? * MON *)"]


def scheduled(stack: Template, function: str) -> str:
    """How often a schedule calls the function."""
    found, _ = stack.named("AWS::Lambda::Function", "FunctionName", f"ecs-first-responder-{function}")
    rules = (rule for rule in stack.resources("AWS::Events::Rule").values() if "ScheduleExpression" in rule)
    (rule,) = (rule for rule in rules if rule["Targets"][0]["Arn"] == {"Fn::GetAtt": [found, "Arn"]})
    return str(rule["ScheduleExpression"])


def test_a_completed_deployment_wakes_the_watch_over_releases(stack: Template) -> None:
    """What runs now belongs into the release history at once; only deployments of playbooks' services count."""
    bake, _ = stack.named("AWS::Lambda::Function", "FunctionName", "ecs-first-responder-bake")
    (rule,) = (
        rule for rule in stack.resources("AWS::Events::Rule").values() if "resources" in rule.get("EventPattern", {})
    )
    assert rule["EventPattern"]["detail"] == {"eventName": ["SERVICE_DEPLOYMENT_COMPLETED"]}
    assert rule["EventPattern"]["resources"]
    assert rule["Targets"][0]["Arn"] == {"Fn::GetAtt": [bake, "Arn"]}


def test_a_changed_secret_and_a_role_in_use_wake_bake(stack: Template) -> None:
    """Whosever it is: only the task definitions say whom it concerns. Refused and reading calls are not asked for."""
    woken = {kind: rule["EventPattern"] for kind, rule in rules(stack, "bake").items()}
    del woken["ECS Deployment State Change"]
    assert woken.pop("GuardDuty Finding") == {
        "source": ["aws.guardduty"],
        "detail-type": ["GuardDuty Finding"],
        "detail": {
            "severity": [{"numeric": [">=", 4]}],
            "resource": {"accessKeyDetails": {"userType": ["AssumedRole", "Role"]}},
        },
    }
    manager = {"eventSource": ["secretsmanager.amazonaws.com"]}
    assert woken == {
        "AWS API Call via CloudTrail": {
            "source": ["aws.secretsmanager"],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {**manager, "eventName": ["PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"]},
        },
        "AWS Service Event via CloudTrail": {
            "source": ["aws.secretsmanager"],
            "detail-type": ["AWS Service Event via CloudTrail"],
            "detail": {**manager, "eventName": ["RotationSucceeded"]},
        },
        "Parameter Store Change": {
            "source": ["aws.ssm"],
            "detail-type": ["Parameter Store Change"],
            "detail": {"operation": ["Create", "Update"]},
        },
    }


def test_the_responder_is_watched_too(stack: Template) -> None:
    """Dead letters, broken functions, failed executions, unreadable signals and a silent sweep page people directly."""
    pages, _ = stack.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-pages")
    alarms = stack.resources("AWS::CloudWatch::Alarm").values()
    assert all(alarm["AlarmActions"] == [{"Ref": pages}] for alarm in alarms)
    assert {alarm["AlarmName"].removeprefix("ecs-first-responder-") for alarm in alarms} == {
        "intake-dead-letters-not-empty",
        "undelivered-not-empty",
        "intake-errors",
        "sweep-errors",
        "bake-errors",
        "report-errors",
        "check-errors",
        "api-errors",
        "digest-errors",
        "check-silent",
        "checks-not-made",
        "executions-failed",
        "sweep-silent",
        "intake-behind",
        "signals-not-taken",
        "intake-throttled",
        "executions-throttled",
        "ledger-reads-throttled",
        "ledger-writes-throttled",
        "leases-overdue",
        "pages-undelivered",
        "heartbeat-lost",
        "api-bugs",
    }


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("signals-not-taken", Count.SIGNALS_NOT_TAKEN),
        ("checks-not-made", Count.CHECKS_NOT_MADE),
        ("leases-overdue", Count.LEASES_OVERDUE),
        ("heartbeat-lost", Count.HEARTBEAT_SECONDS),
        ("api-bugs", Count.BUGS_ANSWERED),
    ],
)
def test_what_the_functions_count_is_alarmed_where_it_is_emitted(stack: Template, name: str, metric: str) -> None:
    """The alarm reads the very metric that the function writes."""
    _, alarm = stack.named("AWS::CloudWatch::Alarm", "AlarmName", f"ecs-first-responder-{name}")
    assert (alarm["Namespace"], alarm["MetricName"]) == (NAMESPACE, metric)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": SERVICE}]


def test_one_check_that_cannot_be_made_wakes_nobody(stack: Template) -> None:
    """A name that is not found for a minute comes back by itself: three rounds within five minutes are told."""
    _, alarm = stack.named("AWS::CloudWatch::Alarm", "AlarmName", "ecs-first-responder-checks-not-made")
    assert (alarm["Statistic"], alarm["Threshold"], alarm["Period"]) == ("Sum", 3, 300)


@pytest.mark.parametrize("function", ["sweep", "check"])
def test_silence_is_an_alarm(stack: Template, function: str) -> None:
    """Nobody would miss the sweep or the checks, so their absence is what breaches."""
    _, alarm = stack.named("AWS::CloudWatch::Alarm", "AlarmName", f"ecs-first-responder-{function}-silent")
    assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("LessThanThreshold", "breaching")


def test_no_secret_and_no_address_is_in_the_state_machine(definition: dict[str, Any]) -> None:
    """Between steps travel counters alone; people's addresses belong to the topic."""
    assert "on-call@example.com" not in json.dumps(definition)
