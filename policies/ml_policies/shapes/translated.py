"""What other notations say of pods, in Kubernetes' own words: Spark's properties, and Argo's patches as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from ml_policies.engine.values import below

IMAGES = re.compile(r"^spark\.kubernetes\.((driver|executor)\.)?container\.image$")
HOST_PATH = re.compile(r"^spark\.kubernetes\.(driver|executor)\.volumes\.hostPath\.([^.]+)\.options\.path$")


def properties(given: Any) -> Mapping[str, Any]:
    """A pod of properties: images and paths of the node by their keys, and every property as a variable."""
    known = below(given)[0]
    volumes = [
        {"name": found[2], "hostPath": {"path": value}}
        for key, value in known.items()
        if (found := HOST_PATH.match(key))
    ]
    images = [{"name": key, "image": str(value)} for key, value in known.items() if IMAGES.match(key)]
    variables = [{"name": key, "value": value} for key, value in known.items()]
    return {"volumes": volumes, "containers": [*images, {"name": "properties", "env": variables}]}


def patch(given: Any) -> Mapping[str, Any]:
    """The pod specification that a text of YAML or JSON has.

    Raises:
        ValueError: it has none, so nobody can know what it makes of the pod.
    """
    try:
        found = yaml.safe_load(str(given))
    except yaml.YAMLError as error:
        raise ValueError(f"podSpecPatch is no YAML: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"podSpecPatch is {given!r} and no part of a pod")
    return found


TRANSLATED: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "podSpecPatch": patch,
    "sparkConf": properties,
    "hadoopConf": properties,
}
"""Fields that say in another notation what a pod has."""
