"""Who owns which field: what server-side apply records as `managedFields`."""

import re
import secrets
from typing import Any

from kubernetes_provider import paths
from kubernetes_provider.paths import Path

CREATOR = "pulumi-kubernetes"

# Managers whose fields an update takes over: this plugin's own creates, and kubectl's.
_PREDECESSORS = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    (CREATOR, "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)

Entry = dict[str, Any]

_OWN = re.compile(rf"{CREATOR}-[0-9a-f]{{8}}")


def new_manager() -> str:
    """A name that no other writer has."""
    return f"{CREATOR}-{secrets.token_hex(4)}"


def entries(obj: dict[str, Any]) -> list[Entry]:
    found: list[Entry] = obj.get("metadata", {}).get("managedFields") or []
    return found


def created_by_us(obj: dict[str, Any]) -> bool:
    return any(
        entry.get("operation") == "Update"
        and entry.get("manager", "").startswith((CREATOR, "pulumi-resource-kubernetes"))
        for entry in entries(obj)
    )


def written_by(obj: dict[str, Any], manager: str) -> bool:
    return any(entry.get("manager") == manager for entry in entries(obj))


def former(obj: dict[str, Any], manager: str) -> list[str]:
    """Managers under which this plugin has applied the object before, in a run whose state is lost."""
    return [
        entry["manager"]
        for entry in entries(obj)
        if entry.get("operation") == "Apply" and _OWN.fullmatch(entry["manager"]) and entry["manager"] != manager
    ]


def taken_up(obj: dict[str, Any], manager: str) -> bool:
    """Whether the object that was applied by `manager` is another resource's by now, whose create has adopted it."""
    return bool(manager) and not written_by(obj, manager) and bool(former(obj, manager))


def taken_over(obj: dict[str, Any], manager: str) -> list[Entry] | None:
    """The entries after `manager` has inherited from its predecessors; None where there is nothing to inherit."""
    inherited = [entry for entry in entries(obj) if _is_predecessor(entry, manager)]
    if not inherited:
        return None
    kept = [entry for entry in entries(obj) if not _is_predecessor(entry, manager)]
    own = next((entry for entry in kept if _is_own(entry, manager)), None)
    heir = {**(own or inherited[0]), "manager": manager, "operation": "Apply"}
    fields: dict[str, Any] = {}
    for entry in [*inherited, *([own] if own else [])]:
        _merge(fields, entry.get("fieldsV1") or {})
    heir["fieldsV1"] = fields
    return [*(entry for entry in kept if entry is not own), heir]


def owned_by_others_only(obj: dict[str, Any], path: Path, manager: str) -> bool:
    ours = any(_owns(entry, path) for entry in entries(obj) if entry.get("manager") == manager)
    theirs = any(_owns(entry, path) for entry in entries(obj) if entry.get("manager") != manager)
    return theirs and not ours


def settle_ignored(obj: dict[str, Any], live: dict[str, Any], ignored: list[str], manager: str) -> None:
    """Fields of `ignoreChanges`: left to their owner where it is another, else kept at their live value."""
    for text in ignored:
        path = paths.parse(text)
        if paths.ANY in path:
            continue
        if owned_by_others_only(live, path, manager):
            paths.drop(obj, path)
        elif (value := paths.find(live, path)) is not None:
            paths.put(obj, path, value)


def _is_predecessor(entry: Entry, manager: str) -> bool:
    return (
        not entry.get("subresource")
        and entry.get("manager") != manager
        and any(
            entry.get("manager", "").startswith(name) and entry.get("operation") == operation
            for name, operation in _PREDECESSORS
        )
    )


def _is_own(entry: Entry, manager: str) -> bool:
    return entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")


def _owns(entry: Entry, path: Path) -> bool:
    fields: Any = entry.get("fieldsV1") or {}
    for part in path:
        if isinstance(part, int) or not isinstance(fields, dict) or f"f:{part}" not in fields:
            return False
        fields = fields[f"f:{part}"]
    return True


def _merge(into: dict[str, Any], fields: dict[str, Any]) -> None:
    for key, value in fields.items():
        _merge(into.setdefault(key, {}), value)
