"""One function, from the start of the interpreter until it is ready for its first event: run as a process of its own.

The argument is JSON: the `handler`'s module, and what its first event needs, as `discover` found it: `builders` of the
composition root, `modules`, `models`, `adapters`, and `clients` as pairs of service and attempts. The playbook of an
`alarm` or a `service` is looked up. It prints the CPU seconds of the whole process and the time of the clock, as JSON.
With `discover`, a file with a `FirstEvent`, it handles that event instead, is answered from that file, and prints what
was imported, made and built for it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from json import dumps, loads
from time import monotonic, process_time
from typing import Any


def start(spec: dict[str, Any]) -> None:
    """All that has to be there before the first event can be handled at full speed."""
    import_module(spec["handler"])
    bootstrap = import_module("functions.bootstrap")
    for builder in spec.get("builders", ()):
        getattr(bootstrap, builder)()
    for name in spec.get("modules", ()):
        import_module(name)
    clients: Any = bootstrap._clients() if spec.get("clients") else None
    for service, attempts in spec.get("clients", ()):
        client = clients.once(service) if attempts == 1 else clients.repeating(service)
        _ = client.meta
    if "alarm" in spec:
        signal = import_module("functions.domain.signals").Signal(kind="alarm", occurred_at=None, alarm=spec["alarm"])
        assert bootstrap._addressees(signal)
    if "service" in spec:
        assert bootstrap._by_service()[spec["service"]]
    if spec.get("models"):
        wanted = set(spec["models"])
        for model in _models():
            if f"{model.__module__}:{model.__qualname__}" in wanted:
                model.model_rebuild()
    for name in spec.get("adapters", ()):
        ADAPTERS[name](import_module(name)).rebuild()


ADAPTERS: Mapping[str, Callable[[Any], Any]] = {
    "functions.domain.findings": lambda module: module._adapter(),
    "functions.workflow.story": lambda module: module._CHANGE,
}
"""By module, the validators that are no model's."""


def _models() -> Iterator[Any]:
    left = [import_module("pydantic").BaseModel]
    while left:
        for model in left.pop().__subclasses__():
            left.append(model)
            yield model


if __name__ == "__main__":
    spec = loads(sys.argv[1])
    if "discover" in spec:
        from tools.bench.cold.discovery import discover

        sys.stdout.write(dumps(discover(spec)))
    else:
        start(spec)
        sys.stdout.write(dumps({"cpu_s": process_time(), "at": monotonic()}))
