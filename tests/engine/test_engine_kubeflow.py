"""Kubeflow's releases on an API server with its controllers: made whole by the real engine, and removed whole.

No pod runs, so workloads have no replicas, and nobody asks the webhooks, which nothing would answer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from control_plane import ControlPlane
from made_up import thing
from ml_local import paths
from ml_platform.kube import Client
from pulumi_project import Project
from support import inventory

pytestmark = [pytest.mark.engine, pytest.mark.mirror]

ROOTS = ("platform", "tests", "tests/support")
PROGRAM = """
import os
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
from ml_platform.bundles.bundle import Bundle, BundleArgs
from ml_platform.bundles.catalog import Rule
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.transforms.transform import merge

PARTS = ("kubeflow", "profiles", "poddefaults", "notebooks", "tensorboards", "volumes", "central-dashboard", "katib",
         "kubeflow-pipelines")


UNHEARD = Rule(action="drop", kind="ValidatingWebhookConfiguration", name="istio*", why="nothing answers it here")


class Unprobed(Installation):
    def entry(self, name):
        known = super().entry(name)
        rules = (*known.rules, *([UNHEARD] if name == "istio-base" else []))
        return known.model_copy(update={"probes": (), "rules": rules})


def at_rest(item):
    return merge(item, {"spec": {"replicas": 0}}) if item["kind"] == "Deployment" else item


kubeconfig = Path("kubeconfig").read_text()
options = pulumi.ResourceOptions(provider=kubernetes.Provider("test", kubeconfig=kubeconfig))
mirror = Path(os.environ["ML_PLATFORM_MIRROR"])
labels = {"ml-platform/stack": "kubeflow"}
site = Unprobed(kubeconfig=kubeconfig, labels=labels, images={}, mirror=mirror, retain_definitions=False)
before = []
for name in ("istio-base", *PARTS):
    made = Bundle(name, BundleArgs(installation=site, bundle=name, transforms=[at_rest], after=before), options)
    before = before or [*made.kinds]
"""
USERS = (
    thing(
        "Notebook",
        "theirs/torch",
        "kubeflow.org/v1",
        spec={"template": {"spec": {"containers": [{"name": "torch", "image": "x"}]}}},
    ),
    thing("ScheduledWorkflow", "kubeflow/nightly", "kubeflow.org/v1beta1", spec={}, status={}),
    thing("Tensorboard", "theirs/board", "tensorboard.kubeflow.org/v1alpha1", spec={"logspath": "pvc://logs"}),
    thing("Workflow", "kubeflow/run", "argoproj.io/v1alpha1", spec={}),
    thing("Lease", "kubeflow/workflow-controller-lease", "coordination.k8s.io/v1", spec={}),
    thing("ConfigMap", "kubeflow/made-at-run-time"),
)
"""What people and controllers make while Kubeflow runs."""


def test_all_of_kubeflow_is_made_and_removed_with_nothing_left(
    bare_project: Callable[..., Project], control_plane: ControlPlane, kube: Client
) -> None:
    project = bare_project(program=PROGRAM)
    project.environment["PYTHONPATH"] = os.pathsep.join(str(paths.checkout() / root) for root in ROOTS)
    project.environment["ML_PLATFORM_MIRROR"] = os.environ["ML_PLATFORM_MIRROR"]
    (Path(project.folder) / "kubeconfig").write_text(control_plane.kubeconfig)
    kube.create(thing("Namespace", "theirs"), field_manager="somebody")
    before = inventory.everything(kube)
    started = time.monotonic()
    made = project.up()
    assert made.ok, made.text
    for item in USERS:
        kube.create(item, field_manager="somebody")
    gone = project.destroy()
    assert gone.ok, gone.text
    assert not inventory.left_over(kube, before)
    kube.delete("v1", "Namespace", "theirs")
    print(f"{time.monotonic() - started:.0f} s")
