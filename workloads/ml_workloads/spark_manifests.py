"""One Spark application as each operator wants it declared. Plain functions from values to manifests.

Both get the same program, the same configuration and the same environment; what differs is where each operator wants
them. Keys of the object store are in no configuration: they are environment variables out of a Secret.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.configuration import amount
from ml_platform.handle import ObjectStoreAccess, SparkOperator

from ml_workloads.run import FOLDER
from ml_workloads.spark_settings import DriverSettings, ExecutorSettings, SparkSettings, mebibytes

VERSIONS: Mapping[SparkOperator, str] = {"kubeflow": "4.0.4", "stackable": "4.1.1"}
ACCOUNT = "spark-operator-spark"
"""What Kubeflow's release lets drivers do; Stackable's operator makes an account for each application."""
HEAP = 0.7
"""The part of a pod's memory that is Java's; Python and all else have the rest."""
SECURE = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
LAST_WORDS = {"terminationMessagePolicy": "FallbackToLogsOnError"}


@dataclass(frozen=True, kw_only=True)
class Application:
    """What is to run, in words of no operator."""

    metadata: Mapping[str, Any]
    settings: SparkSettings
    image: str | None
    repository: pulumi.Output[str | None] | None
    """Where an operator that has an image of its own takes it from."""
    program: str
    """Its path in the pods."""
    files: Mapping[str, Any]
    """The volume below FOLDER."""
    environment: Mapping[str, Any]
    configuration: Mapping[str, Any]
    placed: pods.Placement

    @property
    def mount(self) -> dict[str, Any]:
        return {"name": self.files["name"], "mountPath": FOLDER}


def manifest(operator: SparkOperator, application: Application) -> dict[str, Any]:
    """The object that the operator runs."""
    return (_kubeflow if operator == "kubeflow" else _stackable)(application)


def configuration(store: ObjectStoreAccess, settings: SparkSettings) -> dict[str, Any]:
    """Spark's own: where the object store is, what is kept, how many executors there may be."""
    secure = store.endpoint.apply(lambda url: "true" if url.startswith("https:") else "false")
    return {
        "spark.ui.enabled": "false",
        # Watching executors floods the log of the driver where the cluster's etcd has no progress notifications. They
        # are asked for often instead, and one that goes before it was ever seen is made again after a minute, not ten.
        "spark.kubernetes.executor.enableApiWatcher": "false",
        "spark.kubernetes.executor.apiPollingInterval": "5s",
        "spark.kubernetes.allocation.executor.timeout": "60s",
        "spark.hadoop.fs.s3a.endpoint": store.endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": store.region,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": secure,
        # What takes no checksums may not delete many objects at once either.
        "spark.hadoop.fs.s3a.multiobjectdelete.enable": store.checksums.apply(
            lambda when: "true" if when == "when_supported" else "false"
        ),
        **_event_log(settings.event_log),
        **_allocation(settings.executor),
    }


def _event_log(bucket: str | None) -> dict[str, str]:
    # The root of a bucket, since Spark wants a folder that is there, and object stores have none that are empty.
    return {"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"s3a://{bucket}/"} if bucket else {}


def _allocation(executor: ExecutorSettings) -> dict[str, str]:
    if executor.max_instances is None:
        return {}
    return {
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.minExecutors": str(executor.instances),
        "spark.dynamicAllocation.maxExecutors": str(executor.max_instances),
    }


def _kubeflow(application: Application) -> dict[str, Any]:
    settings = application.settings
    return {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": application.metadata,
        "spec": {
            "type": "Python",
            "mode": "cluster",
            "sparkVersion": settings.spark_version or VERSIONS["kubeflow"],
            "image": application.image,
            "mainApplicationFile": f"local://{application.program}",
            "restartPolicy": {"type": "Never"},
            "sparkConf": application.configuration,
            "driver": {**_kubeflow_pod(application, settings.driver, "driver"), "serviceAccount": ACCOUNT},
            "executor": {
                **_kubeflow_pod(application, settings.executor, "executor"),
                "instances": settings.executor.instances,
            },
        },
    }


def _kubeflow_pod(application: Application, size: DriverSettings, role: str) -> dict[str, Any]:
    """In a template and not in the operator's own fields, which need its webhook."""
    heap = math.ceil(mebibytes(size.memory) * HEAP)
    container = {
        "name": f"spark-kubernetes-{role}",
        "env": pods.variables(application.environment),
        "volumeMounts": [application.mount],
        "securityContext": SECURE,
        **LAST_WORDS,
    }
    return {
        "cores": math.ceil(amount(size.cpu_limit)),
        "coreRequest": size.cpu,
        "coreLimit": size.cpu_limit,
        "memory": f"{heap}m",
        "memoryOverhead": f"{mebibytes(size.memory) - heap}m",
        "template": {"spec": {"containers": [container], "volumes": [application.files], **application.placed}},
    }


def _stackable(application: Application) -> dict[str, Any]:
    settings = application.settings
    return {
        "apiVersion": "spark.stackable.tech/v1alpha1",
        "kind": "SparkApplication",
        "metadata": application.metadata,
        "spec": {
            "mode": "cluster",
            "sparkImage": _stackable_image(application),
            "mainApplicationFile": f"local://{application.program}",
            "sparkConf": application.configuration,
            "env": pods.variables(application.environment),
            "volumes": [application.files],
            "driver": _stackable_role(application, settings.driver),
            "executor": {
                **_stackable_role(application, settings.executor),
                "replicas": settings.executor.instances,
            },
        },
    }


def _stackable_image(application: Application) -> pulumi.Input[dict[str, str]]:
    version = {"productVersion": application.settings.spark_version or VERSIONS["stackable"]}
    if application.image:
        return {**version, "custom": application.image}
    if application.repository is None:
        return version
    # Another stack's may turn out to be none.
    return application.repository.apply(lambda mirror: {**version, "repo": mirror} if mirror else version)


def _stackable_role(application: Application, size: DriverSettings) -> dict[str, Any]:
    resources = {"cpu": {"min": size.cpu, "max": size.cpu_limit}, "memory": {"limit": size.memory}}
    return {
        "config": {"resources": resources, "volumeMounts": [application.mount]},
        "podOverrides": {"spec": {"containers": [{"name": "spark", **LAST_WORDS}], **application.placed}},
    }
