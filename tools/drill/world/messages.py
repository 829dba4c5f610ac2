"""The messages that AWS sends of what happens: those of the intake queue as its function gets them, and the events of
secrets as EventBridge hands them to a function.

Sources: Amazon SNS Developer Guide, message formats; CloudWatch User Guide, "Alarm events and EventBridge"; ECS
Developer Guide, "Amazon ECS events"; Lambda Developer Guide, "Using Lambda with Amazon SQS"; Secrets Manager User
Guide, "Match AWS Secrets Manager events with Amazon EventBridge"; CloudTrail User Guide, "CloudTrail record contents";
Systems Manager User Guide, "Amazon EventBridge event examples for Systems Manager".
"""

import json
from datetime import datetime
from typing import Any

from tools.drill.world.alarms import Alarm
from tools.drill.world.secrets import Secret

Json = dict[str, Any]

_REGION_NAMES = {"eu-central-1": "EU (Frankfurt)", "eu-west-1": "EU (Ireland)", "us-east-1": "US East (N. Virginia)"}


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"


def alarm_by_sns(alarm: Alarm, *, previous: str, account: str, region: str, id: str) -> Json:
    """What an alarm's SNS action publishes, in the envelope in which it lies in SQS."""
    definition = alarm.definition
    trigger: Json = {
        "Period": alarm.rule.period_s,
        "EvaluationPeriods": alarm.rule.evaluation_periods,
        "DatapointsToAlarm": alarm.rule.datapoints,
        "ComparisonOperator": definition["ComparisonOperator"],
        "Threshold": alarm.rule.threshold,
        "TreatMissingData": alarm.rule.missing,
        "EvaluateLowSampleCountPercentile": "",
    }
    if "Metrics" in definition:
        trigger["Metrics"] = [_sns_query(query) for query in definition["Metrics"]]
    else:
        trigger |= {
            "MetricName": definition["MetricName"],
            "Namespace": definition["Namespace"],
            **_sns_statistic(definition),
            "Unit": None,
            "Dimensions": [{"value": d["Value"], "name": d["Name"]} for d in definition["Dimensions"]],
        }
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": definition.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _written(definition["AlarmConfigurationUpdatedTimestamp"]) + "+0000",
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": _written(alarm.updated_at) + "+0000",
        "Region": _REGION_NAMES.get(region, region),
        "AlarmArn": definition["AlarmArn"],
        "OldStateValue": previous,
        "OKActions": definition["OKActions"],
        "AlarmActions": definition["AlarmActions"],
        "InsufficientDataActions": definition["InsufficientDataActions"],
        "Trigger": trigger,
    }
    return {
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": definition["AlarmActions"][0],
        "Subject": f'{alarm.state}: "{alarm.name}" in {_REGION_NAMES.get(region, region)}',
        "Message": json.dumps(message),
        "Timestamp": _written(alarm.updated_at) + "Z",
        "SignatureVersion": "1",
    }


def _sns_statistic(definition: Json) -> Json:
    if "ExtendedStatistic" in definition:
        return {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": definition["ExtendedStatistic"]}
    return {"StatisticType": "Statistic", "Statistic": definition["Statistic"].upper()}


def _sns_query(query: Json) -> Json:
    stat = query.get("MetricStat")
    if stat is None:
        return query
    metric = stat["Metric"]
    dimensions = [{"value": d["Value"], "name": d["Name"]} for d in metric["Dimensions"]]
    return {**query, "MetricStat": {**stat, "Metric": {**metric, "Dimensions": dimensions}}}


def alarm_by_eventbridge(alarm: Alarm, *, previous: str, account: str, region: str, id: str) -> Json:
    """The event `CloudWatch Alarm State Change`."""
    definition = alarm.definition
    plain = {
        "id": "m1",
        "metricStat": {
            "metric": {
                "namespace": definition.get("Namespace", ""),
                "name": definition.get("MetricName", ""),
                "dimensions": {d["Name"]: d["Value"] for d in definition.get("Dimensions", ())},
            },
            "period": alarm.rule.period_s,
            "stat": definition.get("ExtendedStatistic") or definition.get("Statistic", ""),
        },
        "returnData": True,
    }
    metrics = [_event_query(query) for query in definition["Metrics"]] if "Metrics" in definition else [plain]
    detail = {
        "alarmName": alarm.name,
        "state": {"value": alarm.state, "reason": alarm.reason, "timestamp": _written(alarm.updated_at) + "+0000"},
        "previousState": {"value": previous},
        "configuration": {"metrics": metrics},
    }
    return _event(
        "CloudWatch Alarm State Change",
        "aws.cloudwatch",
        detail,
        resource=definition["AlarmArn"],
        account=account,
        region=region,
        id=id,
        at=alarm.updated_at,
    )


def _event_query(query: Json) -> Json:
    written: Json = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if (stat := query.get("MetricStat")) is None:
        return {**written, "expression": query["Expression"]}
    metric = stat["Metric"]
    named = {
        "namespace": metric["Namespace"],
        "name": metric["MetricName"],
        "dimensions": {d["Name"]: d["Value"] for d in metric["Dimensions"]},
    }
    return {**written, "metricStat": {"metric": named, "period": stat["Period"], "stat": stat["Stat"]}}


def ecs_event(
    detail_type: str, detail: Json, *, service_arn: str, account: str, region: str, id: str, at: datetime
) -> Json:
    """An ECS event about a service. Deployments tell their time as updatedAt, service actions as createdAt."""
    name = "createdAt" if detail_type == "ECS Service Action" else "updatedAt"
    timed = {**detail, name: _written(at) + "Z"}
    return _event(detail_type, "aws.ecs", timed, resource=service_arn, account=account, region=region, id=id, at=at)


_NOT_IN_EVENTS = ("tags", "healthStatus", "platformFamily")
"""What DescribeTasks tells of a task and an event does not."""


def task_event(task: Json, *, account: str, region: str, id: str, at: datetime) -> Json:
    """The event `ECS Task State Change` of a task as DescribeTasks tells it; its times are written out."""
    detail: Json = {key: value for key, value in task.items() if key not in _NOT_IN_EVENTS} | {"updatedAt": at}
    written = {key: _written(value) + "Z" if isinstance(value, datetime) else value for key, value in detail.items()}
    where = {"account": account, "region": region}
    return _event("ECS Task State Change", "aws.ecs", written, resource=task["taskArn"], id=id, at=at, **where)


def secret_event(secret: Secret, *, account: str, region: str, id: str, at: datetime) -> Json:
    """The event of a secret that somebody gave another value, as CloudTrail tells it, or Systems Manager itself."""
    where = {"account": account, "region": region}
    if secret.parameter:
        written = {"operation": "Update", "name": secret.name, "type": "SecureString"}
        return _event("Parameter Store Change", "aws.ssm", written, resource=secret.arn, id=id, at=at, **where)
    record: Json = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{account}:assumed-role/engineers/engineer",
            "accountId": account,
        },
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "PutSecretValue",
        "awsRegion": region,
        "requestParameters": {"secretId": secret.arn, "clientRequestToken": id},
        "responseElements": {"arn": secret.arn},
        "eventID": id,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    return _event("AWS API Call via CloudTrail", "aws.secretsmanager", record, resource=None, id=id, at=at, **where)


def _event(
    detail_type: str,
    source: str,
    detail: Json,
    *,
    resource: str | None,
    account: str,
    region: str,
    id: str,
    at: datetime,
) -> Json:
    return {
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [] if resource is None else [resource],
        "detail": detail,
    }


def from_queue(body: Json, *, account: str, region: str, id: str, at: datetime, received: int = 1) -> Json:
    """The event with which Lambda calls the intake function."""
    return {
        "Records": [
            {
                "messageId": id,
                "receiptHandle": f"{id}-{received}",
                "body": json.dumps(body),
                "attributes": {
                    "ApproximateReceiveCount": str(received),
                    "SentTimestamp": str(int(at.timestamp() * 1000)),
                    "SenderId": "AIDAEXAMPLE",
                    "ApproximateFirstReceiveTimestamp": str(int(at.timestamp() * 1000)),
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{region}:{account}:responder-intake",
                "awsRegion": region,
            }
        ]
    }
