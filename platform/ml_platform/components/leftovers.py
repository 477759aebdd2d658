"""What a controller writes into namespaces of others, and leaves there when it goes."""

from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform.kube import Client
from pulumi import dynamic


class Leftovers(dynamic.Resource, module="bundles", name="Leftovers"):
    """Does nothing until it is deleted; then it deletes all ConfigMaps with these labels, in every namespace. What
    writes them depends on it, and so is gone by then."""

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


class _Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False  # it captures nothing

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        return dynamic.DiffResult(changes=any(olds.get(key) != news[key] for key in news if key != "__provider"))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(id_=props["labels"], outs=props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(outs=news)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        client = Client.from_kubeconfig(props["kubeconfig"])
        for item in client.list("v1", "ConfigMap", labels=props["labels"]):
            client.delete("v1", "ConfigMap", item["metadata"]["name"], item["metadata"]["namespace"])
