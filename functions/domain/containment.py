"""Containment: what may be done against an attacker, and which addresses may be blocked at all."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from functions.domain.changes import IpSet
from functions.domain.model import Model

_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses behind a translator (RFC 6052)."""


class Containment(Model):
    """What the deployment and the playbook say about containing a breach."""

    deployed: bool = False
    """Whether the stack is there whose function carries it out."""
    ip_set: IpSet | None = None
    user_pool: str | None = None
    never_block: tuple[str, ...] = ()
    """Networks whose addresses are never blocked, in CIDR notation."""


def one_address(text: str) -> str:
    """The one address that a text names, in its usual spelling.

    Raises:
        ValueError: it names none, or several; the message says what to write.
    """
    try:
        return str(ip_address(text.strip()))
    except ValueError as error:
        raise ValueError(f"'{text}' is no address: write one IPv4 or IPv6 address, and no range") from error


def why_not_block(address: str, never_block: Sequence[str]) -> str | None:
    """Why this address must not be blocked; None when it may be.

    Only addresses that the internet routes to one host are (IANA special-purpose address registries, by Python's
    `ipaddress`): a private one would lock out our own network, and one that carries another inside, as a translator's
    does, stands for whoever is behind it.

    Raises:
        ValueError: it is no address.
    """
    found = ip_address(address)
    if found.is_loopback:
        return f"{address} is a loopback address"
    if found.is_private:
        return f"{address} is a private address"
    if found.is_multicast or found.is_reserved or found.is_link_local or found.is_unspecified or not found.is_global:
        return f"{address} is reserved, and no host of the internet"
    if isinstance(found, IPv6Address) and _carries_another(found):
        return f"{address} stands for an IPv4 address behind it: block that one"
    listed = next((network for network in never_block if _within(found, network)), None)
    return None if listed is None else f"{address} is in {listed}, which the playbook never blocks"


def _carries_another(address: IPv6Address) -> bool:
    inside = (address.ipv4_mapped, address.sixtofour, address.teredo)
    return any(each is not None for each in inside) or address in _NAT64 or address.scope_id is not None


def _within(address: IPv4Address | IPv6Address, network: str) -> bool:
    known = ip_network(network)
    return known.version == address.version and address in known
