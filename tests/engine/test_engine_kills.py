"""`kill -9` in the middle of an update: the next `make up` ends as the program says, whatever it says by then."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_plane import ControlPlane
from local_stack import LABELS, LocalStack, seed, wrong
from ml_local.errors import LocalError
from ml_platform.kube import Client
from support.until import until

pytestmark = [pytest.mark.engine, pytest.mark.stand_in]

SEED = seed()
ROUNDS = [0, *(pytest.param(number, marks=pytest.mark.long) for number in (1, 2))]
OPTIONS = ("resource", "depends_on", "deleted_with")
Object = dict[str, Any]
Make = Callable[..., Object]


@pytest.fixture
def local(
    tmp_path: Path, control_plane: ControlPlane, kube: Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalStack]:
    """On a cluster without anything of another stack of that name."""
    with control_plane.scratch():
        yield LocalStack(tmp_path, control_plane.kubeconfig, monkeypatch)


@pytest.fixture
def make(namespace: str) -> Make:
    def made(kind: str, name: str, api_version: str = "v1", **fields: Any) -> Object:
        metadata = {"name": name, "labels": LABELS, "namespace": namespace, **fields.pop("metadata", {})}
        kept = {key: value for key, value in metadata.items() if value}
        return {"apiVersion": api_version, "kind": kind, "metadata": kept, **fields}

    return made


def pod(app: str, fake: str, image: str, **spec: Any) -> Object:
    containers = [{"name": "main", "image": image}]
    return {"metadata": {"labels": {"app": app, "fake": fake}}, "spec": {"containers": containers, **spec}}


def programs(make: Make, namespace: str) -> dict[str, list[Object]]:
    """Four that have something of each other: what stays, changes, is replaced, comes and goes."""
    inner = f"{namespace}-inner"

    def maps(*names: str, **data: str) -> list[Object]:
        return [make("ConfigMap", name, data=data) for name in names]

    def workload(version: str) -> list[Object]:
        job = make(
            "Job", f"job-{version}", "batch/v1", resource="job", spec={"template": pod("job", "succeed", version)}
        )
        job["spec"]["template"]["spec"]["restartPolicy"] = "Never"
        selector = {"matchLabels": {"app": "d"}}
        deployment = make(
            "Deployment", "d", "apps/v1", spec={"selector": selector, "template": pod("d", "ready", version)}
        )
        service = make("Service", "s", spec={"selector": {"app": "d"}, "ports": [{"port": 80}]})
        return [job, {**deployment, "depends_on": ["job"]}, {**service, "depends_on": ["d"]}]

    def home(*names: str) -> list[Object]:
        room = make("Namespace", inner, metadata={"namespace": None})
        things = [make("ConfigMap", name, metadata={"namespace": inner}, data={"a": "1"}) for name in names]
        return [room, *({**each, "depends_on": [inner], "deleted_with": inner} for each in things)]

    return {
        "nothing": [],
        "one": [*maps("a", "b", x="1", y="1"), *workload("one"), *home("in-a", "in-b")],
        "two": [*maps("b", "c", x="2"), *workload("two"), *home("in-b")],
        "three": maps("a", "c", x="1", z="3"),
    }


def declared(objects: list[Object]) -> list[Object]:
    return [
        {key: each[key] for key in each if key not in ("resource", "depends_on", "deleted_with")} for each in objects
    ]


def assert_converged(local: LocalStack, kube: Client, namespace: str, objects: list[Object], said: str) -> None:
    assert not wrong(kube, [namespace, f"{namespace}-inner"], declared(objects)), said
    preview = local.pulumi("preview", "--refresh", "--expect-no-changes")
    assert preview.returncode == 0, f"{said}\n{preview.stdout}"


@pytest.mark.parametrize("number", ROUNDS)
def test_an_update_killed_anywhere_converges(
    local: LocalStack, make: Make, kube: Client, namespace: str, number: int
) -> None:
    draw = random.Random(SEED + number)
    known = programs(make, namespace)
    first, second, third = (draw.choice(list(known)) for _ in range(3))
    second = second if second != first else draw.choice([name for name in known if name != first])
    steps, delay = draw.randrange(1, 16), draw.uniform(0, 0.2)
    moment = f"killed at step {steps} + {delay:.3f} s"
    said = f"ML_PLATFORM_SEED={SEED}, round {number}: {first} -> {second}, {moment} -> {third}"
    print(said)
    local.declare(known[first])
    local.up()
    local.declare(known[second])
    killed = local.killed_up(steps, delay)
    local.declare(known[third])
    local.up()
    assert_converged(local, kube, namespace, known[third], f"{said}, {'in time' if killed else 'after its end'}")


def test_a_killed_removal_of_what_is_wanted_again_loses_nothing(
    local: LocalStack, make: Make, kube: Client, namespace: str
) -> None:
    objects = programs(make, namespace)["one"]
    local.declare(objects)
    local.up()
    local.declare(objects[:1])
    assert local.killed_up(4, 0)
    local.declare(objects)
    local.up()
    assert_converged(local, kube, namespace, objects, "")


def test_a_killed_replacement_that_is_taken_back_keeps_the_first(
    local: LocalStack, make: Make, kube: Client, namespace: str
) -> None:
    """As with a run whose settings are taken back while the new one is at work: nothing runs twice."""
    known = programs(make, namespace)
    local.declare(known["one"])
    local.up()
    uid = kube.get("batch/v1", "Job", "job-one", namespace)["metadata"]["uid"]
    stuck = make(
        "Job", "job-two", "batch/v1", resource="job", spec={"template": pod("job", "stuck", "x", restartPolicy="Never")}
    )
    local.declare([*known["one"][:2], stuck])
    assert local.killed_up(1, 1.0)
    local.declare(known["one"])
    local.up()
    assert kube.get("batch/v1", "Job", "job-one", namespace)["metadata"]["uid"] == uid
    assert_converged(local, kube, namespace, known["one"], "")


def test_the_lock_of_a_killed_command_is_void_while_nobody_collects_its_remains(local: LocalStack) -> None:
    local.declare([])
    local.up()
    (local.project / "__main__.py").write_text("import time\ntime.sleep(60)\n")
    killed = local.start("up", "--yes", "--skip-preview")
    until(lambda: locks(local) != [], "its lock is not there")
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    (local.project / "__main__.py").write_text("")
    local.up()
    killed.wait()
    assert locks(local) == []


def test_the_lock_of_a_live_command_and_of_another_host_is_respected(local: LocalStack) -> None:
    local.declare([])
    local.up()
    (local.project / "__main__.py").write_text("import time\ntime.sleep(60)\n")
    live = local.start("up", "--yes", "--skip-preview")
    until(lambda: locks(local) != [], "its lock is not there")
    (lock,) = locks(local)
    with pytest.raises(LocalError, match="`pulumi up` failed"):
        local.up()
    assert live.poll() is None
    live.kill()
    live.wait()
    lock.write_text(json.dumps({**json.loads(lock.read_text()), "hostname": "another-host"}))
    with pytest.raises(LocalError, match="`pulumi up` failed"):
        local.up()
    assert locks(local) == [lock]


def locks(local: LocalStack) -> list[Path]:
    return list((local.layout.state / "pulumi" / "backend" / ".pulumi" / "locks").rglob("*.json"))


def test_plain_pulumi_refuses_after_a_kill(local: LocalStack, make: Make, namespace: str) -> None:
    local.declare(programs(make, namespace)["one"])
    assert local.killed_up(3, 0)
    refused = local.pulumi("up", "--yes", "--skip-preview")
    assert refused.returncode != 0
    assert "locked" in refused.stdout


def test_what_is_on_its_way_out_and_does_not_go_is_named(
    local: LocalStack, make: Make, kube: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ml_local import recovery

    monkeypatch.setattr(recovery, "DEADLINE", 2.0)
    held = make("ConfigMap", "held", metadata={"finalizers": ["example.com/held"]})
    local.declare([held])
    local.up()
    local.declare([])
    assert local.killed_up(1, 0.5)
    try:
        with pytest.raises(LocalError, match=r"ConfigMap .*/held \(finalizers: example.com/held\)"):
            local.up()
    finally:
        kube.patch("v1", "ConfigMap", "held", namespace, {"metadata": {"finalizers": None}})
    local.up()
    assert_converged(local, kube, namespace, [], "")
