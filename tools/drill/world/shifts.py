"""Zonal shifts: traffic of a load balancer that stays out of a zone for a while.

Source: Amazon Application Recovery Controller Developer Guide, "Zonal shift"; ELB User Guide, "Zonal shift for your
Application Load Balancer".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.drill.world.refusal import Refused

if TYPE_CHECKING:
    from tools.drill.world.service import Service
    from tools.drill.world.world import World

SHIFT_S = 60.0
"""From the call until requests stay out of the zone: connections that are open end first. Assumption; AWS says that it
can take some minutes."""
LEAST_EXPIRY_S, MOST_EXPIRY_S = 60.0, 259_200.0
"""A zonal shift lasts a minute to three days (ARC API reference, StartZonalShift)."""

_COMPASS = {"north": "n", "south": "s", "east": "e", "west": "w", "central": "c", "northeast": "ne", "southeast": "se"}


@dataclass(kw_only=True, eq=False)
class Shift:
    """One zonal shift, until it is over."""

    id: str
    service: "Service"
    zone: str
    began_s: float
    expires_s: float
    comment: str
    status: str = "ACTIVE"
    """ACTIVE, EXPIRED or CANCELED."""


class Shifts:
    """All zonal shifts of the account."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.all: list[Shift] = []
        self._away: dict[str, frozenset[str]] = {}
        self.zone_ids = self._ids()
        """By zone name. Which is which differs from account to account."""

    def _ids(self) -> dict[str, str]:
        area, compass, number = self._world.setting.region.split("-")
        turned = int(self._world.chance.share("zones") * len(self._world.zones))
        prefix = f"{area}{_COMPASS[compass]}{number}-az"
        count = len(self._world.zones)
        return {zone: f"{prefix}{(place + turned) % count + 1}" for place, zone in enumerate(self._world.zones)}

    def away(self, load_balancer: str) -> frozenset[str]:
        """Zones, by name, that get no requests of this load balancer."""
        return self._away.get(load_balancer, frozenset())

    def of(self, service: "Service") -> Shift | None:
        """The one that is on."""
        return next((s for s in self.all if s.service is service and s.status == "ACTIVE"), None)

    def start(self, service: "Service", zone_id: str, *, expires_s: float, comment: str) -> Shift:
        """Move traffic out of a zone.

        Raises:
            Refused: if the load balancer has not opted in, the zone is none of its own, or it is shifted already.
        """
        if not service.setting.zonal_shift:
            raise Refused("ResourceNotFoundException", f"Resource {service.load_balancer} not found", status=404)
        zone = next((name for name, each in self.zone_ids.items() if each == zone_id), None)
        if zone is None:
            raise Refused("ValidationException", f"{zone_id} is no Availability Zone of the resource")
        if not LEAST_EXPIRY_S <= expires_s <= MOST_EXPIRY_S:
            raise Refused("ValidationException", "expiresIn must be between 1m and 3d")
        if self.of(service) is not None:
            raise Refused("ConflictException", "A zonal shift is already active for this resource", status=409)
        now = self._world.seconds
        token = self._world.chance.token("zonal-shift", len(self.all))
        shift = Shift(
            id="-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:])),
            service=service,
            zone=zone,
            began_s=now,
            expires_s=now + expires_s,
            comment=comment,
        )
        self.all.append(shift)
        self._world.timetable.after(SHIFT_S, self._look_again)
        self._world.timetable.after(expires_s, lambda: self._end(shift, "EXPIRED"))
        return shift

    def cancel(self, shift: Shift) -> None:
        """End one before its time.

        Raises:
            Refused: if it is over.
        """
        if shift.status != "ACTIVE":
            raise Refused("ConflictException", f"The zonal shift is {shift.status}", status=409)
        self._end(shift, "CANCELED")

    def _end(self, shift: Shift, status: str) -> None:
        if shift.status == "ACTIVE":
            shift.status = status
            self._look_again()

    def _look_again(self) -> None:
        self._world.settle()
        now = self._world.seconds
        away: dict[str, frozenset[str]] = {}
        for shift in self.all:
            if shift.status == "ACTIVE" and now >= shift.began_s + SHIFT_S:
                name = shift.service.load_balancer
                away[name] = away.get(name, frozenset()) | {shift.zone}
        self._away = away
        for service in self._world.services.values():
            service.changed()
