"""A Pulumi program that declares the resources of `program.json`, those of bundles below their bundle.

In props `{"$unknown": true}` is a value that only an update would know, `{"$secret": "..."}` one that the engine hides.
"""

import json
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

CLOUDS = pulumi.ResourceOptions(version="1.0.0")
DYNAMIC = "pulumi-python:dynamic/"
bundles: dict[str, pulumi.ComponentResource] = {}


class Later(dynamic.ResourceProvider):
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(id_="later", outs={"value": "known"})


class Unknown(dynamic.Resource, module="gateway", name="Address"):
    value: pulumi.Output[str]

    def __init__(self) -> None:
        super().__init__(Later(), "unknown", {"value": None})


def own(kind: str, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
    """One of the platform's own resources, which Python itself provides."""
    place, _, noun = kind.removeprefix(DYNAMIC).partition(":")

    class Own(dynamic.Resource, module=place, name=noun):
        pass

    Own(Later(), name, props, opts)


def parent(bundle: str) -> pulumi.ResourceOptions:
    if bundle not in bundles:
        bundles[bundle] = pulumi.ComponentResource("ml-platform:bundles:Bundle", bundle)
    return pulumi.ResourceOptions(parent=bundles[bundle])


def value(tree: Any) -> Any:
    if isinstance(tree, list):
        return [value(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if "$secret" in tree:
        return pulumi.Output.secret(tree["$secret"])
    return unknown.value if "$unknown" in tree else {key: value(item) for key, item in tree.items()}


unknown = Unknown()
# A cluster that is made by the same update: nothing is asked of it.
cluster = pulumi.ProviderResource(
    "kubernetes", "later", {"kubeconfig": unknown.value}, pulumi.ResourceOptions(version="4.32.0")
)
KUBERNETES = pulumi.ResourceOptions(provider=cluster, version="4.32.0")
for each in json.loads(Path("program.json").read_text()):
    kind, name, props = each["type"], each["name"], value(each["props"])
    opts = pulumi.ResourceOptions(protect=each["protect"])
    if each["bundle"]:
        opts = pulumi.ResourceOptions.merge(opts, parent(each["bundle"]))
    if kind.startswith(DYNAMIC):
        own(kind, name, props, opts)
    else:
        plugin = KUBERNETES if kind.startswith("kubernetes:") else CLOUDS
        pulumi.CustomResource(kind, name, props, pulumi.ResourceOptions.merge(opts, plugin))
