"""All that workloads may see of a platform.

PlatformOutputs is what another stack is told through a stack reference: names and endpoints, no resources. What decides
what workloads declare is plain; what they are only wired with is an Output, since another stack's can't be plain.
PlatformHandle adds the provider, which each stack has of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

import pulumi

from ml_platform import pods

ServingMode = Literal["knative", "standard"]
"""What serves models: Knative revisions, or Deployments behind routes of the Gateway API."""
SparkOperator = Literal["kubeflow", "stackable"]


@dataclass(frozen=True, kw_only=True)
class ObjectStoreAccess:
    """An S3 endpoint as pods reach it, and the key of an account on it, if pods need one."""

    endpoint: pulumi.Output[str]
    region: pulumi.Output[str]
    access_key: pulumi.Output[str] | None = None
    secret_key: pulumi.Output[str] | None = None
    buckets: tuple[str, ...]
    checksums: pulumi.Output[str]
    """When its clients send some: when_supported, as Amazon has it, or when_required, for likenesses of S3."""
    users: Mapping[str, Sequence[str]] | None = None
    """Where pods are let in by who they are and need no key: the service accounts of other stacks, as
    <namespace>/<name>, that each bucket is open for."""

    def environment(self, secret: str, key: str) -> dict[str, Any]:
        """What its clients read beside its address; the secret key is under `key` in the Secret of that name."""
        known = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": pods.secret_key(secret, key)}
        return {
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REQUEST_CHECKSUM_CALCULATION": self.checksums,
            "AWS_RESPONSE_CHECKSUM_VALIDATION": self.checksums,
            **(known if self.secret_key is not None else {}),
        }


@dataclass(frozen=True, kw_only=True)
class SparkAccess:
    """Whose SparkApplications are run, and where."""

    operator: SparkOperator
    namespace: str
    jobs: pulumi.Output[str]
    """The same namespace, to be taken by what has to wait until applications are accepted there."""
    repository: pulumi.Output[str | None] | None = None
    """Where Stackable's operator takes Spark from, if not from where it was released."""


@dataclass(frozen=True, kw_only=True)
class PlatformOutputs:
    """Endpoints and names. An Output resolves when what it names can be used, so to take one is to wait for it."""

    mlflow_url: pulumi.Output[str]
    """The tracking server as pods reach it."""
    object_store: ObjectStoreAccess
    serving_mode: ServingMode
    serving: pulumi.Output[str]
    """The same, to be taken by what has to wait until inference services are accepted."""
    url_template: pulumi.Output[str]
    """How a name on the gateway becomes a URL: http://{host}.localhost:8080."""
    gateway: pulumi.Output[str]
    """<namespace>/<name> of the Gateway to which routes to models attach in serving mode standard."""
    object_store_url: pulumi.Output[str]
    """The object store as its users reach it: on the gateway, if it is the platform's own."""
    entry_namespaces: pulumi.Output[Sequence[str]]
    """Where requests to served models come from: the gateway, and what wakes sleeping ones."""
    namespaces: pulumi.Output[Sequence[str]]
    """All of the platform's own."""
    images: Mapping[str, str]
    kubeconfig: pulumi.Output[str]
    cluster: pulumi.Output[str]
    """Which one it is, however it is reached."""
    spark: SparkAccess | None = None
    certified: Sequence[str] | None = None
    """Names below the domain that the gateway's certificate is for; None where there is no certificate."""
    ray: pulumi.Output[str] | None = None
    """The namespace of KubeRay's operator, if there is one; resolves when RayJobs are accepted."""
    pools: Mapping[str, pods.Placement] = field(default_factory=dict)
    """The cluster's node pools, and what pods have that run there."""

    def placed(self, pool: str | None) -> pods.Placement:
        """What pods have that run on the nodes of `pool`; None is wherever there is room."""
        return self.pools[pool] if pool else {}

    def url(self, host: str) -> pulumi.Output[str]:
        """The URL of `host` on the gateway."""
        return self.url_template.apply(lambda template: template.format(host=host))

    def image(self, name: str) -> str:
        """The reference of one of our own images."""
        return self.images[name]

    def as_inputs(self) -> dict[str, Any]:
        """For register_outputs."""
        return _plain(self)

    def exports(self) -> dict[str, Any]:
        """What people have to know of it."""
        return {"mlflow_url": self.url("mlflow"), "object_store_endpoint": self.object_store_url}

    def handed_over(self) -> dict[str, Any]:
        """The stack outputs by which other stacks build on this platform. A secret is an output of its own: one secret
        in it makes the whole of an output secret for whoever reads it."""
        values = self.as_inputs()
        del values["kubeconfig"]  # the cluster's
        return {
            "platform_cluster": values.pop("cluster"),  # not known in a first preview, and so nothing with it
            "object_store_secret_key": values["object_store"].pop("secret_key"),
            "platform": values,
        }


@dataclass(frozen=True, kw_only=True)
class PlatformHandle:
    """A platform that this program stands on: its outputs and the provider for its cluster."""

    provider: pulumi.ProviderResource
    outputs: PlatformOutputs
    login: pulumi.Output[str] | None = None
    """To the registry of the images of pods, if they need one."""
    exports: Mapping[str, Any] = field(default_factory=dict)
    """What people, and other stacks, have to know of it."""


def _plain(value: Any) -> dict[str, Any]:
    """Its fields, but for empty mappings."""
    named = {each.name: getattr(value, each.name) for each in fields(value)}
    return {name: _plain(each) if is_dataclass(each) else each for name, each in named.items() if each != {}}
