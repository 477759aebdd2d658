"""The owner of an object, as its own metadata names it; this module makes no requests."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from ml_platform.bundles.parse import Object
from ml_platform.labels import STACK

Metadata = Mapping[str, Any]
NAMED = 4  # objects in a finding

# Label or annotation of a tool that deploys objects -> the owner; {} is its value.
_TOOLS = {
    STACK: "stack {!r}",
    "argocd.argoproj.io/instance": "Argo CD application {}",
    "argocd.argoproj.io/tracking-id": "Argo CD application {}",
    "helm.toolkit.fluxcd.io/name": "Flux's HelmRelease {}",
    "kustomize.toolkit.fluxcd.io/name": "Flux's Kustomization {}",
    "olm.owner": "the Operator Lifecycle Manager, for {}",
    "addonmanager.kubernetes.io/mode": "an add-on of the cluster itself",
}


def ours(metadata: Metadata, labels: Mapping[str, str]) -> bool:
    return labels.items() <= (metadata.get("labels") or {}).items()


def owner(metadata: Metadata) -> str:
    """The owner of an object, in the words of the tool that made it."""
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    release = annotations.get("meta.helm.sh/release-name")
    if release:
        return f"Helm release {annotations.get('meta.helm.sh/release-namespace', '-')}/{release}{_version(labels)}"
    marks = {**annotations, **labels}
    if tool := next((key for key in _TOOLS if key in marks), None):
        return _TOOLS[tool].format(marks[tool].partition(":")[0])
    for reference in metadata.get("ownerReferences") or []:
        if reference.get("controller"):
            return f"the operator of {reference['kind']} {reference['name']}"
    if "app.kubernetes.io/managed-by" in labels:
        return f"{labels['app.kubernetes.io/managed-by']}{_version(labels)}"
    fields = metadata.get("managedFields") or []
    writers = sorted({field["manager"] for field in fields if not field.get("subresource")})
    return f"somebody who wrote them with {', '.join(writers) or 'an unknown tool'}{_version(labels)}"


def namesake(labels: Mapping[str, str]) -> str:
    """The owner of objects that have this stack's labels although the stack has made none yet."""
    return f"a stack that is also called {labels[STACK]!r}, whose state is not this one's"


def by_owner(held: Sequence[tuple[str, Object]]) -> list[tuple[str, list[Object]]]:
    """Pairs of an owner and the objects that it holds."""
    ordered = sorted(held, key=lambda one: one[0])
    return [(who, [item for _, item in items]) for who, items in groupby(ordered, key=lambda one: one[0])]


def named(items: Sequence[Object]) -> str:
    """The names of the first NAMED objects, and the number of the others."""
    names = [f"{item['kind']} {item['metadata']['name']}" for item in items]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _version(labels: Mapping[str, str]) -> str:
    version = labels.get("app.kubernetes.io/version") or labels.get("helm.sh/chart")
    return f" (version {version})" if version else ""
