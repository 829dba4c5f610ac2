"""The events that tell of a changed secret.

Sources: Secrets Manager User Guide, "Match AWS Secrets Manager events with Amazon EventBridge", which also says that
some entries spell the key of the ARN another way; CloudTrail User Guide, "CloudTrail record contents"; Systems Manager
User Guide, "Amazon EventBridge event examples for Systems Manager".
"""

from collections.abc import Mapping

from functions.domain.errors import SignalRefused
from functions.domain.secrets import (
    CHANGING_CALLS,
    CURRENT,
    PARAMETER_WRITES,
    ROTATED,
    SecretChange,
    Store,
    is_secret_name,
)
from functions.handlers.signals.fields import (
    Object,
    as_list,
    as_object,
    as_text,
    kind_of,
    quoted,
    read_account,
    read_arn,
    read_region,
    read_time,
)

SOURCES: Mapping[str, Store] = {
    "AWS API Call via CloudTrail": Store.SECRETS_MANAGER,
    "AWS Service Event via CloudTrail": Store.SECRETS_MANAGER,
    "Parameter Store Change": Store.PARAMETER_STORE,
}
"""Whose events of these detail-types are read."""


def tells_of_secret(event: Object) -> bool:
    """Whether the event comes from where secrets lie."""
    kind = event.get("detail-type")
    store = SOURCES.get(kind) if isinstance(kind, str) else None
    return store is not None and event.get("source") == f"aws.{store}"


def from_eventbridge(event: Object) -> SecretChange | None:
    """Read an event for which `tells_of_secret` holds; None when no task would read another value after it.

    Raises:
        SignalRefused: if it does not say what was changed, or when.
    """
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise SignalRefused(
            f"the event's detail is {kind_of(detail)}, not an object: send it as EventBridge delivers it"
        )
    if event.get("detail-type") == "Parameter Store Change":
        return _parameter(event, detail)
    return _secret(event, detail)


def _parameter(event: Object, detail: Object) -> SecretChange | None:
    operation = as_text(detail.get("operation"))
    if operation not in PARAMETER_WRITES:
        return None
    return _change(event, Store.PARAMETER_STORE, detail.get("name"), by=operation, at=event.get("time"))


def _secret(event: Object, detail: Object) -> SecretChange | None:
    call = as_text(detail.get("eventName"))
    asked = as_object(detail.get("requestParameters"))
    if call is None:
        raise SignalRefused(
            f"the event's eventName is {kind_of(detail.get('eventName'))}: it does not say what happened"
        )
    if call != ROTATED and (call not in CHANGING_CALLS or "errorCode" in detail or not _current(call, asked)):
        return None
    told = as_object(detail.get("responseElements"))
    more = {key.lower(): value for key, value in as_object(detail.get("additionalEventData")).items()}
    named = next((value for key, value in told.items() if key.lower() == "arn"), None)
    secret = named or asked.get("secretId") or more.get("secretid")
    arn = read_arn(secret)
    name = secret if arn is None else arn.resource.removeprefix("secret:")
    return _change(event, Store.SECRETS_MANAGER, name, by=call, at=detail.get("eventTime") or event.get("time"))


def _current(call: str, asked: Object) -> bool:
    """Whether the call may have changed the version that tasks read: a rotation first stores one that waits."""
    if call == "UpdateSecretVersionStage":
        return asked.get("versionStage") in (None, CURRENT)
    stages = as_list(asked.get("versionStages"))
    return not stages or CURRENT in stages


def _change(event: Object, store: Store, name: object, *, by: str, at: object) -> SecretChange:
    text, moment = as_text(name), read_time(at)
    if text is None:
        raise SignalRefused(f"{quoted(by)} names no secret: it is {kind_of(name)}")
    if not is_secret_name(text):
        raise SignalRefused(f"{quoted(by)} names {quoted(text)}, which is no name of a secret")
    if moment is None:
        raise SignalRefused(f"{quoted(by)} of {quoted(text)} does not say when: nobody knows which tasks are older")
    return SecretChange(
        store=store,
        name=text,
        at=moment,
        event=by,
        account=read_account(event.get("account")),
        region=read_region(event.get("region")),
    )
