"""The handle of a platform: all that workloads may see of it.

PlatformOutputs holds names and endpoints, which another stack can read through a stack reference. A value that decides
which resources workloads declare is plain; a value that only goes into their inputs is an Output, as all values from
another stack are. PlatformHandle adds the provider, of which each stack has its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

import pulumi

from ml_platform import pods

ServingMode = Literal["knative", "standard"]
"""How models are served: as Knative revisions, or as Deployments behind routes of the Gateway API."""
SparkOperator = Literal["kubeflow", "stackable"]
TrainingOperator = Literal["trainer", "training-operator"]
"""What runs trainings in several pods: Kubeflow Trainer its TrainJobs, or the operator before it its PyTorchJobs."""

KSERVE, KSERVE_MANAGER = "kserve", "kserve-controller-manager"
"""The namespace of KServe, and the service account there that reads the Secrets by which files of models are opened."""


@dataclass(frozen=True, kw_only=True)
class ObjectStoreAccess:
    """An S3 endpoint as pods reach it, and the key of one account on it where pods need a key."""

    endpoint: pulumi.Output[str]
    region: pulumi.Output[str]
    access_key: pulumi.Output[str] | None = None
    secret_key: pulumi.Output[str] | None = None
    buckets: tuple[str, ...]
    checksums: pulumi.Output[str]
    """When S3 clients send checksums: when_supported, for Amazon S3, or when_required, for servers that imitate it."""
    users: Mapping[str, Sequence[str]] | pulumi.Output[Mapping[str, Sequence[str]]] | None = None
    """The service accounts of other stacks that may use each bucket, as <namespace>/<name>; None where pods use a
    key."""

    def environment(self, secret: pulumi.Input[str], key: str) -> dict[str, Any]:
        """The environment variables of S3 clients beside the endpoint. The Secret `secret` holds the secret key under
        `key`."""
        known = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": pods.secret_key(secret, key)}
        return {
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REQUEST_CHECKSUM_CALCULATION": self.checksums,
            "AWS_RESPONSE_CHECKSUM_VALIDATION": self.checksums,
            **(known if self.secret_key is not None else {}),
        }


@dataclass(frozen=True, kw_only=True)
class SparkAccess:
    """The operator that runs SparkApplications, and the namespace for them."""

    operator: SparkOperator
    namespace: str
    jobs: pulumi.Output[str]
    """The same namespace, as an Output that resolves when the operator accepts applications there."""
    repository: pulumi.Output[str | None] | None = None
    """The mirror from which Stackable's operator pulls its Spark image; None is Stackable's own registry."""


@dataclass(frozen=True, kw_only=True)
class TrainingAccess:
    """The operator that runs trainings in several pods."""

    operator: TrainingOperator
    accepts: pulumi.Output[str]
    """The operator's namespace; resolves when its jobs are accepted."""


@dataclass(frozen=True, kw_only=True)
class PlatformOutputs:
    """Endpoints and names. An Output resolves when the service that it names can be used, so a resource that has one
    as input waits for that service."""

    mlflow_url: pulumi.Output[str]
    """The URL of the tracking server, as pods reach it."""
    object_store: ObjectStoreAccess
    serving_mode: ServingMode
    serving: pulumi.Output[str]
    """The serving mode as an Output, which resolves when InferenceServices are accepted."""
    url_template: pulumi.Output[str]
    """The URL of a host on the gateway, with a place for the host's name: http://{host}.localhost:8080."""
    gateway: pulumi.Output[str]
    """<namespace>/<name> of the Gateway to which routes to models attach in serving mode standard."""
    object_store_url: pulumi.Output[str]
    """The URL of the object store as people reach it: on the gateway, if the store is the platform's own."""
    entry_namespaces: pulumi.Output[Sequence[str]]
    """The namespaces that requests to served models come from: the gateway's, and that of Knative's activator."""
    namespaces: pulumi.Output[Sequence[str]]
    """All namespaces of the platform itself."""
    images: Mapping[str, str]
    kubeconfig: pulumi.Output[str]
    cluster: pulumi.Output[str]
    """The identity of the cluster, the same for every kubeconfig that leads to it."""
    spark: SparkAccess | None = None
    certified: Sequence[str] | None = None
    """The hosts below the domain that the gateway's certificate is for; None where there is no certificate."""
    ray: pulumi.Output[str] | None = None
    """The namespace of KubeRay's operator, if the platform has one; the Output resolves when RayJobs are accepted."""
    training: TrainingAccess | None = None
    pipelines: pulumi.Output[str] | None = None
    """The address of Kubeflow Pipelines, as pods reach it, if the platform has them; resolves when it answers."""
    pools: Mapping[str, pods.Placement] = field(default_factory=dict)
    """The placement of pods on each of the cluster's node pools, by the pool's name."""

    def placed(self, pool: str | None) -> pods.Placement:
        """The placement of pods on the nodes of `pool`; with None, they run on any node."""
        return self.pools[pool] if pool else {}

    def url(self, host: str) -> pulumi.Output[str]:
        """The URL of `host` on the gateway."""
        return self.url_template.apply(lambda template: template.format(host=host))

    def image(self, name: str) -> str:
        """The reference of one of our own images."""
        return self.images[name]

    def as_inputs(self) -> dict[str, Any]:
        """All fields, as register_outputs takes them."""
        return _plain(self)

    def exports(self) -> dict[str, Any]:
        """The stack outputs for people: the URLs of MLflow and of the object store."""
        return {"mlflow_url": self.url("mlflow"), "object_store_endpoint": self.object_store_url}

    def handed_over(self) -> dict[str, Any]:
        """The stack outputs for other stacks that use this platform. The secret key is an output of its own, since one
        secret inside an output makes the whole output secret."""
        values = self.as_inputs()
        del values["kubeconfig"]  # the cluster exports it
        return {
            # It is unknown in a first preview, and would make the whole output `platform` unknown.
            "platform_cluster": values.pop("cluster"),
            "object_store_secret_key": values["object_store"].pop("secret_key"),
            "platform": values,
        }


@dataclass(frozen=True, kw_only=True)
class PlatformHandle:
    """A platform that this program stands on: its outputs and the provider for its cluster."""

    provider: pulumi.ProviderResource
    outputs: PlatformOutputs
    login: pulumi.Output[str] | None = None
    """The Docker configuration that pods pull their images with, where they need a login."""
    exports: Mapping[str, Any] = field(default_factory=dict)
    """The stack outputs about the platform, for people and for other stacks."""


def _plain(value: Any) -> dict[str, Any]:
    """The fields of a dataclass as a dict; empty mappings are left out."""
    named = {each.name: getattr(value, each.name) for each in fields(value)}
    return {name: _plain(each) if is_dataclass(each) else each for name, each in named.items() if each != {}}
