"""Whether a cluster can take the chosen bundles, asked once before anything is touched.

It decides nothing but yes or no: what exists is what the settings say, whatever is found. It says all that is in the
way at once, and for each the setting that gets around it. It remembers which cluster it was, and stops whoever comes
back with another one.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.bundles import catalog
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parallel import each
from ml_platform.bundles.parse import Object
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.provider import Provider
from ml_platform.kube import Client, KubeError

SETTINGS = "ml-platform:platform.bundles"
CLUSTER_WIDE = (
    "CustomResourceDefinition", "MutatingWebhookConfiguration", "Namespace", "ValidatingWebhookConfiguration",
)  # fmt: skip
NAMED = 4  # objects in a finding


class Preflight(dynamic.Resource, module="bundles", name="Preflight"):
    """Created when the cluster has a version that all `entries` support, and nothing of theirs that somebody else owns:
    CRDs, webhook configurations and namespaces without `labels`; with `adopt` those are taken over. `existing` are the
    bundles that somebody else runs: they must be there."""

    def __init__(
        self,
        name: str,
        *,
        entries: Sequence[Entry],
        existing: Sequence[Entry] = (),
        mirror: Path | None,
        labels: Mapping[str, str],
        adopt: bool,
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "entries": {entry.name: entry.version for entry in entries},
            "existing": {entry.name: entry.version for entry in existing},
            "mirror": str(mirror or ""),  # None is not kept
            "labels": dict(labels),
            "adopt": adopt,
            "kubeconfig": pulumi.Output.secret(kubeconfig),
        }
        super().__init__(_Provider(), name, properties, opts)


class _Provider(Provider):
    silent = ("mirror",)

    def identity(self, _props: dict[str, Any]) -> str:
        return "preflight"

    def act(self, props: dict[str, Any]) -> None:
        check(props)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        done = super().create(props)
        return dynamic.CreateResult(id_=done.id, outs={**props, "cluster": _cluster(props)})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        found = _cluster(news)
        if (olds.get("cluster") or found) != found:
            raise BundleError(
                "The kubeconfig leads to another cluster than last time, and what this stack has declared is on that "
                "one. Nothing was touched. Take the kubeconfig of before, or a stack of its own for this cluster: "
                "pulumi stack init <name>. If the other cluster is gone for good: pulumi state delete --all, then up."
            )
        super().update(_id, olds, news)
        return dynamic.UpdateResult(outs={**news, "cluster": found})


def _cluster(props: Mapping[str, Any]) -> str:
    """What no other cluster has, however it is reached."""
    try:
        known = Client.from_kubeconfig(props["kubeconfig"]).metadata("v1", "Namespace", "kube-system")
    except KubeError as error:
        raise BundleError(f"The cluster can't be asked which one it is: {error.message}") from error
    return str(known["uid"]) if known else ""


def check(props: Mapping[str, Any]) -> None:
    client = Client.from_kubeconfig(props["kubeconfig"])
    mirror = Path(props["mirror"]) if props["mirror"] else None
    findings: list[str] = []
    try:
        server = client.request("GET", "/version")["gitVersion"]
        for name, version in props["entries"].items():
            entry = catalog.entry(name, version)
            objects = load(entry, mirror)
            findings += [*_outside_the_window(entry, server), *_going(client, entry, objects)]
            if not props["adopt"]:
                findings += _held_by_others(client, entry, objects, props["labels"], len(props["existing"]))
        for name, version in props["existing"].items():
            entry = catalog.entry(name, version)
            findings += _absent(client, entry, load(entry, mirror))
    except KubeError as error:
        raise BundleError(f"The cluster can't be asked what it has: {error.message}") from error
    if findings:
        lines = "\n".join(f"- {finding}" for finding in findings)
        raise BundleError(f"The cluster can't take this stack as it is. Nothing was touched.\n{lines}")


def _outside_the_window(entry: Entry, server: str) -> Iterator[str]:
    if entry.supports(server):
        return
    fitting = [each.version for each in catalog.releases()[entry.name] if each.supports(server)]
    instead = (
        f"version {fitting[0]} does: pulumi config set --path '{SETTINGS}.versions.{entry.name}' {fitting[0]}"
        if fitting
        else "no version in the catalog does: leave the bundle out"
    )
    yield f"{entry.title} supports Kubernetes {entry.kubernetes}, and this cluster has {server}; {instead}."


def _going(client: Client, entry: Entry, objects: Sequence[Object]) -> Iterator[str]:
    """What an earlier removal has not ended with: a create would fail, or vanish a moment later."""
    kinds = ("Namespace", "CustomResourceDefinition")
    for item, found in _present(client, [item for item in objects if item["kind"] in kinds]):
        if "deletionTimestamp" in found:
            name = item["metadata"]["name"]
            yield (
                f"{entry.title}: {item['kind']} {name} is still being deleted. Wait until it is gone; "
                f"kubectl get {item['kind'].lower()} {name} -o yaml says what it waits for."
            )


def _held_by_others(
    client: Client, entry: Entry, objects: Sequence[Object], labels: Mapping[str, str], count: int
) -> Iterator[str]:
    ours = labels.items()
    present = _present(client, [item for item in objects if item["kind"] in CLUSTER_WIDE])
    foreign = [(_owner(found), item) for item, found in present if not ours <= (found.get("labels") or {}).items()]
    foreign += _held_by_an_operator(client, entry, objects, labels)
    for owner, held in groupby(sorted(foreign, key=lambda one: one[0]), key=lambda one: one[0]):
        items = [item for _, item in held]
        names = [f"{item['kind']} {item['metadata']['name']}" for item in items]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        applied = all(item["kind"] == "CustomResourceDefinition" for item in items)
        take = f"label them {','.join(f'{key}={value}' for key, value in ours)}, and the stack takes them over"
        yield (
            f"{entry.title}: the cluster has {', '.join(names[:NAMED])}{more} already, from {owner}. "
            f"If somebody else runs {entry.name} here, say so: "
            f"pulumi config set --path '{SETTINGS}.existing[{count}]' {entry.name}. "
            f"If nobody does any more, {take if applied else 'delete them'}."
        )


def _held_by_an_operator(
    client: Client, entry: Entry, objects: Sequence[Object], labels: Mapping[str, str]
) -> list[tuple[str, Object]]:
    """CRDs that an operator applies itself carry no label of anybody: they are whose its namespace is."""
    definitions = [_definition(name) for name in entry.own_definitions]
    homes = [item for item in objects if item["kind"] == "Namespace" and item["metadata"]["name"] == entry.namespace]
    for _, home in _present(client, homes):
        if not labels.items() <= (home.get("labels") or {}).items():
            owner = f"namespace {entry.namespace}, {_owner(home)}"
            return [(owner, item) for item, _ in _present(client, definitions)]
    return []


def _absent(client: Client, entry: Entry, objects: Sequence[Object]) -> Iterator[str]:
    definitions = [item for item in objects if item["kind"] == "CustomResourceDefinition"]
    definitions += [_definition(name) for name in entry.own_definitions]
    if definitions and not _present(client, definitions):
        yield (
            f"{SETTINGS}.existing says that somebody else runs {entry.name} on this cluster, but it has none of its "
            f"kinds, such as {definitions[0]['metadata']['name']}. Take it out of the list, or install it first."
        )


def _definition(name: str) -> Object:
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}}


def _present(client: Client, items: Sequence[Object]) -> list[tuple[Object, Mapping[str, Any]]]:
    """Those that the cluster has, each with the metadata that it has there."""
    found = each(lambda item: client.metadata(item["apiVersion"], item["kind"], item["metadata"]["name"]), items)
    return [(item, metadata) for item, metadata in zip(items, found, strict=True) if metadata is not None]


def _owner(metadata: Mapping[str, Any]) -> str:
    """As far as the object says."""
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    release = annotations.get("meta.helm.sh/release-name")
    if release:
        return f"Helm release {annotations.get('meta.helm.sh/release-namespace', '-')}/{release}{_version(labels)}"
    if "ml-platform/stack" in labels:
        return f"stack {labels['ml-platform/stack']!r}"
    if "app.kubernetes.io/managed-by" in labels:
        return f"{labels['app.kubernetes.io/managed-by']}{_version(labels)}"
    fields = metadata.get("managedFields") or []
    writers = sorted({field["manager"] for field in fields if not field.get("subresource")})
    return f"somebody who wrote them with {', '.join(writers) or 'an unknown tool'}{_version(labels)}"


def _version(labels: Mapping[str, str]) -> str:
    version = labels.get("app.kubernetes.io/version") or labels.get("helm.sh/chart")
    return f" (version {version})" if version else ""
