"""All that workloads may see of a platform.

PlatformOutputs is what another stack could be told through a stack reference: names and endpoints, no resources.
PlatformHandle adds the provider, which only the stack that runs them has.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import pulumi

from ml_platform.configuration import PROJECT, SettingsError

ServingMode = Literal["knative", "standard"]
"""What serves models: Knative revisions, or Deployments behind routes of the Gateway API."""
SparkOperator = Literal["kubeflow", "stackable"]


@dataclass(frozen=True, kw_only=True)
class ObjectStoreAccess:
    """An S3 endpoint as pods reach it, and the keys of an account on it."""

    endpoint: pulumi.Output[str]
    region: str
    access_key: str
    secret_key: pulumi.Output[str]
    buckets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SparkAccess:
    """Whose SparkApplications are run, and where."""

    operator: SparkOperator
    namespace: str
    jobs: pulumi.Output[str]
    """The same namespace, to be taken by what has to wait until applications are accepted there."""


@dataclass(frozen=True, kw_only=True)
class PlatformOutputs:
    """Endpoints and names. An Output resolves when what it names can be used, so to take one is to wait for it."""

    mlflow_url: pulumi.Output[str]
    """The tracking server as pods reach it."""
    object_store: ObjectStoreAccess
    serving_mode: ServingMode
    serving: pulumi.Output[str]
    """The same, to be taken by what has to wait until inference services are accepted."""
    url_template: str
    """How a name on the gateway becomes a URL: http://{host}.localhost:8080."""
    gateway: str
    """<namespace>/<name> of the Gateway to which routes to models attach in serving mode standard."""
    object_store_url: str
    """The object store on the gateway."""
    entry_namespaces: tuple[str, ...]
    """Where requests to served models come from: the gateway, and what wakes sleeping ones."""
    namespaces: tuple[str, ...]
    """All of the platform's own."""
    images: Mapping[str, str]
    kubeconfig: pulumi.Output[str]
    spark: SparkAccess | None = None
    ray: pulumi.Output[str] | None = None
    """The namespace of KubeRay's operator, if there is one; resolves when RayJobs are accepted."""

    def url(self, host: str) -> str:
        """The URL of `host` on the gateway."""
        return self.url_template.format(host=host)

    def image(self, name: str) -> str:
        """The reference of one of our own images.

        Raises:
            SettingsError: there is none.
        """
        if name not in self.images:
            raise no_image(name, self.images)
        return self.images[name]

    def as_inputs(self) -> dict[str, Any]:
        """For register_outputs or a stack output."""
        return _plain(self)


@dataclass(frozen=True, kw_only=True)
class PlatformHandle:
    """A platform that this program stands on: its outputs and the provider for its cluster."""

    provider: pulumi.ProviderResource
    outputs: PlatformOutputs


def no_image(name: str, images: Collection[str]) -> SettingsError:
    """That one of our own images is none of those there are."""
    return SettingsError(
        f"No reference for image {name!r}: there are {', '.join(sorted(images)) or 'none'}. Build and push it from "
        f"workloads/images, then set it with:\n  pulumi config set --path '{PROJECT}:platform.images.{name}' "
        f"<registry>/{name}@sha256:<digest>"
    )


def _plain(value: Any) -> dict[str, Any]:
    named = {each.name: getattr(value, each.name) for each in fields(value)}
    return {name: _plain(each) if is_dataclass(each) else each for name, each in named.items()}
