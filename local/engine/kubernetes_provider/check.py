"""A program's properties as the inputs of one object: named, in a namespace, in the server's own form."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubernetes_provider import kinds, state
from kubernetes_provider.settings import Settings
from kubernetes_provider.values import has_unknown, is_unknown

AUTONAMED = "pulumi.com/autonamed"
MANAGED_BY = "app.kubernetes.io/managed-by"
NAME_DIGITS = 8


class Refused(Exception):  # noqa: N818
    """Inputs that can never become an object; the message names the property and the rule."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """How the engine wants unnamed objects named."""

    seed: bytes = b""
    name: str = ""
    disabled: bool = False


@dataclass(frozen=True, kw_only=True)
class Request:
    token: str
    resource_name: str
    news: dict[str, Any]
    olds: dict[str, Any]
    proposal: Proposal


def inputs(request: Request, settings: Settings, namespaced: Callable[[str, str], bool]) -> dict[str, Any]:
    """The checked inputs, with the marks of what is secret."""
    obj, old = state.to_object(request.news), state.to_object(request.olds)
    api_version, kind = kinds.from_type(request.token)
    obj.setdefault("apiVersion", api_version)
    obj.setdefault("kind", kind)
    patch = kinds.is_patch(request.token, obj["kind"])
    if kinds.is_list(request.token):
        raise Refused(f"{kind} cannot be created: declare its items, each as a resource of its own")
    if patch and not settings.server_side_apply:
        raise Refused("patch resources require Server-Side Apply mode: set enableServerSideApply on the provider")
    if not has_unknown(obj):
        obj = state.normalise(obj)
    metadata = obj.setdefault("metadata", {})
    if isinstance(metadata, dict):
        if patch and not metadata.get("name"):
            raise Refused("patch resources require the `.metadata.name` field to be set")
        _name(metadata, old, request, settings)
        _label(metadata, old, settings)
        if not metadata.get("namespace") and _is_namespaced(obj, old, namespaced):
            metadata["namespace"] = settings.namespace
    return state.to_properties(obj, request.news)


def is_autonamed(obj: dict[str, Any]) -> bool:
    return annotation(obj, AUTONAMED) == "true"


def annotation(obj: dict[str, Any], name: str) -> str:
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(name) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) and not is_unknown(value) else ""


def _name(metadata: dict[str, Any], old: dict[str, Any], request: Request, settings: Settings) -> None:
    if metadata.get("name"):
        return
    if metadata.get("generateName"):
        if settings.server_side_apply:
            raise Refused("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
        return
    if old:
        if is_autonamed(old):
            metadata["name"] = old["metadata"]["name"]
            _annotate(metadata)
        return
    if request.proposal.disabled:
        raise Refused("autonaming is disabled, resource requires the .metadata.name field to be set")
    metadata["name"] = request.proposal.name or f"{request.resource_name}-{_suffix(request.proposal.seed)}"
    _annotate(metadata)


def _suffix(seed: bytes) -> str:
    """The same for the preview and the update that follows it."""
    return hashlib.sha256(seed).hexdigest()[:NAME_DIGITS] if seed else secrets.token_hex(NAME_DIGITS // 2)


def _annotate(metadata: dict[str, Any]) -> None:
    annotations = metadata.setdefault("annotations", {})
    if isinstance(annotations, dict):
        annotations[AUTONAMED] = "true"


def _label(metadata: dict[str, Any], old: dict[str, Any], settings: Settings) -> None:
    """Without server-side apply nothing else says who manages the object."""
    marked = MANAGED_BY in ((old.get("metadata") or {}).get("labels") or {})
    if not settings.server_side_apply and (marked or not old):
        labels = metadata.setdefault("labels", {})
        if isinstance(labels, dict):
            labels[MANAGED_BY] = "pulumi"


def _is_namespaced(obj: dict[str, Any], old: dict[str, Any], ask: Callable[[str, str], bool]) -> bool:
    known = kinds.scope(obj["apiVersion"], obj["kind"])
    if known is not None:
        return known
    if (old.get("apiVersion"), old.get("kind")) == (obj["apiVersion"], obj["kind"]):
        return bool(old.get("metadata", {}).get("namespace"))
    return ask(obj["apiVersion"], obj["kind"])
