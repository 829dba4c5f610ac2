"""What an emulator that enforces IAM asks for, where IAM would not: granted beside the deployed policies.

Only actions that a role has been granted are granted anew: what a role may not do is refused here, too. So the emulator
judges who may do what, and not everything of where.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

NAME = "as-the-emulator-asks"
"""Of the inline policy."""

OF_CLUSTERS = "arn:aws:ecs:*:*:cluster/*"
"""For a call of ECS the emulator asks on the cluster that the request names, whatever the call is about, and knows no
`ecs:cluster` as a condition."""

ON_NOTHING = ("logs:StartQuery",)
"""It knows of no resource that this is about."""

Client = Callable[[str], Any]


def grant_as_asked(client: Client, *, prefix: str) -> None:
    """For every role whose name begins so. `client` makes one for the emulator, by the name of a service."""
    iam = client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    for role in [each["RoleName"] for page in pages for each in page["Roles"] if each["RoleName"].startswith(prefix)]:
        granted = sorted(set(_granted(iam, role)))
        asked = {
            OF_CLUSTERS: [action for action in granted if action.startswith("ecs:")],
            "*": [action for action in granted if action in ON_NOTHING],
        }
        statements = [
            {"Effect": "Allow", "Action": actions, "Resource": on} for on, actions in asked.items() if actions
        ]
        if statements:
            document = {"Version": "2012-10-17", "Statement": statements}
            iam.put_role_policy(RoleName=role, PolicyName=NAME, PolicyDocument=json.dumps(document))


def inline_policies(iam: Any, role: str) -> dict[str, dict[str, Any]]:
    """The role's inline policies by their names: CDK makes no others."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}


def _granted(iam: Any, role: str) -> Iterator[str]:
    for document in inline_policies(iam, role).values():
        for statement in document["Statement"]:
            actions = statement["Action"]
            yield from [actions] if isinstance(actions, str) else actions


def let_plain_http_in(client: Client, *, prefix: str) -> None:
    """Take the demand for TLS out of the policies of queues, topics and buckets whose names begin so: the emulator is
    reached on this machine, and without."""
    sqs, sns, s3 = (_as_over_tls(client(service)) for service in ("sqs", "sns", "s3"))
    for url in sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", ()):
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {}).get("Policy")
        if policy:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(_without_tls(json.loads(policy)))})
    for topic in [each["TopicArn"] for each in sns.list_topics()["Topics"]]:
        if topic.rpartition(":")[2].startswith(prefix):
            policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
            left = json.dumps(_without_tls(json.loads(policy)))
            sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=left)
    for bucket in [each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"].startswith(prefix)]:
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        if (others := _without_tls(policy))["Statement"]:
            s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(others))
        else:
            s3.delete_bucket_policy(Bucket=bucket)


def _without_tls(policy: Mapping[str, Any]) -> dict[str, Any]:
    left = [each for each in policy["Statement"] if "aws:SecureTransport" not in json.dumps(each.get("Condition", {}))]
    return {**policy, "Statement": left}


def _as_over_tls(client: Any) -> Any:
    """Its requests say that a proxy took them in over TLS."""

    def say(request: Any, **_: object) -> None:
        request.headers["X-Forwarded-Proto"] = "https"

    client.meta.events.register("before-sign", say)
    return client
