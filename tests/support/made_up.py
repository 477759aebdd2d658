"""Bundles that no catalog has: a few objects each, through the real pipeline."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.installation import Installation

Object = dict[str, Any]
LABELS = {"ml-platform/stack": "test"}


def release(folder: Path, name: str, objects: Iterable[Object], **fields: Any) -> Entry:
    """One release of bundle `name`, in a namespace of its name unless `fields` have another."""
    text = yaml.safe_dump_all(objects)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    part = {
        "name": name,
        "version": "1",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "source": {"kind": "file", "path": str(path)},
    }
    known = {"version": "1", "licence": "none", "namespace": name, "kubernetes": ">=1.30,<1.40", "parts": [part]}
    return Entry.model_validate({"name": name, **known, **fields})


@dataclass(frozen=True, kw_only=True)
class MadeUp(Installation):
    kubeconfig: Any = "{}"
    labels: Mapping[str, str] = field(default_factory=lambda: LABELS)
    images: Mapping[str, str] = field(default_factory=dict)
    releases: Iterable[Entry] = ()

    def entry(self, name: str) -> Entry:
        return next(each for each in self.releases if each.name == name)


def thing(kind: str, name: str, /, api_version: str = "v1", **fields: Any) -> Object:
    """An object; a name such as home/a has a namespace."""
    namespace, _, name = name.rpartition("/")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def definition(plural: str, group: str, kind: str, **spec: Any) -> Object:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    names = {"kind": kind, "plural": plural}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": versions, **spec}
    return thing("CustomResourceDefinition", f"{plural}.{group}", "apiextensions.k8s.io/v1", spec=spec)


def deployment(name: str, **container: Any) -> Object:
    labels = {"app": name.rpartition("/")[2]}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "x/y:1", **container}]}}
    return thing("Deployment", name, "apps/v1", spec={"selector": {"matchLabels": labels}, "template": pod})


def webhook(name: str, service: str, namespace: str = "home") -> Object:
    hook = {
        "name": name,
        "clientConfig": {"service": {"name": service, "namespace": namespace}},
        "rules": [{"apiGroups": ["x.test"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    return thing("ValidatingWebhookConfiguration", name, "admissionregistration.k8s.io/v1", webhooks=[hook])
