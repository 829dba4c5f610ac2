"""One playbook of many is found without the others, and it is the one that reading all of them finds."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.signals import MetricRef, Signal, SignalKind
from functions.playbooks.compiled import Compiled, compile_playbooks
from functions.playbooks.concerned import concerned
from functions.playbooks.schema import Playbook

REGIONS, CLUSTERS, SERVICES = ("eu-west-1", "us-east-1"), ("shop", "shop-dev"), ("a", "ab", "a-b", "b")
ALARMS = ("a", "ab", "a b", "ä", "b")
GROUPS = ("targetgroup/a/1", "targetgroup/ab/1")
BALANCERS = ("app/a/1", "app/b/1")
DATABASES = ("a-db", "b-db")
ELB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"


def playbook(region: str, cluster: str, service: str, **said: object) -> Playbook:
    return Playbook.model_validate({"region": region, "cluster": cluster, "service": service, **said})


@st.composite
def books(draw: st.DrawFn) -> list[Playbook]:
    places = draw(st.sets(st.tuples(*map(st.sampled_from, (REGIONS, CLUSTERS, SERVICES))), max_size=6))
    made = []
    for place in sorted(places):
        overrides: dict[str, object] = {
            "target_groups": [f"{ELB}:{name}" for name in draw(st.sets(st.sampled_from(GROUPS)))]
        }
        balancer = draw(st.none() | st.sampled_from(BALANCERS))
        if balancer is not None:
            overrides["load_balancer"] = f"{ELB}:loadbalancer/{balancer}"
        dependencies: list[dict[str, str]] = [
            {"name": f"on-{n}", "alarm": name} for n, name in enumerate(draw(st.sets(st.sampled_from(ALARMS))))
        ]
        dependencies += [{"name": name, "rds": name} for name in draw(st.sets(st.sampled_from(DATABASES)))]
        alarms = [{"existing": name} for name in draw(st.sets(st.sampled_from(ALARMS)))]
        made.append(playbook(*place, alarms=alarms, dependencies=dependencies, overrides=overrides))
    return made


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    dimensions = {
        "TargetGroup": draw(st.none() | st.sampled_from((*GROUPS, ""))),
        "LoadBalancer": draw(st.none() | st.sampled_from((*BALANCERS, ""))),
    }
    said = {name: value for name, value in dimensions.items() if value is not None}
    return Signal(
        kind=draw(st.sampled_from([each for each in SignalKind if each is not SignalKind.HEARTBEAT])),
        occurred_at=None,
        region=draw(st.none() | st.sampled_from(REGIONS)),
        cluster=draw(st.none() | st.sampled_from(CLUSTERS)),
        service=draw(st.none() | st.sampled_from((*SERVICES, "none"))),
        alarm=draw(st.none() | st.sampled_from((*ALARMS, "none"))),
        children=tuple(sorted(draw(st.sets(st.sampled_from(ALARMS), max_size=2)))),
        metrics=(MetricRef(namespace="AWS/ApplicationELB", name="RequestCount", dimensions=said),) if said else (),
        aws_service=draw(st.sampled_from([None, "ECS", "RDS", "LAMBDA"])),
        names=tuple(sorted(draw(st.sets(st.sampled_from(("a", "shop/a", "shop/*", "x:a-db")), max_size=2)))),
    )


@given(books(), signals())
def test_who_is_concerned_is_found_without_reading_the_rest(made: list[Playbook], signal: Signal) -> None:
    """With the same reason, for every kind of signal."""
    compiled = Compiled(compile_playbooks(made).encode())
    every = sorted(made, key=lambda p: (p.region, p.cluster, p.service))

    found = concerned(signal, compiled.addressees(signal))
    expected = concerned(signal, every)

    assert [(match.ref, match.reason) for match in found] == [(match.ref, match.reason) for match in expected]
    assert [match.playbook for match in found] == [
        None if match.playbook is None else match.playbook.addressee for match in expected
    ]


@given(books(), st.sampled_from((*ALARMS, "none")))
def test_each_playbook_and_each_alarm_is_found(made: list[Playbook], name: str) -> None:
    """And none that is not there."""
    compiled = Compiled(compile_playbooks(made).encode())

    assert dict(compiled) == {book.ref.key: book for book in made}
    assert len(compiled) == len(made)
    assert "eu-west-1/shop/none" not in compiled
    assert (name in compiled.alarm_names) is any(name in book.alarm_names for book in made)


def test_a_file_without_playbooks_has_none(tmp_path: Path) -> None:
    """A responder may be deployed before its first service."""
    file = tmp_path / "playbooks.tsv"
    file.write_text(compile_playbooks([]))

    assert list(Compiled.of(file)) == []
    assert Compiled.of(file).get("eu-west-1/shop/orders") is None
