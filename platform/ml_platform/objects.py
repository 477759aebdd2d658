"""Kubernetes objects as resources: one class takes the manifest of any kind.

The class has the tokens, the plugin and the behaviour of the classes of pulumi_kubernetes. Importing those takes half a
second at every start of the program, since they are 27 MB of source.
"""

import functools
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pulumi


class KubernetesObject(pulumi.CustomResource):
    """One Kubernetes object. Its fields are attributes of the same name, for example `.metadata["name"]`."""

    metadata: pulumi.Output[Any]

    def __init__(self, name: str, manifest: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        secret = ["data", "stringData"] if manifest["kind"] == "Secret" else None
        plugin = pulumi.ResourceOptions(version=_plugin_version(), additional_secret_outputs=secret)
        super().__init__(
            token(manifest["apiVersion"], manifest["kind"]),
            name,
            dict(manifest),
            pulumi.ResourceOptions.merge(plugin, opts),
        )


def token(api_version: str, kind: str) -> str:
    """The type token that pulumi_kubernetes gives a kind."""
    return f"kubernetes:{'core/v1' if api_version == 'v1' else api_version}:{kind}"


@functools.cache
def _plugin_version() -> str:
    return version("pulumi-kubernetes")
