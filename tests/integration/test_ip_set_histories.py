"""Any history of one IP set, with strangers at it: what others put there stays, and what we put there goes."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from functions.adapters.containment import AwsContainment
from functions.domain.changes import BlockAddress, IpScope, IpSet, UnblockAddress
from functions.domain.errors import ChangeRefused
from functions.domain.services import ServiceRef

REF = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
SET = IpSet(name="blocked", id="set-1", scope=IpScope.REGIONAL)
ADDRESSES = st.sampled_from([f"93.184.216.{n}" for n in range(1, 5)])


class Waf:
    """One IP set, with the lock token as the API reference has it: stale after anybody's update."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.token = 0
        self.meanwhile: Callable[[], None] | None = None
        """What a stranger does between our reading and our update."""

    def get_ip_set(self, **_: Any) -> dict[str, Any]:
        found = {"IPAddressVersion": "IPV4", "Addresses": list(self.addresses)}
        return {"IPSet": found, "LockToken": str(self.token)}

    def update_ip_set(self, *, Addresses: list[str], LockToken: str, **_: Any) -> dict[str, Any]:
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        if LockToken != str(self.token):
            error = {"Error": {"Code": "WAFOptimisticLockException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(error, "UpdateIPSet")
        self.replace(Addresses)
        return {"NextLockToken": str(self.token)}

    def replace(self, addresses: list[str]) -> None:
        self.addresses = list(addresses)
        self.token += 1


class Histories(RuleBasedStateMachine):
    """Strangers add and remove, before and between our calls; we block and unblock."""

    def __init__(self) -> None:
        super().__init__()
        self.waf = Waf()
        self.contain = AwsContainment(client=lambda _: self.waf, cloudfront=lambda: self.waf)
        self.expected: set[str] = set()
        self.ours: set[str] = set()

    def strangers_add(self, address: str) -> None:
        if f"{address}/32" not in self.waf.addresses:
            self.waf.replace([*self.waf.addresses, f"{address}/32"])
            self.expected.add(address)

    def strangers_remove(self, address: str) -> None:
        if f"{address}/32" in self.waf.addresses:
            self.waf.replace([each for each in self.waf.addresses if each != f"{address}/32"])
            self.expected.discard(address)
            self.ours.discard(address)

    @rule(address=ADDRESSES)
    def a_stranger_adds(self, address: str) -> None:
        self.strangers_add(address)

    @rule(address=ADDRESSES)
    def a_stranger_removes(self, address: str) -> None:
        self.strangers_remove(address)

    @rule(address=ADDRESSES, other=ADDRESSES, adds=st.booleans())
    def a_stranger_comes_between(self, address: str, other: str, adds: bool) -> None:
        self.waf.meanwhile = lambda: self.strangers_add(other) if adds else self.strangers_remove(other)

    @rule(address=ADDRESSES)
    def we_block(self, address: str) -> None:
        try:
            self.contain.apply(REF, BlockAddress(ip_set=SET, address=address))
        except ChangeRefused:
            return
        self.expected.add(address)
        self.ours.add(address)

    @rule(address=ADDRESSES)
    def our_lease_ends(self, address: str) -> None:
        """As the step does it: only what is ours, and only if it is still there."""
        if address not in self.ours or not self.contain.holds(SET, address):
            return
        try:
            self.contain.apply(REF, UnblockAddress(ip_set=SET, address=address))
        except ChangeRefused:
            return
        self.expected.discard(address)
        self.ours.discard(address)

    @invariant()
    def the_set_is_what_everybody_made_of_it(self) -> None:
        assert self.waf.addresses == [f"{address}/32" for address in self._in_order()]

    def _in_order(self) -> list[str]:
        there = [each.removesuffix("/32") for each in self.waf.addresses]
        assert len(there) == len(set(there))
        assert set(there) == self.expected
        return there


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
