"""Who may do what: the grants of the template against what is declared, called and documented."""

import re
from pathlib import Path

import pytest

from functions.actions.registry import ACTIONS
from functions.adapters import (
    account,
    autoscaling,
    backups,
    billing,
    breach,
    changer,
    check_metrics,
    cloudwatch,
    ecs,
    elbv2,
    eventbridge,
    front,
    functions,
    ledger,
    logs,
    monitoring,
    mutes,
    network,
    rds,
    runs,
    s3,
    secret_values,
    secrets,
    sns,
    sqs,
    stepfunctions,
    tables,
    webhooks,
)
from functions.adapters.runs import PLACE
from functions.diagnostics.registry import PROBES
from functions.diagnostics.score import READS as READS_OF_SCORE
from functions.domain.permissions import Resource
from functions.workflow.digests.checklist import needs as digest_needs
from functions.workflow.validation import NEEDS
from infra.permissions import WILDCARDS
from tests.infra.synthesis import Allowed, Synthesis, Template

READS = re.compile(r"^[a-z0-9-]+:(Describe|List|Get|Query|LookupEvents)")
VALUES = re.compile(r"^(secretsmanager:.*Value|ssm:GetParameter)")
OWN = re.compile(r"^(dynamodb|s3|logs|xray):")
"""Services in which the responder writes what is its own."""

CHANGES = {
    "cloudwatch:PutAlarmMuteRule",
    "cloudwatch:DeleteAlarmMuteRule",
    "dynamodb:CreateBackup",
    "rds:CreateDBSnapshot",
    "ecs:UpdateService",
    "ecs:StopServiceDeployment",
    "ecs:RegisterTaskDefinition",
    "ecs:StopTask",
    "ecs:TagResource",
    "iam:PassRole",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:RegisterScalableTarget",
    "arc-zonal-shift:StartZonalShift",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
}
ASKED = ("api", "read", "trial")
LISTED_SNAPSHOTS = {
    ("rds:DescribeDBSnapshots", "arn:aws:rds:eu-west-1:123456789012:db:orders-db"),
    ("rds:DescribeDBSnapshots", "arn:aws:rds:eu-west-1:123456789012:snapshot:*"),
}
READ_BY_NAME = ("rds:DescribeDBInstances", "pi:DescribeDimensionKeys", "ecs:DescribeServices")
FUNCTIONS = [
    "assess",
    "check",
    "close",
    "digest",
    "forward",
    "intake",
    "lookup",
    "notify",
    "read",
    "remediate",
    "report",
    "restore",
    "sweep",
    "trial",
    "verify",
]


@pytest.fixture(scope="module")
def stack(synthesis: Synthesis) -> Template:
    return synthesis.responder


def allowed(stack: Template, function: str) -> set[Allowed]:
    return stack.allowed_to(f"ecs-first-responder-{function}")


def actions(stack: Template, function: str) -> set[str]:
    return {entry.action for entry in allowed(stack, function)}


def everything_allowed(stack: Template) -> set[Allowed]:
    return {entry for role in stack.resources("AWS::IAM::Role") for entry in stack.allowed(role)}


def wide(entry: Allowed) -> bool:
    return "*" in entry.resource or "?" in entry.resource


def test_every_wildcard_has_its_reason(stack: Template) -> None:
    """No action is granted on a wildcard unless the table of exceptions names it, and the table names no other."""
    granted = {entry.action for entry in everything_allowed(stack) if wide(entry)}
    assert granted == set(WILDCARDS)


def test_no_action_is_a_wildcard(stack: Template) -> None:
    """Every right is written out."""
    assert [entry.action for entry in everything_allowed(stack) if "*" in entry.action] == []


def test_the_page_on_rights_is_true(stack: Template, project: Path) -> None:
    """`docs/iam.md` lists every wildcard with its resource and its reason, as the template has them."""
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| (.+) \|$", (project / "docs" / "iam.md").read_text(), re.M)
    assert {(action, resource) for action, resource, _ in rows} == {
        (entry.action, generic(entry.resource)) for entry in everything_allowed(stack) if wide(entry)
    }
    assert {action: reason for action, _, reason in rows} == WILDCARDS


def generic(resource: str) -> str:
    """A resource with what differs from deployment to deployment replaced."""
    for pattern, name in (
        (r"eu-west-1", "REGION"),
        (r"123456789012", "ACCOUNT"),
        (r"ecs-first-responder", "NAME"),
        (r"<StorageArchive[^>]+>", "ARCHIVE"),
        (r"(service-deployment|service-revision)/shop/[a-z_]+/", r"\1/CLUSTER/SERVICE/"),
        (r"task/shop/", "task/CLUSTER/"),
        (r"(orders/cron|shop/cron-secret)-", "SECRET-"),
    ):
        resource = re.sub(pattern, name, resource)
    return resource


LOOKING = ("assess", "verify", "sweep", "bake", "check", "digest", "intake", "notify", "close", "report", "lookup")


@pytest.mark.parametrize("function", [*LOOKING, "forward"])
def test_only_remediate_and_restore_change_anything(function: str, stack: Template) -> None:
    """Whatever looks, decides or tells cannot change a service, whatever its code does."""
    assert actions(stack, function).isdisjoint(CHANGES)


@pytest.mark.parametrize("function", ["api", "read", "trial"])
def test_the_http_api_changes_nothing_by_itself(function: str, stack: Template) -> None:
    """Whoever breaks into it gives orders at most, and the guardrails judge these."""
    assert actions(stack, function).isdisjoint(CHANGES)


def test_who_is_asked_may_not_read_and_who_reads_may_not_write(stack: Template) -> None:
    """Each of the three functions of the HTTP API has what the others lack."""
    beside_logs = {f: {a for a in actions(stack, f) if not re.match(r"^(logs:(Create|Put)|xray:)", a)} for f in ASKED}
    assert {action for action in beside_logs["api"] if not OWN.match(action)} == {
        "states:StartExecution",
        "states:SendTaskSuccess",
        "lambda:InvokeFunction",
    }
    assert [
        action for action in beside_logs["read"] if not READS.match(action) and not action.startswith("logs:")
    ] == []
    assert {action for action in beside_logs["read"] if action.startswith(("dynamodb:", "s3:"))} == {
        "dynamodb:GetItem",
        "dynamodb:Query",
        *(action for action in tables.CALLS if action.startswith("dynamodb:")),
        "dynamodb:ListBackups",
    }
    assert beside_logs["trial"] == {"s3:PutObject"}
    for function in ("api", "trial"):
        (kept,) = (entry.resource for entry in allowed(stack, function) if entry.action == "s3:PutObject")
        assert kept.endswith(f"/{PLACE}*")


def test_an_execution_that_waits_is_woken_by_those_who_have_news(stack: Template) -> None:
    """Neither the function that asks people nor the machine can go on by itself. Whoever wakes says nothing by that:
    what people answered is in the ledger, or was not said."""
    may = {
        role
        for role in stack.resources("AWS::IAM::Role")
        for entry in stack.allowed(role)
        if entry.action.startswith("states:SendTask")
    }
    wakers = [
        stack.named("AWS::Lambda::Function", "FunctionName", f"ecs-first-responder-{name}")[1]
        for name in ("api", "intake", "verify")
    ]
    assert may == {waker["Role"]["Fn::GetAtt"][0] for waker in wakers}


def test_the_http_api_calls_its_two_functions_alone(stack: Template) -> None:
    """And none of those that change a service."""
    called = {entry.resource for entry in allowed(stack, "api") if entry.action == "lambda:InvokeFunction"}
    where = "arn:aws:lambda:eu-west-1:123456789012:function:ecs-first-responder"
    assert called == {f"{where}-read", f"{where}-trial"}


def test_the_read_function_may_what_every_probe_declares(stack: Template) -> None:
    """Otherwise an answer would say unknown for want of a right."""
    probes = {permission.action for probe in PROBES.values() for permission in probe.permissions}
    assert probes <= actions(stack, "read")


@pytest.mark.parametrize("function", ["assess", "verify", "report"])
def test_looking_reads_aws_and_writes_the_ledger(function: str, stack: Template) -> None:
    """They have no right that writes outside of the responder's own table, archive, log and traces; verify wakes its
    own execution."""
    beyond = {action for action in actions(stack, function) if not READS.match(action) and not OWN.match(action)}
    assert beyond == ({"states:SendTaskSuccess"} if function == "verify" else set())


def test_events_are_put_on_the_bus_under_the_responders_own_name_alone(stack: Template) -> None:
    """By those who act and those who tell; who only looks does not, and nobody can pass for another source."""
    for function in FUNCTIONS:
        granted = {e for e in allowed(stack, function) if e.action in eventbridge.CALLS}
        if function not in ("remediate", "notify", "close"):
            assert granted == set()
            continue
        (entry,) = granted
        assert entry.resource == "arn:aws:events:eu-west-1:123456789012:event-bus/default"
        assert entry.conditions == '{"StringEquals": {"events:source": "ecs-first-responder"}}'


def test_only_notify_calls_second_contacts(stack: Template) -> None:
    """Their topic is in nobody else's reach."""
    second, _ = stack.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-second")
    reach = [
        f for f in FUNCTIONS if ("sns:Publish", f"<{second}>") in {(e.action, e.resource) for e in allowed(stack, f)}
    ]
    assert reach == ["notify"]


def test_only_two_read_secrets_and_only_what_playbooks_name(stack: Template) -> None:
    """Remediate the tokens of webhooks, check the headers of checks. Of every other secret it is only asked whether it
    exists; what is in it is in no function's rights."""
    readers = {
        role: {(entry.action, entry.resource) for entry in stack.allowed(role) if VALUES.match(entry.action)}
        for role in stack.resources("AWS::IAM::Role")
    }
    named = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
    tokens = {
        ("secretsmanager:GetSecretValue", each) for each in (f"{named}shop/cron-secret-??????", f"{named}purge-AbCdEf")
    }
    headers = {("secretsmanager:GetSecretValue", f"{named}orders/cron-??????")}
    assert sorted(map(sorted, filter(None, readers.values()))) == sorted(map(sorted, (tokens, headers)))
    assert tokens <= {(entry.action, entry.resource) for entry in allowed(stack, "remediate")}
    assert headers <= {(entry.action, entry.resource) for entry in allowed(stack, "check")}


def test_check_reads_its_secrets_publishes_and_nothing_else(stack: Template) -> None:
    """Neither ledger nor executions are in its reach, and it publishes into the namespace of the checks alone."""
    own = {action for action in actions(stack, "check") if not re.match(r"^(logs|xray):", action)}
    assert own == {"secretsmanager:GetSecretValue", "cloudwatch:PutMetricData"}
    publishing = {e.conditions for e in everything_allowed(stack) if e.action == "cloudwatch:PutMetricData"}
    assert publishing == {'{"StringEquals": {"cloudwatch:namespace": "EcsFirstResponder/Checks"}}'}


def test_nobody_runs_a_statement_in_a_database(stack: Template) -> None:
    """A schema that does not fit is rolled back or given to people: no function could change it."""
    data = ("rds-data:", "redshift-data:", "rds-db:", "dynamodb:PartiQL", "dms:")
    assert [entry.action for entry in everything_allowed(stack) if entry.action.startswith(data)] == []


def test_the_look_up_reads_task_definitions_only_for_log_groups(stack: Template) -> None:
    """It may describe the service, and its task definition where a playbook has an alarm on a log without a group."""
    assert {action for action in actions(stack, "lookup") if not OWN.match(action)} == {
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "elasticloadbalancing:DescribeTargetGroups",
    }


def test_restore_gives_back_and_nothing_else(stack: Template) -> None:
    """What was temporary is given back with four rights alone; an alarm can be unmuted, not muted."""
    assert actions(stack, "restore") & CHANGES == {
        "ecs:UpdateService",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:PutScalingPolicy",
        "cloudwatch:DeleteAlarmMuteRule",
    }


def test_only_alarms_of_a_playbook_that_says_so_are_muted(stack: Template) -> None:
    """By rules that are named after them; those that the deployment makes tell only the responder, and stay loud."""
    muted = {entry.resource for entry in everything_allowed(stack) if entry.action == "cloudwatch:PutAlarmMuteRule"}
    where = "arn:aws:cloudwatch:eu-west-1:123456789012"
    assert muted == {
        f"{where}:alarm-mute-rule:responder-mute-*",
        f"{where}:alarm:orders-legacy-5xx",
    }


def test_changes_reach_the_services_of_the_playbooks_alone(stack: Template) -> None:
    """A service without a playbook cannot be changed: its ARN is in no policy."""
    updated = {entry.resource for entry in allowed(stack, "remediate") if entry.action == "ecs:UpdateService"}
    assert updated == {
        "arn:aws:ecs:eu-west-1:123456789012:service/shop/orders",
        "arn:aws:ecs:eu-west-1:123456789012:service/shop/pay_ments",
    }


def test_wide_changes_are_conditional(stack: Template) -> None:
    """Passing roles and setting scalable targets, which no ARN narrows, are narrowed by conditions."""
    conditions = {entry.action: entry.conditions for entry in allowed(stack, "remediate")}
    assert conditions["iam:PassRole"] == '{"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}'
    assert "ecs:service:DesiredCount" in conditions["application-autoscaling:RegisterScalableTarget"]
    assert "ecs:service:DesiredCount" in conditions["application-autoscaling:PutScalingPolicy"]
    assert "cluster/shop" in conditions["ecs:StopTask"]
    assert "cluster/shop" in conditions["ecs:ListTasks"] if "ecs:ListTasks" in conditions else True


def test_what_is_called_is_granted(stack: Template) -> None:
    """Every IAM action that an adapter calls is granted to some function: nothing fails for lack of a right."""
    reading = (
        account,
        autoscaling,
        billing,
        breach,
        cloudwatch,
        ecs,
        elbv2,
        front,
        logs,
        monitoring,
        network,
        rds,
        secrets,
        tables,
    )
    checking = (check_metrics, secret_values)
    asked = (functions, runs)
    adapters = (*reading, *checking, *asked, backups, changer, ledger, mutes, s3, sns, sqs, stepfunctions, webhooks)
    called = {call for adapter in adapters for call in adapter.CALLS} | {*backups.LIST_CALLS, *logs.LINES_CALLS}
    assert called <= {entry.action for entry in everything_allowed(stack)}


def test_what_is_declared_is_granted_where_it_is_needed(stack: Template) -> None:
    """Assess has what every probe declares, remediate what every action declares."""
    probes = {permission.action for probe in PROBES.values() for permission in probe.permissions}
    ours = (action for name, action in ACTIONS.items() if not name.contains)
    changes = {permission.action for action in ours for permission in action.permissions}
    assert probes <= actions(stack, "assess")
    assert {permission.action for permission in digest_needs()} <= actions(stack, "digest")
    assert changes <= actions(stack, "remediate")


def test_verify_reads_the_score_only_where_a_playbook_asks_for_it(stack: Template, containing: Synthesis) -> None:
    """With a score to reach it reads what the score is made of; without one, service, tasks, targets and alarms."""
    scored = {permission.action for name in READS_OF_SCORE for permission in PROBES[name].permissions}
    plain = {p.action for name in ("service", "tasks", "targets", "alarms") for p in PROBES[name].permissions}
    without = {action for action in actions(containing.responder, "verify") if not OWN.match(action)}
    assert scored <= actions(stack, "verify")
    validation = {permission.action for permission in NEEDS if permission.resource is not Resource.DASHBOARD}
    assert without == plain | validation | {"states:SendTaskSuccess"}


def test_backups_are_taken_of_what_is_named_and_never_deleted(stack: Template) -> None:
    """Of the tables and the DB instance of the playbooks, by remediate alone."""
    granted = {
        (entry.action, entry.resource)
        for entry in everything_allowed(stack)
        if "Backup" in entry.action or "Snapshot" in entry.action
    }
    assert granted == {
        ("dynamodb:ListBackups", "*"),
        ("dynamodb:CreateBackup", "arn:aws:dynamodb:eu-west-1:123456789012:table/carts"),
        ("rds:CreateDBSnapshot", "arn:aws:rds:eu-west-1:123456789012:db:orders-db"),
        ("rds:CreateDBSnapshot", "arn:aws:rds:eu-west-1:123456789012:snapshot:responder-*"),
        *LISTED_SNAPSHOTS,
    }
    assert granted - LISTED_SNAPSHOTS <= {(entry.action, entry.resource) for entry in allowed(stack, "remediate")}
    assert {(entry.action, entry.resource) for entry in allowed(stack, "assess")} >= LISTED_SNAPSHOTS


def test_a_digest_reads_and_tells_and_nothing_else(stack: Template) -> None:
    """Beside the responder's own table, archive, log and traces it only reads, and publishes to the pages."""
    own = {action for action in actions(stack, "digest") if not OWN.match(action) and not READS.match(action)}
    assert own == {"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"}
    assert {(entry.action, entry.resource) for entry in allowed(stack, "digest")} >= LISTED_SNAPSHOTS


def test_what_playbooks_name_is_read_and_nothing_else(stack: Template) -> None:
    """Another service and a DB instance are granted by their names; without such a name nothing is."""
    granted = {action: {e.resource for e in allowed(stack, "assess") if e.action == action} for action in READ_BY_NAME}
    assert granted == {
        "rds:DescribeDBInstances": {"arn:aws:rds:eu-west-1:123456789012:db:orders-db"},
        "pi:DescribeDimensionKeys": {"arn:aws:pi:eu-west-1:123456789012:metrics/rds/*"},
        "ecs:DescribeServices": {
            "arn:aws:ecs:eu-west-1:123456789012:service/shop/orders",
            "arn:aws:ecs:eu-west-1:123456789012:service/shop/pay_ments",
            "arn:aws:ecs:eu-west-1:123456789012:service/shop/stock",
        },
    }


def test_a_dashboard_and_a_table_are_read_by_their_names(stack: Template) -> None:
    """Whether the playbook's dashboard is there, and what a table that throttles takes."""
    where = "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-carts"
    granted = allowed(stack, "assess")
    assert {e.resource for e in granted if e.action == "dynamodb:DescribeTable"} == {where}
    assert {e.resource for e in granted if e.action == "cloudwatch:GetDashboard"} == {
        "arn:aws:cloudwatch::123456789012:dashboard/responder-eu-west-1-shop-orders"
    }
    verifies = {e.resource for e in allowed(stack, "verify") if e.action == "cloudwatch:GetDashboard"}
    assert len(verifies) == 1


def test_no_function_may_call_another(stack: Template) -> None:
    """Only the state machine invokes, and who is asked over HTTP; a function that is broken into leads no further."""
    for function in FUNCTIONS:
        assert "lambda:InvokeFunction" not in actions(stack, function)


def test_the_machine_calls_versions_pages_and_itself(stack: Template) -> None:
    """The state machine's role reaches published versions, the page topic and its own successor."""
    ((_, machine),) = stack.resources("AWS::StepFunctions::StateMachine").items()
    granted = stack.allowed(machine["RoleArn"]["Fn::GetAtt"][0])
    by_action: dict[str, set[str]] = {}
    for entry in granted:
        by_action.setdefault(entry.action, set()).add(entry.resource)
    pages, _ = stack.named("AWS::SNS::Topic", "TopicName", "ecs-first-responder-pages")
    assert by_action["lambda:InvokeFunction"] == {f"<{v}>" for v in stack.resources("AWS::Lambda::Version")}
    assert by_action["sns:Publish"] == {f"<{pages}>"}
    assert by_action["states:StartExecution"] == {
        "arn:aws:states:eu-west-1:123456789012:stateMachine:ecs-first-responder"
    }
