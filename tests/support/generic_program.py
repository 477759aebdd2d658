"""A Pulumi program that registers the resources of `program.json`: type, name, props, options.

In props `{"$secret": x}` is a secret, and `{"$ref": [resource, property, ...]}` an output of an earlier resource.
"""

import json
from pathlib import Path
from typing import Any

import pulumi

VERSION = "4.32.0"

made: dict[str, Any] = {}


class Anything(pulumi.CustomResource):
    """A resource of any type, with the outputs that tests refer to."""

    metadata: pulumi.Output[Any]
    status: pulumi.Output[Any]
    spec: pulumi.Output[Any]
    data: pulumi.Output[Any]


def value(tree: Any) -> Any:
    if isinstance(tree, list):
        return [value(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if "$secret" in tree:
        return pulumi.Output.secret(value(tree["$secret"]))
    if "$ref" in tree:
        name, *path = tree["$ref"]
        found = getattr(made[name], path[0])
        for step in path[1:]:
            found = found[step]
        return found
    return {key: value(item) for key, item in tree.items()}


def options(given: dict[str, Any], kind: str) -> pulumi.ResourceOptions:
    known = dict(given)
    for key in ("provider", "deleted_with"):
        if key in known:
            known[key] = made[known[key]]
    if "depends_on" in known:
        known["depends_on"] = [made[name] for name in known["depends_on"]]
    if "custom_timeouts" in known:
        known["custom_timeouts"] = pulumi.CustomTimeouts(**known["custom_timeouts"])
    if kind.startswith(("kubernetes:", "pulumi:providers:kubernetes")):
        known["version"] = VERSION
    return pulumi.ResourceOptions(**known)


def register(item: dict[str, Any]) -> Any:
    kind, name, props = item["type"], item["name"], value(item["props"])
    opts = options(item.get("options", {}), kind)
    if kind.startswith("pulumi:providers:"):
        return pulumi.ProviderResource(kind.rpartition(":")[2], name, props, opts)
    outputs = dict.fromkeys(("metadata", "status", "spec", "data"))
    return Anything(kind, name, {**outputs, **props}, opts)


for declared in json.loads(Path("program.json").read_text()):
    made[declared["name"]] = register(declared)
    if declared.get("export"):
        pulumi.export(declared["name"], getattr(made[declared["name"]], declared["export"]))
