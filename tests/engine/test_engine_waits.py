"""When `up` goes on: each kind's readiness, `waitFor`, and what an object that is not ready leaves behind."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ml_platform.kube import Client, KubeError
from support.until import while_running

pytestmark = pytest.mark.engine

SHORT = {"annotations": {"pulumi.com/timeoutSeconds": "3"}}
ENOUGH = {"annotations": {"pulumi.com/timeoutSeconds": "10"}}  # for a pod to get stuck, on a busy machine too


def pods(fake: str, app: str = "app", **spec: Any) -> dict[str, Any]:
    labels = {"app": app, "fake": fake}
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "x"}], **spec}}


def workload(fake: str, app: str = "app", **spec: Any) -> dict[str, Any]:
    return {"selector": {"matchLabels": {"app": app}}, "template": pods(fake, app), **spec}


def crd(group: str, scope: str = "Namespaced") -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "group": group,
        "scope": scope,
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
        "versions": [{**version, "subresources": {"status": {}}}],
    }


def later(action: Callable[[], Any], seconds: float = 1.0) -> None:
    """Until it works once: what it is about is made meanwhile."""

    def attempt() -> None:
        for _ in range(200):
            time.sleep(seconds / 10)
            try:
                action()
            except KubeError:
                continue
            return

    threading.Thread(target=attempt, daemon=True).start()


def set_status(kube: Client, api_version: str, plural: str, namespace: str, name: str, status: Any) -> None:
    path = f"/apis/{api_version}/namespaces/{namespace}/{plural}/{name}/status"
    headers = {"Content-Type": "application/merge-patch+json"}
    kube.request("PATCH", path, body={"status": status}, headers=headers)


def test_workloads_are_ready_when_their_pods_are(stack: Any, kube: Client, namespace: str) -> None:
    stack.declare(
        stack.object("Deployment", "deployment", "apps/v1", spec=workload("ready", "d", replicas=2)),
        stack.object("StatefulSet", "stateful", "apps/v1", spec=workload("ready", "s", replicas=1, serviceName="s")),
        stack.object("DaemonSet", "daemon", "apps/v1", spec=workload("ready", "daemon")),
        stack.object("Job", "job", "batch/v1", spec={"template": pods("succeed", restartPolicy="Never")}),
        stack.object("Pod", "pod", metadata={"labels": {"fake": "ready"}}, spec=pods("ready")["spec"]),
        stack.object("Service", "s", spec={"selector": {"app": "d"}, "ports": [{"port": 80}]}),
        stack.object("Service", "selects-nothing", spec={"selector": {"app": "none"}, "ports": [{"port": 80}]}),
    )
    made = stack.up()
    assert made.ok, made.text
    assert stack.state("deployment")["outputs"]["status"]["availableReplicas"] == 2
    assert stack.state("job")["outputs"]["status"]["succeeded"] == 1
    assert stack.up().changed == {}
    assert stack.refresh().ok


def test_what_the_cluster_fills_in_is_waited_for(stack: Any, kube: Client, namespace: str) -> None:
    volume = {"accessModes": ["ReadWriteOnce"], "storageClassName": namespace}
    gigabyte = {"storage": "1Gi"}
    late = {
        "provisioner": "example.com/none",
        "volumeBindingMode": "WaitForFirstConsumer",
        "metadata": {"namespace": None},
    }
    token = {
        "type": "kubernetes.io/service-account-token",
        "metadata": {"annotations": {"kubernetes.io/service-account.name": "a"}},
    }
    stack.declare(
        stack.object("ServiceAccount", "a"),
        stack.object("Secret", "token", **token, options={"depends_on": ["a"]}),
        stack.object("ResourceQuota", "quota", spec={"hard": {"pods": "9"}}),
        stack.object("StorageClass", f"late-{namespace}", "storage.k8s.io/v1", **late),
        stack.object(
            "PersistentVolumeClaim",
            "unbound",
            spec={**volume, "storageClassName": f"late-{namespace}", "resources": {"requests": gigabyte}},
            options={"depends_on": [f"late-{namespace}"]},
        ),
        stack.object(
            "PersistentVolume",
            f"v-{namespace}",
            metadata={"namespace": None},
            spec={**volume, "capacity": gigabyte, "hostPath": {"path": "/none"}},
        ),
        stack.object("PersistentVolumeClaim", "bound", spec={**volume, "resources": {"requests": gigabyte}}),
    )
    made = stack.up()
    assert made.ok, made.text
    assert stack.state("bound")["outputs"]["status"]["phase"] == "Bound"
    assert stack.state("unbound")["outputs"]["status"]["phase"] == "Pending"
    assert stack.state("token")["outputs"]["data"]


def test_an_ingress_is_ready_when_it_has_an_address(stack: Any, kube: Client, namespace: str) -> None:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}}}
    stack.declare(
        stack.object("Service", "s", spec={"ports": [{"port": 80}]}),
        # The official plugin waits for those of each path's Service too; ours for the address alone.
        stack.object("Endpoints", "s", subsets=[{"addresses": [{"ip": "10.97.1.8"}], "ports": [{"port": 80}]}]),
        stack.object("Ingress", "i", "networking.k8s.io/v1", spec={"rules": [{"http": {"paths": [path]}}]}),
    )
    address = {"loadBalancer": {"ingress": [{"ip": "10.97.1.9"}]}}
    later(lambda: set_status(kube, "networking.k8s.io/v1", "ingresses", namespace, "i", address))
    made = stack.up()
    assert made.ok, made.text
    assert stack.state("i")["outputs"]["status"] == address


def test_custom_resources_of_a_kind_from_the_same_program(stack: Any, kube: Client, namespace: str) -> None:
    group = f"{namespace}.example.com"
    wait = {"annotations": {"pulumi.com/waitFor": json.dumps(["condition=Ready", "jsonpath={.status.phase}=Done"])}}
    stack.declare(
        stack.object(
            "CustomResourceDefinition",
            f"widgets.{group}",
            "apiextensions.k8s.io/v1",
            metadata={"namespace": None},
            spec=crd(group),
        ),
        stack.object("Widget", "early", f"{group}/v1", spec={"size": 1}),
        stack.object("Widget", "w", f"{group}/v1", spec={"size": 1}, metadata=wait),
    )
    ready = {"phase": "Done", "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}
    later(lambda: set_status(kube, f"{group}/v1", "widgets", namespace, "w", ready), 3)
    made = stack.up()
    assert made.ok, made.text
    assert stack.state("w")["outputs"]["status"] == ready
    assert stack.up().changed == {}


def test_an_object_outside_of_namespaces_of_a_kind_from_the_same_program(
    stack: Any, kube: Client, namespace: str
) -> None:
    group, nowhere = f"{namespace}.example.com", {"namespace": None}
    kind = stack.object(
        "CustomResourceDefinition",
        f"widgets.{group}",
        "apiextensions.k8s.io/v1",
        metadata=nowhere,
        spec=crd(group, "Cluster"),
    )
    stack.declare(stack.object("Widget", "w", f"{group}/v1", metadata=nowhere, spec={"size": 1}), kind)
    made = stack.up()
    assert made.ok, made.text
    assert stack.state("w")["id"] == "w"
    assert stack.up().changed == {}
    assert stack.refresh().ok
    assert stack.up().changed == {}
    stack.declare(stack.object("Widget", "w", f"{group}/v1", metadata=nowhere, spec={"size": 2}), kind)
    assert stack.up().changed == {"w": "update"}
    assert kube.get(f"{group}/v1", "Widget", "w")["spec"] == {"size": 2}
    assert stack.destroy().ok


def test_a_kind_that_another_process_installs_meanwhile_is_found(stack: Any, kube: Client, namespace: str) -> None:
    group = f"{namespace}.example.com"
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": crd(group),
    }
    stack.declare(stack.object("Widget", "w", f"{group}/v1", spec={"size": 1}))
    threading.Timer(3, lambda: kube.create(body, field_manager="somebody")).start()
    made = stack.up()
    assert made.ok, made.text


@pytest.mark.differs("it says of some that too few pods live, and not what their containers say", sometimes=True)
def test_an_object_that_is_not_ready_in_time_says_why(stack: Any) -> None:
    stack.declare(stack.object("Deployment", "d", "apps/v1", spec=workload("stuck"), metadata=ENOUGH))
    failed = stack.up()
    assert not failed.ok
    assert "ImagePullBackOff" in failed.text
    assert "no such image" in failed.text


def test_an_object_that_is_not_ready_in_time_is_kept_and_taken_up_again(
    stack: Any, kube: Client, namespace: str
) -> None:
    stack.declare(
        stack.object("Deployment", "d", "apps/v1", spec=workload("stuck"), metadata=SHORT),
        stack.object("ConfigMap", "after", options={"depends_on": ["d"]}),
    )
    failed = stack.up()
    assert not failed.ok
    assert f"{namespace}/d" in failed.text or '"d"' in failed.text
    assert "d" in stack.names()
    assert "after" not in stack.names()

    stack.declare(stack.object("Deployment", "d", "apps/v1", spec=workload("stuck", replicas=0)))
    mended = stack.up()
    assert mended.ok, mended.text
    assert mended.changed == {"d": "update"}


def test_a_job_that_failed_fails_at_once(stack: Any, kube: Client, namespace: str) -> None:
    job = {"backoffLimit": 0, "template": pods("fail", restartPolicy="Never")}
    stack.declare(stack.object("Job", "j", "batch/v1", spec=job))
    begun = time.monotonic()
    failed = stack.up()
    assert not failed.ok
    assert "BackoffLimitExceeded" in failed.text
    assert time.monotonic() - begun < 60


def test_a_job_that_failed_is_made_again_by_the_next_update_where_it_says_so(
    stack: Any, kube: Client, namespace: str
) -> None:
    job = {"backoffLimit": 0, "template": pods("fail", restartPolicy="Never")}
    again = {"annotations": {"pulumi.com/replaceUnready": "true"}}
    made: list[str] = []
    for _ in range(2):
        stack.declare(stack.object("Job", "j", "batch/v1", spec=job, metadata=again))
        failed = stack.up()
        assert "BackoffLimitExceeded" in failed.text
        made.append(kube.get("batch/v1", "Job", "j", namespace)["metadata"]["uid"])
    assert made[0] != made[1]


def test_waiting_can_be_skipped_and_bounded(stack: Any, kube: Client, namespace: str) -> None:
    skip = {"annotations": {"pulumi.com/skipAwait": "true"}}
    stack.declare(stack.object("Deployment", "d", "apps/v1", spec=workload("stuck"), metadata=skip))
    assert stack.up().ok

    options = {"custom_timeouts": {"create": "2s"}}
    stack.declare(stack.object("Deployment", "e", "apps/v1", spec=workload("stuck"), options=options))
    begun = time.monotonic()
    assert not stack.up().ok
    assert time.monotonic() - begun < 60


def test_an_interrupt_ends_the_wait_and_keeps_what_is_there(stack: Any, kube: Client, namespace: str) -> None:
    stack.declare(stack.object("Deployment", "d", "apps/v1", spec=workload("stuck")))
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test"]
    running = subprocess.Popen(
        command, cwd=stack.folder, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        while_running(running, lambda: kube.list("apps/v1", "Deployment", namespace), "no Deployment is there")
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode != 0
    assert "Traceback" not in said
    assert "d" in stack.names()
