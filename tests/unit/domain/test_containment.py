"""Which addresses may be blocked: only those of one host of the internet, and none that the playbook protects."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.containment import one_address, why_not_block

NEVER = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
    *("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"),
    *("::1/128", "::/128", "fe80::/10", "fc00::/7", "ff00::/8", "2001:db8::/32", "64:ff9b::/96", "2002::/16"),
    *("::ffff:0:0/96", "2001::/32", "100::/64"),
)
"""Special-purpose ranges (IANA IPv4 and IPv6 Special-Purpose Address Registries, and multicast)."""


def inside(network: str) -> st.SearchStrategy[str]:
    return st.ip_addresses(network=network).map(str)


@given(address=st.sampled_from(NEVER).flatmap(inside))
def test_no_address_of_a_special_range_is_ever_blocked(address: str) -> None:
    """Private, shared, loopback, link-local, multicast, reserved, for documentation, or with another inside."""
    assert why_not_block(address, ()) is not None


@given(address=st.ip_addresses())
def test_what_may_be_blocked_is_global(address: IPv4Address | IPv6Address) -> None:
    """Whatever is let through belongs to one host of the internet."""
    if why_not_block(str(address), ()) is None:
        assert address.is_global
        assert {address.is_private, address.is_multicast, address.is_reserved, address.is_loopback} == {False}


@given(data=st.data(), network=st.sampled_from(["8.8.8.0/24", "93.184.0.0/16", "2606:4700::/32", "1.1.1.1/32"]))
def test_what_the_playbook_protects_is_never_blocked(data: st.DataObject, network: str) -> None:
    """Whichever address of the network it is, and whatever else is protected."""
    address = data.draw(inside(network))
    assert why_not_block(address, ("9.9.9.0/24", network)) is not None


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "2a00:1450:4001:82a::200e"])
def test_an_address_of_the_internet_may_be_blocked(address: str) -> None:
    """Of either version; a protected network of the other version says nothing about it."""
    assert why_not_block(address, ("9.9.9.0/24", "2620:fe::/48")) is None


@pytest.mark.parametrize("text", ["93.184.216.0/24", "93.184.216.34/32", "example.com", "", "93.184.216", "0x5d.1.2.3"])
def test_a_range_or_a_name_is_no_address(text: str) -> None:
    """One address is blocked at a time, and people hear what to write."""
    with pytest.raises(ValueError, match="write one IPv4 or IPv6 address"):
        one_address(text)


@given(address=st.ip_addresses())
def test_one_address_has_one_spelling(address: IPv4Address | IPv6Address) -> None:
    """However it was written."""
    assert ip_address(one_address(f" {address.exploded} ")) == address
    assert one_address(address.exploded) == one_address(str(address))
