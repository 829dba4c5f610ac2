"""Which IAM actions a call takes: by its name, by its parameters, and where they are not named alike.

Source: Service Authorization Reference, "Actions, resources, and condition keys" of each service.
"""

from collections.abc import Iterator, Mapping
from typing import Any

PREFIXES: Mapping[str, str] = {"monitoring": "cloudwatch"}
"""Where actions begin otherwise than the name for which requests are signed."""

OTHER_NAMES: Mapping[str, str] = {"lambda:Invoke": "lambda:InvokeFunction", "s3:HeadObject": "s3:GetObject"}

PARTS: Mapping[str, str] = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
"""A transaction has no action of its own (DynamoDB Developer Guide, "Using IAM with DynamoDB transactions")."""

OF_AN_ENCRYPTED_TOPIC = ("kms:Decrypt", "kms:GenerateDataKey")
"""SNS makes these calls with the rights of whoever publishes (SNS Developer Guide, "Managing Amazon SNS encryption keys
and costs"). Every topic here has a key."""


OF_AN_INDEX = "dynamodb:Query of an index"
"""An index is a resource of its own."""


def placed(key: str) -> str:
    """Writing into the archive, with the place in it: the first part of the key, or of a pattern of keys."""
    return f"s3:PutObject in {key.partition('/')[0]}/"


def actions_of(model: Any, parameters: Mapping[str, Any]) -> Iterator[str]:
    """`model` is botocore's of the operation."""
    signed = model.service_model.signing_name
    called = f"{PREFIXES.get(signed, signed)}:{model.name}"
    match called:
        case "dynamodb:TransactWriteItems":
            for part in parameters["TransactItems"]:
                yield from (PARTS[kind] for kind in part)
            return
        case "dynamodb:Query" if "IndexName" in parameters:
            yield OF_AN_INDEX
            return
        case "s3:PutObject":
            yield placed(parameters["Key"])
            return
        case "sns:Publish":
            yield from OF_AN_ENCRYPTED_TOPIC
        case "ecs:RegisterTaskDefinition":
            if parameters.get("tags"):
                yield "ecs:TagResource"
            if "taskRoleArn" in parameters or "executionRoleArn" in parameters:
                yield "iam:PassRole"
    yield OTHER_NAMES.get(called, called)
