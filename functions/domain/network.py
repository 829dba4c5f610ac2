"""Which way security groups leave open: from the load balancer to the tasks, and from the tasks to a database."""

from functions.domain.model import Model


class GroupRule(Model):
    """One rule of a security group (EC2 API reference, IpPermission)."""

    protocol: str
    """tcp, udp, icmp or a number; `-1` is every protocol."""
    first: int | None = None
    """First and last port; None where the rule is for all of them."""
    last: int | None = None
    groups: tuple[str, ...] = ()
    """Security groups (ids) it lets in or out."""
    networks: tuple[str, ...] = ()
    """Networks in CIDR notation."""
    lists: bool = False
    """It names prefix lists, too, whose networks were not read."""

    def covers(self, port: int) -> bool:
        """Whether it is about this port of TCP."""
        if self.protocol == "-1":
            return True
        if self.protocol not in ("tcp", "6"):
            return False
        return self.first is None or self.last is None or self.first <= port <= self.last


class SecurityGroup(Model):
    id: str
    inbound: tuple[GroupRule, ...] = ()
    outbound: tuple[GroupRule, ...] = ()


class WayFacts(Model):
    """One hop over TCP, and the security groups at both ends. Without groups at an end, nobody knows which it has."""

    source: str
    """Who connects, as people call it."""
    target: str
    port: int
    source_groups: tuple[str, ...] = ()
    target_groups: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """Private addresses of the source, as far as they are known."""


class NetworkFacts(Model):
    """The ways that were looked at. `asked` is False where nothing made it worth a look: then nothing was read."""

    asked: bool = False
    ways: tuple[WayFacts, ...] = ()
    groups: tuple[SecurityGroup, ...] = ()
