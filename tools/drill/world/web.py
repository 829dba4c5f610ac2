"""What a request of the responder is answered in a world: by whose name its host begins with."""

from urllib.parse import urlsplit

from functions.domain.changes import CallWebhook, ChangeResult
from functions.domain.dependencies import HttpAnswer
from functions.domain.errors import ChangeDoubtful, ReadFailed
from tools.drill.world.world import World

REFUSED_S = 0.02
"""How fast somebody refuses who is there. Assumption."""


class WorldHttp:
    """The `HttpReader` of a drill: nothing goes out to a network."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, url: str, *, timeout_s: int) -> HttpAnswer:
        """What comes back on one GET request.

        Raises:
            ReadFailed: nobody of that name is in the world.
        """
        name = (urlsplit(url).hostname or "").partition(".")[0]
        if name in self._world.dependencies:
            failing, seconds = self._of_dependency(name)
        elif name in self._world.services:
            front = self._world.services[name].front
            failing, seconds = front.failing, front.latency_s
        else:
            raise ReadFailed(f"{name or url} cannot be looked up: Name or service not known")
        if self._world.chance.share(f"http/{name}", int(self._world.seconds)) < failing:
            return HttpAnswer(status=503, seconds=REFUSED_S)
        if seconds >= timeout_s:
            return HttpAnswer(status=None, seconds=float(timeout_s), error="timed out")
        return HttpAnswer(status=200, seconds=seconds)

    def _of_dependency(self, name: str) -> tuple[float, float]:
        dependency = self._world.dependencies[name]
        state = dependency.state(self._world.wanted(name))
        latency_s = self._world.chance.number(dependency.setting.latency_s, f"{name}/latency")
        return state.failing, latency_s if state.slow_s is None else state.slow_s


class WorldWebhooks:
    """The `WebhookCaller` of a drill: nothing goes out to a network, no token is read, and nothing gets better by it.

    A host that nobody in the world has is the application under its own domain, and it answers.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def call(self, change: CallWebhook) -> ChangeResult:
        self._world.happened("webhook", f"{change.webhook}: {change.method} {change.url}")
        try:
            answer = WorldHttp(self._world).answer(change.url, timeout_s=change.timeout_s)
        except ReadFailed:
            return ChangeResult(answer="200")
        if answer.status != 200:
            raise ChangeDoubtful(f"webhook {change.webhook}: {answer.error or answer.status}")
        return ChangeResult(answer="200")
