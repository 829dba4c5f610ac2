"""What a service asks of the world."""

from typing import TYPE_CHECKING, Any, Protocol

from tools.drill.world.chance import Chance
from tools.drill.world.constants import Constants
from tools.drill.world.metrics import Metrics
from tools.drill.world.parts import Task
from tools.drill.world.serving import Backing
from tools.drill.world.setting import Setting
from tools.drill.world.timetable import Timetable

if TYPE_CHECKING:
    from tools.drill.world.service import Service


class Around(Protocol):
    """What a service sees of the world."""

    setting: Setting
    chance: Chance
    constants: Constants
    timetable: Timetable
    metrics: Metrics
    zones: tuple[str, ...]

    def settle(self) -> None: ...
    def service_changed(self, service: "Service") -> None: ...
    def alarm_state(self, name: str) -> str: ...
    def dependency_backing(self, service: "Service") -> Backing: ...
    def zone_failing(self, zone: str) -> float: ...
    def shifted_away(self, load_balancer: str) -> frozenset[str]: ...
    def has_capacity(self) -> bool: ...
    def launch_delay_s(self) -> float: ...
    def ecs_event(self, service: "Service", detail_type: str, detail: dict[str, Any]) -> None: ...
    def task_stopped(self, service: "Service", task: Task) -> None: ...
    def happened(self, kind: str, text: str) -> None: ...
