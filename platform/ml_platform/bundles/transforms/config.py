"""Transforms of ConfigMaps: their keys, and fields inside the JSON and YAML that they hold as text."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.transform import Aimed, Transform, derived, merge


def config_data(name: str, data: Mapping[str, Any]) -> Transform:
    """Sets keys of ConfigMap `name`; a key with value None is removed."""
    return Aimed("ConfigMap", name, lambda item: merge(item, {"data": data}))


def config_json(name: str, key: str, fields: Mapping[str, Any]) -> Transform:
    """Sets fields of the JSON object that ConfigMap `name` holds as text under `key`: maps are merged, None removes."""
    return _config_text(name, key, fields, json.loads, json.dumps)


def config_yaml(name: str, key: str, fields: Mapping[str, Any]) -> Transform:
    """Sets fields of the YAML map that ConfigMap `name` holds as text under `key`, likewise."""
    return _config_text(name, key, fields, yaml.safe_load, lambda value: str(yaml.safe_dump(value, sort_keys=False)))


def _config_text(
    name: str, key: str, fields: Mapping[str, Any], load: Callable[[str], Any], dump: Callable[[Any], str]
) -> Transform:
    def change(item: Object) -> Object:
        data = item.get("data") or {}
        text = derived(lambda known: dump(merge(load(known[0]) or {}, known[1])), [data.get(key, "{}"), fields])
        return {**item, "data": {**data, key: text}}

    return Aimed("ConfigMap", name, change)
