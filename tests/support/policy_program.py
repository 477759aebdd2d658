"""A Pulumi program that declares the resources of `program.json`, those of bundles below their bundle.

In props `{"$unknown": true}` is a value that only an update would know.
"""

import json
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

CLOUDS = pulumi.ResourceOptions(version="1.0.0")
bundles: dict[str, pulumi.ComponentResource] = {}


class Later(dynamic.ResourceProvider):
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(id_="later", outs={"value": "known"})


class Unknown(dynamic.Resource):
    value: pulumi.Output[str]

    def __init__(self) -> None:
        super().__init__(Later(), "unknown", {"value": None})


class Definitions(dynamic.Resource, module="bundles", name="Definitions"):
    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(Later(), name, props, opts)


class RunOutcome(dynamic.Resource, module="workloads", name="RunOutcome"):
    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(Later(), name, props, opts)


OWN = {
    "pulumi-python:dynamic/bundles:Definitions": Definitions,
    "pulumi-python:dynamic/workloads:RunOutcome": RunOutcome,
}


def parent(bundle: str) -> pulumi.ResourceOptions:
    if bundle not in bundles:
        bundles[bundle] = pulumi.ComponentResource("ml-platform:bundles:Bundle", bundle)
    return pulumi.ResourceOptions(parent=bundles[bundle])


def value(tree: Any) -> Any:
    if isinstance(tree, list):
        return [value(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
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
    if kind in OWN:
        OWN[kind](name, props, opts)
    else:
        plugin = KUBERNETES if kind.startswith("kubernetes:") else CLOUDS
        pulumi.CustomResource(kind, name, props, pulumi.ResourceOptions.merge(opts, plugin))
