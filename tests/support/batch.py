"""Work that ends, as each operator wants it declared: a script in the training image, or a Spark application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_platform import pods
from ml_platform.configuration import Resources
from ml_platform.kube import Client, Object
from support.until import until

MANAGER = "test"
SMALL = Resources(cpu="20m", memory="48Mi", cpu_limit="1", memory_limit="256Mi")


def script(image: str, code: str, *, name: str = "node") -> dict[str, Any]:
    """A pod template under the restricted standard that runs Python `code` once."""
    container = pods.container(name, image, SMALL, command=["python", "-c", code])
    return {"spec": pods.pod("default", [container], restartPolicy="Never")}


def job_set(name: str, namespace: str, template: Mapping[str, Any]) -> Object:
    job = {"spec": {"parallelism": 1, "completions": 1, "backoffLimit": 0, "template": template}}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicatedJobs": [{"name": "workers", "replicas": 2, "template": job}]},
    }


def runtime(name: str, template: Mapping[str, Any]) -> Object:
    """A ClusterTrainingRuntime whose trainer runs `template`."""
    labels = {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}
    job = {"metadata": {"labels": labels}, "spec": {"backoffLimit": 0, "template": template}}
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "ClusterTrainingRuntime",
        "metadata": {"name": name, "labels": {"trainer.kubeflow.org/framework": "torch"}},
        "spec": {
            "mlPolicy": {"numNodes": 1, "torch": {}},
            "template": {"spec": {"replicatedJobs": [{"name": "node", "template": job}]}},
        },
    }


def train_job(name: str, namespace: str, runtime: str, nodes: int) -> Object:
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"runtimeRef": {"name": runtime}, "trainer": {"numNodes": nodes}},
    }


def pytorch_job(name: str, namespace: str, template: Mapping[str, Any]) -> Object:
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"pytorchReplicaSpecs": {"Master": {"replicas": 1, "restartPolicy": "Never", "template": template}}},
    }


def spark_application(name: str, namespace: str, image: str, code: str) -> tuple[Object, Object]:
    """A ConfigMap with the script `code`, and the application that runs it."""
    secure = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    size: dict[str, Any] = {
        "cores": 1,
        "coreRequest": "50m",
        "coreLimit": "1",
        "memory": "471m",
        "memoryOverhead": "200m",
    }
    size["securityContext"] = secure
    volume = {"name": "script", "configMap": {"name": name}}
    mount = {"name": "script", "mountPath": "/opt/script"}
    meta = {"name": name, "namespace": namespace}
    application = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": meta,
        "spec": {
            "type": "Python",
            "mode": "cluster",
            "sparkVersion": "4.0.4",
            "image": image,
            "mainApplicationFile": "local:///opt/script/main.py",
            "restartPolicy": {"type": "Never"},
            "sparkConf": {"spark.ui.enabled": "false", "spark.kubernetes.executor.enableApiWatcher": "false"},
            "volumes": [volume],
            "driver": {**size, "serviceAccount": "spark-operator-spark", "volumeMounts": [mount]},
            "executor": {**size, "instances": 1},
        },
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"main.py": code}}, application


def finished(client: Client, item: Object, patience: float = 120.0) -> str:
    """How `item` ended: the type of the condition that is true of an ended one, or its state."""
    meta = item["metadata"]

    def end() -> str | None:
        now = client.get(item["apiVersion"], item["kind"], meta["name"], meta["namespace"])
        return _end(now.get("status", {}))

    return str(until(end, f"{item['kind']} {meta['name']} has not ended", patience))


def log(client: Client, namespace: str, selector: str) -> str:
    """All logs of the pods with these labels."""
    found = client.list("v1", "Pod", namespace, labels=selector)
    return "\n".join(client.logs(namespace, pod["metadata"]["name"], tail=1000) for pod in found)


def _end(status: Mapping[str, Any]) -> str | None:
    state = status.get("applicationState", {}).get("state")
    if state in ("COMPLETED", "FAILED", "SUBMISSION_FAILED"):
        return str(state)
    ended = ("Completed", "Complete", "Succeeded", "Failed")
    true = [each["type"] for each in status.get("conditions") or [] if each["status"] == "True"]
    return next((each for each in true if each in ended), None)
