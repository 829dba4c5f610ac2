"""Shuts out: stops a service, blocks an address, disables a user. Only the function of the contain stack may."""

from collections.abc import Callable
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

from functions.adapters.answers import Answer, changing, reading, request_id
from functions.adapters.changer import AwsChanger
from functions.adapters.clients import Clients
from functions.domain.called import Service
from functions.domain.changes import (
    BlockAddress,
    Change,
    ChangeResult,
    DisableUser,
    IpScope,
    IpSet,
    ScaleToZero,
    SetCeiling,
    UnblockAddress,
)
from functions.domain.errors import ChangeRefused, ReadFailed
from functions.domain.services import ServiceRef

CALLS = (
    "ecs:UpdateService",
    "application-autoscaling:RegisterScalableTarget",
    "wafv2:GetIPSet",
    "wafv2:UpdateIPSet",
    "cognito-idp:AdminDisableUser",
)
"""IAM actions."""

CLOUDFRONT_REGION = "us-east-1"
"""Where IP sets for CloudFront are kept, whatever the Region of the service (WAFV2 API reference, UpdateIPSet)."""


class AwsContainment:
    """The `ServiceChanger` and the `IpSetReader` of the contain stack. IAM actions: `CALLS`."""

    def __init__(
        self, *, client: Callable[[Service], Any], cloudfront: Callable[[], Any], changer: AwsChanger | None = None
    ) -> None:
        """`client` makes a client that sends each call once, `cloudfront` one of WAF in the Region of CloudFront."""
        self._client = cache(client)
        self._cloudfront = cache(cloudfront)
        self._changer = AwsChanger(client=client) if changer is None else changer

    @classmethod
    def of(cls, clients: Clients, *, cloudfront: Callable[[], Clients]) -> "AwsContainment":
        return cls(client=clients.once, cloudfront=lambda: cloudfront().once("wafv2"))

    def apply(self, ref: ServiceRef, change: Change) -> ChangeResult:
        match change:
            case ScaleToZero():
                return self._scale_to_zero(ref)
            case SetCeiling():
                return self._changer.apply(ref, change)
            case BlockAddress(ip_set=ip_set, address=address):
                return self._with(ip_set, address)
            case UnblockAddress(ip_set=ip_set, address=address):
                return self._without(ip_set, address)
            case DisableUser(user_pool=pool, user=user):
                return self._disable(pool, user)
            case _:
                raise ChangeRefused(f"{change.kind} was not sent: the contain stack only shuts out")

    def holds(self, ip_set: IpSet, address: str) -> bool:
        with reading(f"IP set {ip_set.name}"):
            found = self._get(ip_set)
        return _entry(found, address) is not None

    def _scale_to_zero(self, ref: ServiceRef) -> ChangeResult:
        with changing(f"UpdateService of {ref.service}"):
            answer = self._client("ecs").update_service(cluster=ref.cluster, service=ref.service, desiredCount=0)
        return ChangeResult(request_id=request_id(answer))

    def _with(self, ip_set: IpSet, address: str) -> ChangeResult:
        what = f"UpdateIPSet of {ip_set.name} with {address}"
        found = self._current(ip_set, what)
        version = f"IPV{ip_address(address).version}"
        if found["IPSet"].get("IPAddressVersion") != version:
            raise ChangeRefused(f"{what} was not sent: the set is for {found['IPSet'].get('IPAddressVersion')} alone")
        if _entry(found, address) is not None:
            raise ChangeRefused(f"{what} was not sent: the address is in the set already, and not by this")
        return self._replace(ip_set, found, [*found["IPSet"].get("Addresses", ()), _cidr(address)], what)

    def _without(self, ip_set: IpSet, address: str) -> ChangeResult:
        what = f"UpdateIPSet of {ip_set.name} without {address}"
        found = self._current(ip_set, what)
        entry = _entry(found, address)
        if entry is None:
            raise ChangeRefused(f"{what} was not sent: the address is not in the set")
        return self._replace(ip_set, found, [a for a in found["IPSet"].get("Addresses", ()) if a != entry], what)

    def _current(self, ip_set: IpSet, what: str) -> Answer:
        try:
            with reading(f"IP set {ip_set.name}"):
                return self._get(ip_set)
        except ReadFailed as failed:
            raise ChangeRefused(f"{what} was not sent: {failed}") from failed

    def _get(self, ip_set: IpSet) -> Answer:
        found: Answer = self._waf(ip_set).get_ip_set(Name=ip_set.name, Id=ip_set.id, Scope=ip_set.scope.value)
        if "IPSet" not in found or "LockToken" not in found:
            raise ReadFailed(f"IP set {ip_set.name} could not be read: AWS left out the set or its lock token")
        return found

    def _replace(self, ip_set: IpSet, found: Answer, addresses: list[str], what: str) -> ChangeResult:
        """UpdateIPSet replaces the whole set, so everything else of it is sent as it was read. If anybody changed it
        since then, the lock token is stale and nothing happens (WAFV2 API reference, UpdateIPSet)."""
        kept = {"Description": description} if (description := found["IPSet"].get("Description")) else {}
        with changing(what):
            answer = self._waf(ip_set).update_ip_set(
                Name=ip_set.name,
                Id=ip_set.id,
                Scope=ip_set.scope.value,
                Addresses=addresses,
                LockToken=found["LockToken"],
                **kept,
            )
        return ChangeResult(request_id=request_id(answer))

    def _waf(self, ip_set: IpSet) -> Any:
        return self._cloudfront() if ip_set.scope is IpScope.CLOUDFRONT else self._client("wafv2")

    def _disable(self, pool: str, user: str) -> ChangeResult:
        with changing(f"AdminDisableUser in {pool}"):
            answer = self._client("cognito-idp").admin_disable_user(UserPoolId=pool, Username=user)
        return ChangeResult(request_id=request_id(answer))


def _cidr(address: str) -> str:
    return str(ip_network(address))


def _entry(found: Answer, address: str) -> str | None:
    """How the set spells this one address: WAF may write an IPv6 address in full."""
    wanted = ip_network(address)
    entries: list[str] = list(found["IPSet"].get("Addresses", ()))
    return next((entry for entry in entries if ip_network(entry, strict=False) == wanted), None)
