"""What differs between two task definitions: what a release changed, as far as ECS itself knows."""

from collections.abc import Iterator, Mapping, Sequence

from functions.domain.circumstances import ContainerFacts, TaskDefinitionFacts
from functions.domain.evidence import RevisionFacts
from functions.domain.model import Model


class Difference(Model):
    """One thing that is not the same. Empty text stands for nothing at all."""

    what: str
    before: str
    after: str


def differences(before: TaskDefinitionFacts, after: TaskDefinitionFacts) -> tuple[Difference, ...]:
    """What differs, of the task first, then container by container. Values of environment variables are not read: one
    that changed its value alone is not among them."""
    return tuple(_told(before, after))


def with_digests(definition: TaskDefinitionFacts, revisions: Sequence[RevisionFacts]) -> TaskDefinitionFacts:
    """The same, with the digests of its images as the newest of these service revisions has them."""
    of_it = [each for each in revisions if each.task_definition == definition.task_definition and each.images]
    if not of_it:
        return definition
    images = max(of_it, key=lambda each: each.created_at.timestamp() if each.created_at is not None else 0.0).images
    containers = tuple(each.model_copy(update={"digest": images.get(each.name)}) for each in definition.containers)
    return definition.model_copy(update={"containers": containers})


def _told(before: TaskDefinitionFacts, after: TaskDefinitionFacts) -> Iterator[Difference]:
    yield from _named(
        {
            "CPU units of the task": (_text(before.cpu), _text(after.cpu)),
            "memory of the task": (_mib(before.memory_mib), _mib(after.memory_mib)),
            "task role": (before.task_role or "", after.task_role or ""),
            "execution role": (before.execution_role or "", after.execution_role or ""),
            "network mode": (before.network_mode or "", after.network_mode or ""),
            "log groups": (", ".join(before.log_groups), ", ".join(after.log_groups)),
        }
    )
    old, new = _by_name(before), _by_name(after)
    for name in dict.fromkeys((*old, *new)):
        if name not in old:
            yield Difference(what=f"container {name}", before="", after=new[name].image or "added")
        elif name not in new:
            yield Difference(what=f"container {name}", before=old[name].image or "there", after="")
        else:
            alone = len(old) == len(new) == 1
            yield from _of_container("" if alone else f" of {name}", old[name], new[name])


def _of_container(of: str, old: ContainerFacts, new: ContainerFacts) -> Iterator[Difference]:
    yield from _named(
        {
            f"image{of}": (old.image, new.image),
            f"image digest{of}": _moved(old, new),
            f"command{of}": (old.command, new.command),
            f"CPU units{of}": (_text(old.cpu), _text(new.cpu)),
            f"memory{of}": (_mib(old.memory_mib), _mib(new.memory_mib)),
            f"reserved memory{of}": (_mib(old.reserved_mib), _mib(new.reserved_mib)),
            f"ports{of}": (", ".join(old.ports), ", ".join(new.ports)),
            f"health check{of}": (old.health_check, new.health_check),
            f"essential{of}": (_yes(old.essential), _yes(new.essential)),
            f"environment files{of}": (", ".join(old.environment_files), ", ".join(new.environment_files)),
        }
    )
    gone = sorted(set(old.environment) - set(new.environment))
    added = sorted(set(new.environment) - set(old.environment))
    if gone or added:
        yield Difference(what=f"environment variables{of}", before=", ".join(gone), after=", ".join(added))
    for name in sorted({*old.secrets, *new.secrets}):
        if old.secrets.get(name) != new.secrets.get(name):
            yield Difference(
                what=f"secret {name}{of}", before=old.secrets.get(name, ""), after=new.secrets.get(name, "")
            )


def _moved(old: ContainerFacts, new: ContainerFacts) -> tuple[str, str]:
    """The digests, where a tag was given to another image: else they say no more than the tags."""
    if old.image != new.image or old.digest is None or new.digest is None:
        return "", ""
    return old.digest, new.digest


def _named(values: Mapping[str, tuple[str, str]]) -> Iterator[Difference]:
    for what, (before, after) in values.items():
        if before != after:
            yield Difference(what=what, before=before, after=after)


def _by_name(definition: TaskDefinitionFacts) -> dict[str, ContainerFacts]:
    return {container.name: container for container in definition.containers}


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _mib(value: int | None) -> str:
    return "" if value is None else f"{value} MiB"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
