"""A bundle through the real engine: its phases follow each other, forwards and backwards, and what fails is named."""

import json
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
import yaml
from control_plane import ControlPlane
from made_up import Object, deployment, thing
from ml_local import paths
from ml_platform.bundles.transforms.transform import merge
from ml_platform.kube import Client
from pulumi_project import Project

pytestmark = pytest.mark.engine

ROOTS = ("platform", "tests", "tests/support")
PROGRAM = """
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import yaml
from made_up import MadeUp, release
from ml_platform.bundles.bundle import Bundle, BundleArgs

kubeconfig = Path("kubeconfig").read_text()
provider = kubernetes.Provider("test", kubeconfig=kubeconfig)
objects = list(yaml.safe_load_all(Path("objects.yaml").read_text()))
name = pulumi.Config().require("bundle")
installation = MadeUp(kubeconfig=kubeconfig, releases=[release(Path.cwd(), name, objects)])
Bundle(name, BundleArgs(installation=installation, bundle=name), pulumi.ResourceOptions(provider=provider))
"""
RBAC = "rbac.authorization.k8s.io/v1"
Made = Callable[[str, Sequence[Object]], Project]


@pytest.fixture
def bundle(bare_project: Callable[..., Project], control_plane: ControlPlane, kube: Client) -> Made:
    """A project with a bundle of this name and these objects."""

    def made(name: str, objects: Sequence[Object]) -> Project:
        project = bare_project(program=PROGRAM)
        project.environment["PYTHONPATH"] = os.pathsep.join(str(paths.checkout() / root) for root in ROOTS)
        (project.folder / "kubeconfig").write_text(control_plane.kubeconfig)
        (project.folder / "objects.yaml").write_text(yaml.safe_dump_all(objects))
        project.run("config", "set", "bundle", name)
        return project

    return made


def happened(project: Project) -> list[tuple[str, str]]:
    """(begun | ended, resource) in the order of the last run."""
    words = {"resourcePreEvent": "begun", "resOutputsEvent": "ended"}
    return [
        (words[kind], event[kind]["metadata"]["urn"].rpartition("::")[2])
        for event in map(json.loads, Path(project.folder / "events.json").read_text().splitlines())
        for kind in words
        if kind in event
    ]


def assert_strictly_before(run: list[tuple[str, str]], first: Iterable[str], then: Iterable[str]) -> None:
    last_end = max(run.index(("ended", name)) for name in first)
    assert last_end < min(run.index(("begun", name)) for name in then)


def test_phases_follow_each_other_and_go_in_the_opposite_order(bundle: Made, kube: Client) -> None:
    name = f"b-{uuid.uuid4().hex[:6]}"
    roles = [f"{name}-{number}" for number in range(6)]
    workloads = [f"{name}/w-{number}" for number in range(6)]
    policies = [f"{name}-p-{number}" for number in range(3)]
    objects = [
        *(thing("ClusterRole", role, RBAC, rules=[]) for role in roles),
        *(merge(deployment(workload), {"spec": {"replicas": 0}}) for workload in workloads),
        *(policy(each) for each in policies),
    ]
    project = bundle(name, objects)
    made = project.up()
    assert made.ok, made.text
    phases = [
        [f"{name}-{role}" for role in roles],
        [f"{name}-{workload.rpartition('/')[2]}" for workload in workloads],
        [f"{name}-{each}" for each in policies],
    ]
    run = happened(project)
    assert_strictly_before(run, phases[0], phases[1])
    assert_strictly_before(run, phases[1], phases[2])

    gone = project.destroy()
    assert gone.ok, gone.text
    run = happened(project)
    assert_strictly_before(run, phases[2], phases[1])
    assert_strictly_before(run, phases[1], phases[0])
    assert not [each for each in kube.list(RBAC, "ClusterRole") if each["metadata"]["name"].startswith(name)]


def policy(name: str) -> Object:
    rule = {"apiGroups": ["x.test"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["nothing"]}
    constraints = {"resourceRules": [rule]}
    spec = {"failurePolicy": "Fail", "matchConstraints": constraints, "validations": [{"expression": "true"}]}
    return thing("ValidatingAdmissionPolicy", name, "admissionregistration.k8s.io/v1", spec=spec)


def test_an_object_that_the_cluster_can_not_accept_is_named_with_its_field_and_its_bundle(bundle: Made) -> None:
    name = f"b-{uuid.uuid4().hex[:6]}"
    project = bundle(name, [merge(deployment(f"{name}/web"), {"spec": {"replicas": -1}})])
    refused = project.up()
    project.destroy()
    assert not refused.ok
    for part in (f"Deployment ({name}-web)", 'Deployment.apps "web" is invalid', "spec.replicas: Invalid value: -1"):
        assert part in refused.text, refused.text
