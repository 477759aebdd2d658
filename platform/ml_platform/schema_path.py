"""What a JSON Schema says of one value: which keys, tags and types are allowed at a place in the settings.

This module owns the way from a place to its description, through references, unions and tags. What is said of a value
that breaks a rule is the business of configuration.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Node = Mapping[str, Any]
Steps = Sequence[str | int]


def without_tags(location: Steps, value: Any, *, missing: bool = False) -> list[str | int]:
    """The location without the steps that are tags of unions, so that only keys of the settings are left; the last
    step may be `missing` in the value."""
    steps: list[str | int] = []
    for index, step in enumerate(location):
        last = missing and index == len(location) - 1
        if step in value if isinstance(value, Mapping) else isinstance(value, list) and step in range(len(value)):
            value = value[step]
        elif not last:
            continue
        steps.append(step)
    return steps


def keys(root: Node, steps: Steps, value: Any) -> list[str]:
    """The keys that are allowed in the object at `steps` of `value`, which `root` describes."""
    node, inner = _walk(root, steps, value)
    return sorted(_resolve(root, node, inner).get("properties", {}))


def tags(root: Node, steps: Steps, value: Any) -> tuple[str, list[str]]:
    """The key with the tag of the union that is allowed at `steps`, and the tags that there are."""
    node, _ = _walk(root, steps, value)
    key, choices = _choices(root, _not_null(node))
    return key, sorted(choices)


def types(root: Node, steps: Steps, value: Any) -> set[str]:
    """The types that are allowed at `steps`, in the words of JSON Schema, but for null."""
    node, inner = _walk(root, steps, value)
    found = {_resolve(root, each, inner).get("type") for each in node.get("anyOf", [node])}
    return {str(each) for each in found - {None, "null"}}


def _walk(root: Node, steps: Steps, value: Any) -> tuple[Node, Any]:
    """The description of what is at `steps`, before its references are resolved, and what is there."""
    node = root
    for step in steps:
        node, value = _inner(_resolve(root, node, value), step), _item(value, step)
    return node, value


def _item(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _inner(node: Node, step: str | int) -> Node:
    """The description of a property, of a key that fits a pattern, of any key, or of an item."""
    of_pattern = next(iter(node.get("patternProperties", {}).values()), None)
    found = node.get("properties", {}).get(step) or of_pattern or node.get("additionalProperties") or node.get("items")
    return found or {}


def _resolve(root: Node, node: Node, value: Any) -> Node:
    node = _not_null(node)
    key, choices = _choices(root, node)
    if choices:
        given = value.get(key) if isinstance(value, Mapping) else None
        default = (each for each in choices.values() if "default" in each["properties"][key])
        return choices.get(str(given), {}) if given else next(default, {})
    if "oneOf" in node:
        return _likeliest(root, node, value)
    return _resolve(root, _referred(root, node), value) if "$ref" in node else node


def _likeliest(root: Node, node: Node, value: Any) -> Node:
    """The member of a union without tags that requires most of the keys that are there; of equal ones, the first."""
    members = [_referred(root, each) for each in node["oneOf"]]
    there = set(value) if isinstance(value, Mapping) else set()
    return max(members, key=lambda member: len(there & {*member.get("required", ())}))


def _choices(root: Node, node: Node) -> tuple[str, dict[str, Node]]:
    """The members of a union by their tags, each the one value of the same key; none where it is no such union."""
    members = [_referred(root, each) for each in node.get("oneOf", ())]
    constants = [{key for key, each in member["properties"].items() if "const" in each} for member in members]
    key = next(iter(set.intersection(*constants)), "") if constants else ""
    return key, {member["properties"][key]["const"]: member for member in members if key}


def _referred(root: Node, node: Node) -> Node:
    found: Node = root["$defs"][node["$ref"].rpartition("/")[2]]
    return found


def _not_null(node: Node) -> Node:
    """The description of a nullable value without its null."""
    return next((each for each in node.get("anyOf", ()) if each.get("type") != "null"), node)
