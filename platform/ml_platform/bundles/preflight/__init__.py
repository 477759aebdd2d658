"""The preflight: whether a cluster can take the stack, checked before anything is touched.

The result is yes or no; only the settings decide which objects exist. A refusal lists all findings at once, each with
the setting or the command that resolves it. The state holds the identity of the cluster: an `up` against another
cluster, or against one that the stack's platform is not on, is refused. Each thing that is checked has its own module
here, with its findings.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic
from pulumi.runtime.rpc import UNKNOWN

from ml_platform.asking import asked
from ml_platform.bundles import catalog
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.preflight import leaving, load_balancer, name_conflicts, releases, rights, storage, volumes
from ml_platform.bundles.provider import Provider
from ml_platform.kube import Client


class Preflight(dynamic.Resource, module="bundles", name="Preflight"):
    """Created when all `entries` support the cluster's version, volumes and load balancers work as the settings need
    them, and nobody else owns an object of the stack. With `adopt` the stack takes such objects over."""

    cluster: pulumi.Output[str]
    """The identity of the cluster, the same for every address: the uid of its namespace kube-system."""

    def __init__(
        self,
        name: str,
        *,
        entries: Sequence[Entry],
        existing: Sequence[Entry] = (),
        own: Sequence[Object] = (),
        mirror: Path | None,
        labels: Mapping[str, str],
        adopt: bool,
        storage_class: pulumi.Input[str | None] = None,
        volumes: Sequence[volumes.Volume] = (),
        load_balancer: bool = False,
        platform: pulumi.Input[Mapping[str, str]] | None = None,
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`existing` are the bundles that somebody else runs: the cluster must have them. `own` are the cluster-scoped
        objects of the stack that belong to no bundle. With `load_balancer` a Service of that type must get an address.
        `platform` names the `stack` that has the platform and the `cluster` that it is on, where that is another
        stack."""
        properties = {
            "entries": {entry.name: entry.version for entry in entries},
            "existing": {entry.name: entry.version for entry in existing},
            "own": list(own),
            "mirror": str(mirror or ""),  # the engine drops properties that are None
            "labels": dict(labels),
            "adopt": adopt,
            "storage_class": pulumi.Output.from_input(storage_class).apply(lambda name: name or ""),
            "volumes": list(volumes),
            "load_balancer": load_balancer,
            "platform": platform,
            "kubeconfig": pulumi.Output.secret(kubeconfig),
            "cluster": None,
        }
        super().__init__(_Provider(), name, properties, opts)


class _Provider(Provider):
    silent = ("mirror", "cluster")

    def identity(self, _props: dict[str, Any]) -> str:
        return "preflight"

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        """The preview already refuses a size that a volume can't be changed to, and the removal of a bundle whose kinds
        somebody still uses."""
        gone, resized = leaving.bundles(olds, news), olds.get("volumes") != news["volumes"]
        if (gone or resized) and news["kubeconfig"] != UNKNOWN:
            with asked(news["kubeconfig"], "what it has of what changes") as client:
                findings = [
                    *(volumes.findings(client, news["volumes"]) if resized else ()),
                    *leaving.findings(client, gone, news["mirror"], news["labels"]),
                ]
            _refuse(findings)
        return super().diff(_id, olds, news)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        found = _cluster(props)
        _check_platform(props, found)
        check(props, first=True)
        return dynamic.CreateResult(id_=self.identity(props), outs={**props, "cluster": found})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        found = _cluster(news)
        if (olds.get("cluster") or found) != found:
            raise BundleError(
                "The kubeconfig leads to another cluster than last time, and what this stack has declared is on that "
                "one. Nothing was touched. Take the kubeconfig of before, or a stack of its own for this cluster: "
                "pulumi stack init <name>. If the other cluster is gone for good: pulumi state delete --all, then up."
            )
        _check_platform(news, found)
        check(news)
        return dynamic.UpdateResult(outs={**news, "cluster": found})


def _cluster(props: Mapping[str, Any]) -> str:
    """The identity of the cluster: the uid of its namespace kube-system."""
    with asked(props["kubeconfig"], "which one it is") as client:
        known = client.metadata("v1", "Namespace", "kube-system")
    return str(known["uid"]) if known else ""


def _check_platform(props: Mapping[str, Any], found: str) -> None:
    platform = props.get("platform")
    if platform and platform["cluster"] != found:
        raise BundleError(
            f"The kubeconfig of ml-platform:cluster leads to another cluster than the platform of stack "
            f"{platform['stack']} is on: the uid of its namespace kube-system is {found!r}, and there it is "
            f"{platform['cluster']!r}. Nothing was touched. Take a kubeconfig of that cluster: kubectl get namespace "
            "kube-system -o jsonpath='{.metadata.uid}' says which one it leads to. If the platform on this cluster is "
            "meant: pulumi config set --path 'ml-platform:platform.stack' <organization>/<project>/<stack>"
        )


def check(props: Mapping[str, Any], *, first: bool = False) -> None:
    """Checks the cluster. At the `first` check the stack has no objects yet: one with its labels is not its own.

    Raises:
        BundleError: the cluster can't take the stack; the message lists all findings.
    """
    with asked(props["kubeconfig"], "what it has") as client:
        findings = list(_findings(client, props, first))
    _refuse(findings)


def _refuse(findings: Iterable[str]) -> None:
    if lines := "\n".join(f"- {finding}" for finding in findings):
        raise BundleError(f"The cluster can't take this stack as it is. Nothing was touched.\n{lines}")


def _findings(client: Client, props: Mapping[str, Any], first: bool) -> Iterator[str]:
    server = client.request("GET", "/version")["gitVersion"]
    chosen, foreign = (_loaded(props[key], props["mirror"]) for key in ("entries", "existing"))
    for entry, objects in chosen:
        yield from releases.unsupported_version(entry, server)
        yield from releases.still_deleting(client, entry, objects)
    for entry, objects in foreign:
        yield from releases.not_installed(client, entry, objects)
    yield from storage.findings(*storage.read(client), props["storage_class"])
    yield from volumes.findings(client, props["volumes"])
    if props["load_balancer"]:
        yield from load_balancer.findings(load_balancer.read(client), props["labels"])
    if props["adopt"]:
        return
    yield from rights.findings(rights.read(client))
    for entry, objects in chosen:
        yield from releases.held_by_others(client, entry, objects, props["labels"], len(props["existing"]), first)
    yield from name_conflicts.findings(client, props["own"], props["labels"], first)


def _loaded(versions: Mapping[str, str], mirror: str) -> list[tuple[Entry, Sequence[Object]]]:
    entries = [catalog.entry(name, version) for name, version in versions.items()]
    return [(entry, load(entry, Path(mirror) if mirror else None)) for entry in entries]
