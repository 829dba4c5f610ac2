"""What differs between two task definitions."""

from datetime import UTC, datetime

from functions.domain.circumstances import ContainerFacts, TaskDefinitionFacts
from functions.domain.differences import Difference, differences, with_digests
from functions.domain.evidence import RevisionFacts

APP = ContainerFacts(
    name="app",
    image="orders:41",
    environment=("DEBUG", "STAGE"),
    secrets={"DB": "/orders/db"},
    ports=("8080/tcp",),
    health_check="CMD true every 30 s, within 5 s, 3 times",
)


def definition(*containers: ContainerFacts, cpu: int = 512) -> TaskDefinitionFacts:
    return TaskDefinitionFacts(task_definition="orders:41", cpu=cpu, memory_mib=1024, containers=containers)


def test_what_a_release_changed() -> None:
    """Each thing by its name, with what it was and what it is; what is the same is not told."""
    new = APP.model_copy(
        update={
            "image": "orders:42",
            "environment": ("FLAGS", "STAGE"),
            "secrets": {"DB": "/orders/db-2", "KEY": "/orders/key"},
            "health_check": "",
        }
    )
    assert differences(definition(APP), definition(new, cpu=1024)) == (
        Difference(what="CPU units of the task", before="512", after="1024"),
        Difference(what="image", before="orders:41", after="orders:42"),
        Difference(what="health check", before="CMD true every 30 s, within 5 s, 3 times", after=""),
        Difference(what="environment variables", before="DEBUG", after="FLAGS"),
        Difference(what="secret DB", before="/orders/db", after="/orders/db-2"),
        Difference(what="secret KEY", before="", after="/orders/key"),
    )


def test_nothing_differs_from_itself() -> None:
    """However the containers are written."""
    assert differences(definition(APP), definition(APP)) == ()


def test_containers_come_and_go() -> None:
    """One that is new or gone is told by its image, and with several each difference says whose it is."""
    log = ContainerFacts(name="log", image="fluent-bit:3")
    told = differences(definition(APP, log), definition(APP.model_copy(update={"command": "serve"}), log))
    assert told == (Difference(what="command of app", before="", after="serve"),)
    assert differences(definition(APP), definition(APP, log)) == (
        Difference(what="container log", before="", after="fluent-bit:3"),
    )
    assert differences(definition(APP, log), definition(APP)) == (
        Difference(what="container log", before="fluent-bit:3", after=""),
    )


def test_a_tag_that_was_moved_is_told_by_its_digest() -> None:
    """Under the same tag another image was pulled; the newest revision says what a task definition runs now."""
    early, late = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    revisions = [
        RevisionFacts(arn="sr/1", task_definition="orders:41", images={"app": "sha256:aa"}, created_at=early),
        RevisionFacts(arn="sr/2", task_definition="orders:41", images={"app": "sha256:bb"}, created_at=late),
        RevisionFacts(arn="sr/3", task_definition="orders:40", images={"app": "sha256:cc"}, created_at=late),
    ]
    now = with_digests(definition(APP), revisions)
    before = with_digests(definition(APP), revisions[:1])
    assert differences(before, now) == (Difference(what="image digest", before="sha256:aa", after="sha256:bb"),)
    assert differences(definition(APP), now) == (), "one digest alone proves nothing"
