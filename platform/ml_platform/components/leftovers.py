"""The ConfigMaps that a controller writes into all namespaces and leaves behind when it is removed."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.asking import asked
from ml_platform.bundles.provider import Provider

DEADLINE = 60.0


class Leftovers(dynamic.Resource, module="bundles", name="Leftovers"):
    """The ConfigMaps with these labels, in every namespace. The deletion of this resource deletes them; its creation
    does nothing. The controller that writes them depends on this resource, so it is removed before."""

    def __init__(
        self,
        name: str,
        *,
        labels: Mapping[str, str],
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "labels": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
            "kubeconfig": pulumi.Output.secret(kubeconfig),
        }
        super().__init__(_Provider(), name, properties, opts)


class _Provider(Provider):
    def identity(self, props: dict[str, Any]) -> str:
        return str(props["labels"])

    def remove(self, props: dict[str, Any]) -> None:
        with asked(props["kubeconfig"], f"for ConfigMaps with {props['labels']}", patience=DEADLINE) as client:
            for item in client.list("v1", "ConfigMap", labels=props["labels"]):
                client.delete("v1", "ConfigMap", item["metadata"]["name"], item["metadata"]["namespace"])
