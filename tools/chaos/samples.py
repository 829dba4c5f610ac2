"""Messages of every shape the responder reads, small and of our own making. Each call gives a fresh one to change."""

import json
from typing import Any

ACCOUNT = "111122223333"
REGION = "eu-central-1"
AT = "2026-03-01T03:12:04.517+0000"

JsonObject = dict[str, Any]


def alarm_arn(name: str) -> str:
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def metric(cluster: str | None = "shop", service: str | None = "orders", *, returned: bool = True) -> JsonObject:
    """One entry of an alarm's configuration, as EventBridge shapes it."""
    named = {"ClusterName": cluster, "ServiceName": service}
    dimensions = {name: value for name, value in named.items() if value is not None}
    wanted = {"namespace": "AWS/ECS", "name": "CPUUtilization", "dimensions": dimensions}
    return {"id": "m1", "metricStat": {"metric": wanted, "period": 60, "stat": "Average"}, "returnData": returned}


def alarm_detail(*metrics: JsonObject, name: str = "orders-cpu", state: str = "ALARM") -> JsonObject:
    return {
        "alarmName": name,
        "state": {"value": state, "reason": "three of three points were above 85", "timestamp": AT},
        "previousState": {"value": "OK", "reason": "quiet", "timestamp": "2026-03-01T02:00:00.000+0000"},
        "configuration": {"metrics": list(metrics) or [metric()]},
    }


def alarm_event(detail: Any = None) -> JsonObject:
    """EventBridge, `CloudWatch Alarm State Change`."""
    detail = alarm_detail() if detail is None else detail
    name = detail.get("alarmName", "x") if isinstance(detail, dict) else "x"
    return {
        "version": "0",
        "id": "7c4f8f0a-0000-4000-8000-000000000001",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": ACCOUNT,
        "time": "2026-03-01T03:12:04Z",
        "region": REGION,
        "resources": [alarm_arn(str(name))],
        "detail": detail,
    }


def heartbeat_event(
    rule: str = "ecs-first-responder-heartbeat",
    *,
    account: str = ACCOUNT,
    region: str = REGION,
    time: str = "2026-03-01T03:12:04Z",
) -> JsonObject:
    """EventBridge, a rule with a schedule."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": time,
        "region": region,
        "resources": [f"arn:aws:events:{region}:{account}:rule/{rule}"],
        "detail": {},
    }


def composite_event(rule: str, **state: Any) -> JsonObject:
    detail = alarm_detail(name="orders-unwell")
    detail["configuration"] = {"alarmRule": rule}
    detail["state"] |= state
    return alarm_event(detail)


def lambda_action() -> JsonObject:
    """A direct Lambda alarm action."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm_arn("orders-cpu"),
        "accountId": ACCOUNT,
        "time": AT,
        "region": REGION,
        "alarmData": alarm_detail(),
    }


def sns_message(name: str = "orders-cpu", *, service: str = "orders") -> JsonObject:
    """What an alarm's SNS action publishes."""
    return {
        "AlarmName": name,
        "AlarmDescription": None,
        "AWSAccountId": ACCOUNT,
        "NewStateValue": "ALARM",
        "NewStateReason": "three of three points were above 85",
        "StateChangeTime": AT,
        "Region": "EU (Frankfurt)",
        "AlarmArn": alarm_arn(name),
        "OldStateValue": "OK",
        "Trigger": {
            "MetricName": "CPUUtilization",
            "Namespace": "AWS/ECS",
            "Dimensions": [{"value": service, "name": "ServiceName"}, {"value": "shop", "name": "ClusterName"}],
            "Period": 60,
        },
    }


def envelope(message: JsonObject | str, **changes: Any) -> JsonObject:
    """SNS around a message, as it lies in SQS without raw delivery."""
    return {
        "Type": "Notification",
        "MessageId": "7c4f8f0a-0000-4000-8000-000000000002",
        "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-03-01T03:12:04.600Z",
        "SigningCertURL": "https://sns.example.com/cert.pem",
    } | changes


def sns_to_lambda(*messages: JsonObject | str) -> JsonObject:
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": envelope(m)} for m in messages]}


def sqs_to_lambda(*bodies: JsonObject | str) -> JsonObject:
    return {
        "Records": [
            {"messageId": f"m-{n}", "eventSource": "aws:sqs", "body": b if isinstance(b, str) else json.dumps(b)}
            for n, b in enumerate(bodies)
        ]
    }


def service_arn(path: str = "shop/orders") -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{path}"


def deployment_event(name: str = "SERVICE_DEPLOYMENT_FAILED", *, arn: str | None = None) -> JsonObject:
    return {
        "version": "0",
        "detail-type": "ECS Deployment State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": "2026-03-01T03:12:05Z",
        "region": REGION,
        "resources": [service_arn() if arn is None else arn],
        "detail": {
            "eventType": "ERROR" if name.endswith("FAILED") else "INFO",
            "eventName": name,
            "deploymentId": "ecs-svc/4711",
            "updatedAt": "2026-03-01T03:12:04Z",
            "reason": "ECS deployment circuit breaker: tasks failed to start.",
        },
    }


def service_action(level: str = "ERROR") -> JsonObject:
    return {
        "version": "0",
        "detail-type": "ECS Service Action",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": "2026-03-01T03:12:05Z",
        "region": REGION,
        "resources": [service_arn()],
        "detail": {
            "eventType": level,
            "eventName": "SERVICE_TASK_PLACEMENT_FAILURE",
            "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop",
            "createdAt": "2026-03-01T03:12:04.251Z",
            "reason": "RESOURCE:MEMORY",
        },
    }


def task_event(
    code: str | None = "EssentialContainerExited",
    reason: str | None = "Essential container in task exited",
    *,
    status: str = "STOPPED",
    deployment: str = "ecs-svc/4711",
    stopped_at: str = "2026-03-01T03:12:04.9Z",
) -> JsonObject:
    """EventBridge, `ECS Task State Change`."""
    return {
        "version": "0",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": "2026-03-01T03:12:05Z",
        "region": REGION,
        "resources": [f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/0123456789abcdef"],
        "detail": {
            "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop",
            "containers": [{"name": "app", "lastStatus": status, "exitCode": 1}],
            "desiredStatus": "STOPPED",
            "group": "service:orders",
            "lastStatus": status,
            "startedBy": deployment,
            "stopCode": code,
            "stoppedAt": stopped_at,
            "stoppedReason": reason,
            "updatedAt": "2026-03-01T03:12:05.1Z",
            "version": 5,
        },
    }


def every_shape() -> dict[str, JsonObject]:
    """One message of each shape that holds exactly one signal."""
    return {
        "eventbridge": alarm_event(),
        "composite": composite_event("ALARM(orders-cpu) OR ALARM(orders-5xx)"),
        "lambda action": lambda_action(),
        "sns message": sns_message(),
        "sns envelope": envelope(sns_message()),
        "sns to lambda": sns_to_lambda(sns_message()),
        "sqs, raw": sqs_to_lambda(sns_message()),
        "sqs, enveloped": sqs_to_lambda(envelope(sns_message())),
        "sqs, eventbridge": sqs_to_lambda(alarm_event()),
        "sns around eventbridge": envelope(alarm_event()),
        "deployment": deployment_event(),
        "service action": service_action(),
        "task": task_event(),
        "health": health_event("arn:aws:ecs:eu-central-1:111122223333:service/shop/orders"),
        "budget": envelope(budget_notice()),
        "anomaly": envelope(anomaly_message()),
        "anomaly, eventbridge": anomaly_event(),
        "finding": finding_event(),
        "finding of a role": finding_event(ROLE_USED),
    }


def health_event(*entities: str, **said: Any) -> JsonObject:
    """EventBridge, `AWS Health Event`: an open issue of ECS in this Region, unless said otherwise."""
    detail = {
        "eventArn": f"arn:aws:health:{REGION}::event/ECS/AWS_ECS_OPERATIONAL_ISSUE/AWS_ECS_OPERATIONAL_ISSUE_ABC",
        "service": "ECS",
        "eventTypeCode": "AWS_ECS_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "eventScopeCode": "ACCOUNT_SPECIFIC",
        "eventRegion": REGION,
        "statusCode": "open",
        "startTime": "Sun, 01 Mar 2026 02:50:00 GMT",
        "lastUpdatedTime": "Sun, 01 Mar 2026 03:12:04 GMT",
        "eventDescription": [{"language": "en_US", "latestDescription": "Tasks take longer than usual to start."}],
        "affectedEntities": [{"entityValue": entity, "status": "IMPAIRED"} for entity in entities],
    }
    return {
        "version": "0",
        "id": "7c4f8f0a-0000-4000-8000-000000000010",
        "detail-type": "AWS Health Event",
        "source": "aws.health",
        "account": ACCOUNT,
        "time": "2026-03-01T03:12:30Z",
        "region": REGION,
        "resources": list(entities),
        "detail": detail | said,
    }


def budget_notice(name: str = "orders-monthly") -> str:
    """What AWS Budgets publishes to SNS: plain text."""
    return (
        f"AWS Budget Notification March 01, 2026\nAWS Account {ACCOUNT}\n\nDear AWS Customer,\n\n"
        f"the ACTUAL cost associated with your {name} budget is greater than $40.00.\n\n"
        f"Budget Name: {name}\nBudget Type: Cost\nBudgeted Amount: $50.00\nAlert Type: ACTUAL\n"
        "Alert Threshold: > $40.00\nACTUAL Amount: $41.37\n\n[1] https://console.example.com/budgets\n"
    )


def anomaly_message(**said: Any) -> JsonObject:
    """What Cost Anomaly Detection publishes to SNS."""
    return {
        "accountId": ACCOUNT,
        "anomalyId": "7c4f8f0a-0000-4000-8000-000000000011",
        "anomalyStartDate": "2026-02-28T00:00:00Z",
        "anomalyEndDate": "2026-03-01T00:00:00Z",
        "dimensionalValue": "Amazon Elastic Container Service",
        "monitorName": "services",
        "anomalyScore": {"maxScore": 0.67, "currentScore": 0.51},
        "impact": {"maxImpact": 20.5, "totalActualSpend": 52.2, "totalExpectedSpend": 10.1, "totalImpact": 42.1},
        "rootCauses": [
            {
                "service": "Amazon Elastic Container Service",
                "region": REGION,
                "linkedAccount": ACCOUNT,
                "usageType": "EUC1-Fargate-vCPU-Hours:perCPU",
            }
        ],
    } | said


def anomaly_event(**said: Any) -> JsonObject:
    """EventBridge, `Anomaly Detected`: the same, with the dimension spelt another way."""
    detail = anomaly_message()
    detail["dimensionValue"] = detail.pop("dimensionalValue")
    return {
        "version": "0",
        "id": "7c4f8f0a-0000-4000-8000-000000000012",
        "detail-type": "Anomaly Detected",
        "source": "aws.ce",
        "account": ACCOUNT,
        "time": "2026-03-01T03:12:30Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:ce::{ACCOUNT}:anomalymonitor/7c4f8f0a"],
        "detail": detail | said,
    }


FINDING = f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/0ab1/finding/1cd2"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop"
IN_A_TASK: JsonObject = {
    "resourceType": "ECSCluster",
    "ecsClusterDetails": {
        "name": "shop",
        "arn": CLUSTER,
        "taskDetails": {
            "arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/0123456789abcdef",
            "group": "service:orders",
            "startedBy": "ecs-svc/4711",
        },
    },
}
ROLE_USED: JsonObject = {
    "resourceType": "AccessKey",
    "accessKeyDetails": {
        "accessKeyId": "ASIAEXAMPLE",
        "principalId": "AROAEXAMPLE:0123456789abcdef",
        "userName": "orders-task",
        "userType": "AssumedRole",
    },
}


def finding_event(resource: JsonObject | None = None, **said: Any) -> JsonObject:
    """EventBridge, `GuardDuty Finding`: about a task of the service, unless said otherwise."""
    detail = {
        "schemaVersion": "2.0",
        "accountId": ACCOUNT,
        "region": REGION,
        "id": "1cd2",
        "arn": FINDING,
        "type": "CryptoCurrency:Runtime/BitcoinTool.B!DNS",
        "severity": 8,
        "title": "A container asks for a domain of a mining pool.",
        "createdAt": "2026-03-01T03:10:00.000Z",
        "updatedAt": "2026-03-01T03:12:04.517Z",
        "resource": IN_A_TASK if resource is None else resource,
        "service": {"serviceName": "guardduty", "detectorId": "0ab1", "archived": False, "count": 1},
    }
    return {
        "version": "0",
        "id": "7c4f8f0a-0000-4000-8000-000000000013",
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": ACCOUNT,
        "time": "2026-03-01T03:15:00Z",
        "region": REGION,
        "resources": [],
        "detail": detail | said,
    }


def secret_arn() -> str:
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:orders/db-AbCdEf"


def secret_event(event_name: str = "PutSecretValue", **said: Any) -> JsonObject:
    """EventBridge, `AWS API Call via CloudTrail`, of a secret that got another value."""
    detail = {
        "eventVersion": "1.09",
        "eventTime": "2026-03-01T03:12:04Z",
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": event_name,
        "awsRegion": REGION,
        "requestParameters": {"secretId": secret_arn(), "clientRequestToken": "7c4f8f0a"},
        "responseElements": {"arn": secret_arn()},
        "eventID": "7c4f8f0a-0000-4000-8000-00000000000e",
        "readOnly": False,
        "eventType": "AwsApiCall",
    }
    return {
        "version": "0",
        "id": "7c4f8f0a-0000-4000-8000-00000000000f",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.secretsmanager",
        "account": ACCOUNT,
        "time": "2026-03-01T03:13:00Z",
        "region": REGION,
        "resources": [],
        "detail": detail | said,
    }
