"""What the API server refuses where workloads are: the very sentences that the policies say of the same objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_platform.admission.rule import API, Rule
from ml_platform.components.admission import rules
from ml_platform.kube import Client, Connection, KubeError
from ml_platform.labels import WORKLOADS
from ml_policies.catalog import POLICIES
from ml_policies.engine.policy import ResourcePolicy
from ml_policies.engine.resource import Resource
from support import chosen
from support.control_plane import ControlPlane
from support.until import until

REGISTRIES = ("registry.test", "*.example.com", "ghcr.io/kserve/*", "localhost:5000")
RULES = rules(chosen.platform(admission={"registries": REGISTRIES}))
DIGEST = f"@sha256:{'0' * 64}"
HOSTS = (
    "",
    "registry.test/",
    "a.example.com/",
    "ghcr.io/kserve/",
    "ghcr.io/other/",
    "localhost:5000/",
    "team/",
    "localhost/",
)
IMAGES = tuple(f"{host}runs{end}" for host in HOSTS for end in ("", ":1", ":latest", ":main", DIGEST, f":main{DIGEST}"))
RESOURCES: tuple[dict[str, Any] | None, ...] = (
    None,
    {},
    {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
    {"limits": {"cpu": "1", "memory": "1Gi"}},
    {"limits": {"memory": "1Gi"}},
    {"requests": {"cpu": "1"}},
)
ROLES = ("cluster-admin", "admin", "view")
SUBJECTS = ("system:authenticated", "system:anonymous", "system:masters", "somebody", "jobs")


@pytest.fixture(scope="module")
def warned() -> list[str]:
    return []


@pytest.fixture(scope="module")
def client(plane: ControlPlane, warned: list[str]) -> Iterator[Client]:
    """Of a cluster where all rules are advisory in the namespace `models`, and mandatory ones wait for a binding."""
    with plane.scratch():
        client = Client(Connection.from_kubeconfig(plane.kubeconfig), warn=warned.append)
        for name, labels in (("models", {WORKLOADS: "true"}), ("elsewhere", {})):
            client.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
                field_manager="test",
            )
        for rule in RULES:
            client.apply(rule.policy_object({"of": "test"}), field_manager="test")
            client.apply(rule.binding_object({"of": "test"}, "advisory"), field_manager="test")
        evil = (pod([container("c", "runs:main", None)], {}), role([{"verbs": ["*"]}]), binding("admin", ["jobs"]))
        everything = {rule.policy for rule in RULES}
        until(lambda: {name for item in evil for name in said(client, warned, item)} == everything, "not all are kept")
        yield client


def container(name: str, image: str, resources: dict[str, Any] | None) -> dict[str, Any]:
    return {"name": name, "image": image, **({} if resources is None else {"resources": resources})}


def pod(containers: list[dict[str, Any]], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": containers, **spec}}


def role(rules: list[dict[str, Any]]) -> dict[str, Any]:
    found = [{"apiGroups": [""], "resources": ["pods"], **rule} for rule in rules]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": found}


def binding(of: str, subjects: list[str], kind: str = "ClusterRole") -> dict[str, Any]:
    named = [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name} for name in subjects]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": of}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "roleRef": reference,
        "subjects": named,
    }


def create(client: Client, item: dict[str, Any], namespace: str = "models") -> None:
    """Ask for it, without its being made."""
    named = {**item, "metadata": {"name": "asked", "namespace": namespace}}
    client.create(named, field_manager="test", dry_run=True)


def said(client: Client, warned: list[str], item: dict[str, Any]) -> dict[str, str]:
    """What the API server has against it, by the policy."""
    warned.clear()
    create(client, item)
    found = (each.partition(": ") for each in warned if "ValidatingAdmissionPolicy" in each)
    return {head.split("'")[1].removeprefix("ml-platform-"): text for head, _, text in found}


def judged(item: dict[str, Any]) -> dict[str, str]:
    """What the policies have against it."""
    version, _, _ = item["apiVersion"].rpartition("/")
    token = f"kubernetes:{item['apiVersion'] if version else 'core/v1'}:{item['kind']}"
    named = {**item, "metadata": {"name": "asked", "namespace": "models"}}
    resource = Resource(type=token, name="asked", props=json.loads(json.dumps(named)))
    told = {rule.policy: "; ".join(_sentences(rule, resource)) for rule in RULES}
    return {policy: text for policy, text in told.items() if text}


def _sentences(rule: Rule, resource: Resource) -> Iterator[str]:
    policy = next(each for each in POLICIES if each.name == rule.policy)
    assert isinstance(policy, ResourcePolicy)
    parameters = policy.parameters(**({"registries": REGISTRIES} if rule.policy == "image-registry" else {}))
    for part in policy.of(resource):
        yield from policy.check(part, parameters)


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    images, resources = st.sampled_from(IMAGES), st.sampled_from(RESOURCES)
    made = [container(f"c{number}", draw(images), draw(resources)) for number in range(draw(st.integers(1, 3)))]
    spec: dict[str, Any] = {}
    if draw(st.booleans()):
        spec["initContainers"] = [container("i", draw(images), draw(resources))]
    if draw(st.booleans()):
        spec["volumes"] = [{"name": "v", "image": {"reference": draw(images)}}, {"name": "w", "emptyDir": {}}]
    for field, values in {
        "serviceAccountName": (None, "default"), "automountServiceAccountToken": (None, True, False)
    }.items():  # fmt: skip
        if (value := draw(st.sampled_from(values))) is not None:
            spec[field] = value
    return pod(made, spec)


@st.composite
def roles(draw: st.DrawFn) -> dict[str, Any]:
    of = {
        "verbs": st.lists(st.sampled_from(["get", "*", "bind", "escalate", "impersonate"]), min_size=1, unique=True),
        "resources": st.lists(st.sampled_from(["pods", "*", "*/scale"]), min_size=1, unique=True),
        "apiGroups": st.lists(st.sampled_from(["", "*", "apps"]), min_size=1, unique=True),
        "resourceNames": st.lists(st.sampled_from(["one", "cluster-admin"]), unique=True),
    }
    rules = st.lists(st.fixed_dictionaries(of), min_size=1, max_size=3, unique_by=lambda rule: json.dumps(rule))
    return role(draw(rules))


bindings = st.builds(
    binding,
    st.sampled_from(ROLES),
    st.lists(st.sampled_from(SUBJECTS), unique=True),
    st.sampled_from(["ClusterRole", "Role"]),
)


@given(item=pods() | roles() | bindings)
@settings(max_examples=300, deadline=None)
def test_the_api_server_says_what_the_policies_say(item: dict[str, Any], client: Client, warned: list[str]) -> None:
    assert said(client, warned, item) == judged(item)


GOOD = container("c", f"registry.test/runs{DIGEST}", RESOURCES[2])
NO_TOKEN = {"automountServiceAccountToken": False}


def refusal(client: Client, item: dict[str, Any], namespace: str) -> str:
    """What the API server answers to it; nothing where it takes it."""
    try:
        create(client, item, namespace)
    except KubeError as error:
        return error.message
    return ""


def test_a_sidecar_that_its_controller_sizes_may_say_less(client: Client, warned: list[str]) -> None:
    sidecar = container("queue-proxy", f"registry.test/queue{DIGEST}", {"requests": {"cpu": "25m"}})
    assert said(client, warned, pod([GOOD, sidecar], NO_TOKEN)) == {}
    assert set(said(client, warned, pod([GOOD, {**sidecar, "name": "other"}], NO_TOKEN))) == {"bounded-resources"}


def test_what_is_mandatory_is_refused_where_workloads_are_and_nowhere_else(client: Client) -> None:
    for rule in RULES:
        client.apply(rule.binding_object({"of": "test"}, "mandatory"), field_manager="test")
    bare = pod([container("c", "registry.test/runs:1", RESOURCES[2])], NO_TOKEN)
    wanted = "container c runs image 'registry.test/runs:1', which can change under its name; name it by digest"
    until(lambda: wanted in refusal(client, bare, "models"), "it is not refused")
    assert refusal(client, bare, "elsewhere") == ""
    assert refusal(client, pod([GOOD], NO_TOKEN), "models") == ""


def test_what_is_there_already_is_changed_in_all_that_no_rule_is_about(client: Client) -> None:
    """A Job's pods of before must end: their controller takes its finalizer from them."""
    for rule in RULES:
        client.delete(API, "ValidatingAdmissionPolicyBinding", rule.name)
    before = {**pod([container("c", "runs:main", None)], {}), "metadata": {"name": "before", "namespace": "models"}}
    until(lambda: made(client, before), "the rules are still kept")
    for rule in RULES:
        client.apply(rule.binding_object({"of": "test"}, "mandatory"), field_manager="test")
    until(lambda: refusal(client, before, "models"), "it is not refused")
    marks = {"apiVersion": "v1", "kind": "Pod", "metadata": {**before["metadata"], "labels": {"seen": "yes"}}}
    assert client.apply(marks, field_manager="other")["metadata"]["labels"] == {"seen": "yes"}


def made(client: Client, item: dict[str, Any]) -> bool:
    try:
        client.create(item, field_manager="test")
    except KubeError:
        return False
    return True
