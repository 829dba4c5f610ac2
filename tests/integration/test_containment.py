"""The contain stack's changer against moto: what it sends, what it keeps, and what it refuses."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from functions.adapters.clients import Clients
from functions.adapters.containment import CLOUDFRONT_REGION, AwsContainment
from functions.domain.changes import (
    BlockAddress,
    Change,
    DisableUser,
    ForceNewDeployment,
    IpScope,
    IpSet,
    ScaleToZero,
    SetCeiling,
    UnblockAddress,
)
from functions.domain.errors import ChangeRefused, ReadFailed
from functions.domain.services import ServiceRef

REF = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
ADDRESS = "93.184.216.34"
OTHERS = ["8.8.8.0/24", "9.9.9.9/32"]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


@pytest.fixture
def contain() -> AwsContainment:
    return AwsContainment.of(Clients(region=REF.region), cloudfront=lambda: Clients(region=CLOUDFRONT_REGION))


def made(scope: IpScope, *, version: str = "IPV4", addresses: list[str] | None = None) -> IpSet:
    region = CLOUDFRONT_REGION if scope is IpScope.CLOUDFRONT else REF.region
    answer = boto3.client("wafv2", region_name=region).create_ip_set(
        Name="blocked",
        Scope=scope.value,
        IPAddressVersion=version,
        Addresses=OTHERS if addresses is None else addresses,
        Description="who is not wanted",
    )
    return IpSet(name="blocked", id=answer["Summary"]["Id"], scope=scope)


def shown(ip_set: IpSet) -> tuple[list[str], str]:
    region = CLOUDFRONT_REGION if ip_set.scope is IpScope.CLOUDFRONT else REF.region
    client = boto3.client("wafv2", region_name=region)
    found = client.get_ip_set(Name=ip_set.name, Id=ip_set.id, Scope=ip_set.scope.value)["IPSet"]
    return found["Addresses"], found["Description"]


@pytest.mark.parametrize("scope", IpScope)
def test_an_address_comes_into_its_set_and_out_again(scope: IpScope, contain: AwsContainment) -> None:
    """Where the scope keeps it; all other addresses and the description stay."""
    ip_set = made(scope)
    contain.apply(REF, BlockAddress(ip_set=ip_set, address=ADDRESS))
    assert shown(ip_set) == ([*OTHERS, f"{ADDRESS}/32"], "who is not wanted")
    assert contain.holds(ip_set, ADDRESS)
    contain.apply(REF, UnblockAddress(ip_set=ip_set, address=ADDRESS))
    assert shown(ip_set) == (OTHERS, "who is not wanted")
    assert not contain.holds(ip_set, ADDRESS)


def test_an_address_in_full_is_the_same_address(contain: AwsContainment) -> None:
    """WAF may spell an IPv6 address with all its digits."""
    full = "2606:4700:0000:0000:0000:0000:0000:1111/128"
    ip_set = made(IpScope.REGIONAL, version="IPV6", addresses=[full])
    assert contain.holds(ip_set, "2606:4700::1111")
    contain.apply(REF, UnblockAddress(ip_set=ip_set, address="2606:4700::1111"))
    assert shown(ip_set)[0] == []


def test_a_range_around_it_is_not_the_address(contain: AwsContainment) -> None:
    """Whoever blocked the range keeps it."""
    ip_set = made(IpScope.REGIONAL)
    assert not contain.holds(ip_set, "8.8.8.8")


@pytest.mark.parametrize(
    ("address", "why"), [("2606:4700::1111", "IPV4 alone"), ("9.9.9.9", "already")], ids=["version", "there already"]
)
def test_what_does_not_fit_the_set_is_refused(address: str, why: str, contain: AwsContainment) -> None:
    """And nothing is sent that would change it."""
    ip_set = made(IpScope.REGIONAL)
    with pytest.raises(ChangeRefused, match=why):
        contain.apply(REF, BlockAddress(ip_set=ip_set, address=address))
    assert shown(ip_set)[0] == OTHERS


def test_a_set_that_is_not_there_cannot_be_changed(contain: AwsContainment) -> None:
    """It is neither read as empty nor made."""
    ip_set = IpSet(name="blocked", id="00000000-0000-0000-0000-000000000000", scope=IpScope.REGIONAL)
    with pytest.raises(ChangeRefused, match="was not sent"):
        contain.apply(REF, BlockAddress(ip_set=ip_set, address=ADDRESS))
    with pytest.raises(ReadFailed):
        contain.holds(ip_set, ADDRESS)


def test_a_user_is_disabled_and_not_deleted(contain: AwsContainment) -> None:
    """Twice is no harm, and a user who is not there is refused."""
    cognito = boto3.client("cognito-idp", region_name=REF.region)
    pool = cognito.create_user_pool(PoolName="users")["UserPool"]["Id"]
    cognito.admin_create_user(UserPoolId=pool, Username="u-17")
    for _ in range(2):
        contain.apply(REF, DisableUser(user_pool=pool, user="u-17"))
    assert cognito.admin_get_user(UserPoolId=pool, Username="u-17")["Enabled"] is False
    with pytest.raises(ChangeRefused):
        contain.apply(REF, DisableUser(user_pool=pool, user="u-18"))


def test_a_service_goes_to_no_task_behind_a_closed_target(contain: AwsContainment) -> None:
    """Floor and ceiling first, then the count; the service stays."""
    ecs = boto3.client("ecs", region_name=REF.region)
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="orders", containerDefinitions=[{"name": "app", "image": "app", "memory": 128}])
    ecs.create_service(cluster="shop", serviceName="orders", taskDefinition="orders", desiredCount=3)
    scaling = boto3.client("application-autoscaling", region_name=REF.region)
    named = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    scaling.register_scalable_target(**named, ResourceId="service/shop/orders", MinCapacity=2, MaxCapacity=9)
    contain.apply(REF, SetCeiling(resource_id="service/shop/orders", maximum=0, minimum=0))
    contain.apply(REF, ScaleToZero())
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 0)
    (service,) = ecs.describe_services(cluster="shop", services=["orders"])["services"]
    assert (service["desiredCount"], service["status"]) == (0, "ACTIVE")


@pytest.mark.parametrize("change", [ForceNewDeployment()])
def test_it_does_nothing_but_shut_out(change: Change, contain: AwsContainment) -> None:
    """What remediate is for is refused here."""
    with pytest.raises(ChangeRefused, match="only shuts out"):
        contain.apply(REF, change)
