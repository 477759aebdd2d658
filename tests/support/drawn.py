"""Objects that hypothesis draws: workloads of every kind in order, and with one fault that a policy refuses."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2
from hypothesis import strategies as st
from ml_policies.engine.resource import Resource
from ml_policies.engine.values import read
from ml_policies.shapes.workloads import WORKLOADS
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE as UNKNOWN
from support.declared import GOOD, IMAGE, POD, SECURE

QUANTITIES = st.sampled_from(["100m", "0.5", "1", "100u", "500n", "1E0", "1e-1", ".5", "1."])
MEMORIES = st.sampled_from(["64Mi", "1e8", "134217728", "0.1Gi", "128M", "100000Ki", "1E8"])
EVIL: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "network": ("host-access", {"hostNetwork": True}),
    "process": ("host-access", {"hostPID": True}),
    "path": ("host-access", {"volumes": [{"name": "r", "hostPath": {"path": "/"}}]}),
    "volume": ("restricted-pods", {"volumes": [{"name": "n", "nfs": {"server": "x", "path": "/"}}]}),
    "sysctl": ("restricted-pods", {"securityContext": {**POD, "sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}),
    "picture": ("image-by-digest", {"volumes": [{"name": "m", "image": {"reference": "x.test/m:1"}}]}),
}
"""Of a pod, by the policy that refuses it."""
WICKED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "privileged": ("host-access", {"securityContext": {"privileged": True}}),
    "port": ("host-access", {"ports": [{"hostPort": 80, "containerPort": 80}]}),
    "root": ("restricted-pods", {"securityContext": {"runAsUser": 0}}),
    "capability": ("restricted-pods", {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}),
    "tag": ("image-by-digest", {"image": "x.test/x:1"}),
    "latest": ("no-latest-image", {"image": "x.test/x"}),
    "password": ("no-plain-secrets", {"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}),
    "flag": ("no-plain-secrets", {"args": ["--password", "hunter2"]}),
    "address": ("no-plain-secrets", {"env": [{"name": "STORE", "value": "postgres://u:hunter2@h/d"}]}),
    "accelerator": ("gpus-where-allowed", {"resources": {"limits": {"nvidia.com/gpu": 1, "cpu": 1, "memory": "1Gi"}}}),
}
"""Of a container, by the policy that refuses it."""
PLACES = [
    (group, kind, what, place)
    for (group, kind), each in sorted(WORKLOADS.items())
    for what, places in (("pod", each.pods), ("container", each.containers))
    for place in places
]


@st.composite
def containers(draw: st.DrawFn, name: str = "main") -> dict[str, Any]:
    """In order."""
    cpu, memory = draw(QUANTITIES), draw(MEMORIES)
    found: dict[str, Any] = {
        "name": name, "image": IMAGE, "securityContext": {**SECURE, **POD},
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}},
    }  # fmt: skip
    if draw(st.booleans()):
        found["env"] = draw(st.sampled_from([None, [], [{"name": "LEVEL", "value": "info"}], [{"name": "A"}]]))
    if draw(st.booleans()):
        found["args"] = draw(st.none() | st.lists(st.sampled_from(["-v", "--level=info", "run", "a b"]), max_size=3))
    return found


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    """In order."""
    found: dict[str, Any] = {
        "serviceAccountName": "own", "securityContext": dict(POD),
        "containers": [draw(containers(f"c{number}")) for number in range(draw(st.integers(1, 3)))],
    }  # fmt: skip
    if draw(st.booleans()):
        found["initContainers"] = draw(st.none() | st.lists(containers("first"), max_size=2))
    if draw(st.booleans()):
        found["volumes"] = draw(st.sampled_from([None, [], [{"name": "tmp", "emptyDir": {}}]]))
    return found


def placed(place: str, value: Any) -> dict[str, Any]:
    """The value at a place of an object."""
    steps = place.split(".")
    for position in reversed(range(len(steps))):
        if steps[position] == "*":
            above = steps[position - 1]
            value = {"Worker": value} if above.endswith("ReplicaSpecs") else [value]
        else:
            value = {steps[position]: value}
    found: dict[str, Any] = value
    return found


def resource(group: str, kind: str, fields: Mapping[str, Any]) -> Resource:
    version = f"{group}/v1" if group else "v1"
    props = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "models"}, **fields}
    return Resource(type=f"kubernetes:{version}:{kind}", name="x", props=props)


@st.composite
def workloads(draw: st.DrawFn, evil: bool) -> tuple[str, Resource]:
    """One of any kind, and the policy that refuses it; none does if nothing is wrong."""
    group, kind, what, place = draw(st.sampled_from(PLACES))
    value = draw(pods()) if what == "pod" else draw(containers())
    if not evil:
        return "", resource(group, kind, placed(place, value))
    if what == "pod" and draw(st.booleans()):
        policy, fault = draw(st.sampled_from(list(EVIL.values())))
        value |= fault
    else:
        policy, fault = draw(st.sampled_from(list(WICKED.values())))
        holder = (
            draw(st.sampled_from(value["containers"] + (value.get("initContainers") or []))) if what == "pod" else value
        )
        holder |= fault
    return policy, resource(group, kind, placed(place, value))


def paths(tree: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path for key, each in below for path in ((*above, key), *paths(each, (*above, key)))]


SPOTS = [
    (name, path)
    for name, each in GOOD.items()
    for path in paths(dict(each.props))
    if path not in (("kind",), ("apiVersion",))
]


@st.composite
def holes(draw: st.DrawFn) -> tuple[str, Mapping[str, Any]]:
    """A resource of the good stack, by its name, with fields that are null, gone, or known after the update only."""
    name, first = draw(st.sampled_from(SPOTS))
    tree = copy.deepcopy(dict(GOOD[name].props))
    for path in (first, *draw(st.lists(st.sampled_from([path for each, path in SPOTS if each == name]), max_size=2))):
        _bore(tree, path, draw(st.sampled_from([None, UNKNOWN, ...])))
    struct = struct_pb2.Struct()
    struct.update(tree)
    return name, read(struct)


def _bore(tree: Any, path: tuple[Any, ...], hole: Any) -> None:
    *steps, last = path
    try:
        for step in steps:
            tree = tree[step]
        if isinstance(tree, list):  # Kubernetes has no lists with nulls
            tree[last] = UNKNOWN if hole is UNKNOWN else tree[last]
        elif hole is ...:
            del tree[last]
        else:
            tree[last] = hole
    except (KeyError, IndexError, TypeError):
        return  # what is above it is gone
