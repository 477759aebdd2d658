"""Whether a cluster can take what the settings chose, asked once before anything is touched.

It decides nothing but yes or no: what exists is what the settings say, whatever is found. It says all that is in the
way at once, and for each the setting that gets around it. It remembers which cluster it was, and stops whoever comes
back with another one, or comes to another one than the platform is on. What is looked at, and what is said about it,
has a module each.
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
from ml_platform.bundles.preflight import load_balancer, releases, rights, storage, taken, volumes
from ml_platform.bundles.provider import Provider
from ml_platform.kube import Client


class Preflight(dynamic.Resource, module="bundles", name="Preflight"):
    """Created when the cluster has a version that all `entries` support, storage and a way in, and nothing of the
    stack's that somebody else owns; with `adopt` that is taken over."""

    cluster: pulumi.Output[str]
    """Which one it is, however it is reached."""

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
        storage_class: str | None = None,
        volumes: Sequence[volumes.Volume] = (),
        load_balancer: bool = False,
        platform: pulumi.Input[Mapping[str, str]] | None = None,
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`existing` are the bundles that somebody else runs: they must be there. `own` are the objects outside of any
        namespace that belong to no bundle. With `load_balancer` a Service of that type has to get an address. Of a
        `platform` that another stack has, it is said which `stack` that is, and on which `cluster`."""
        properties = {
            "entries": {entry.name: entry.version for entry in entries},
            "existing": {entry.name: entry.version for entry in existing},
            "own": list(own),
            "mirror": str(mirror or ""),  # None is not kept
            "labels": dict(labels),
            "adopt": adopt,
            "storage_class": storage_class or "",
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
        """A size that a volume can't be brought to is refused in the preview already."""
        if olds.get("volumes") != news["volumes"] and news["kubeconfig"] != UNKNOWN:
            with asked(news["kubeconfig"], "which volumes it has") as client:
                findings = list(volumes.findings(client, news["volumes"]))
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
    """What no other cluster has, however it is reached."""
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
    """Refuses with all that is in the way; at the `first` time there is nothing of the stack's own yet."""
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
        yield from releases.outside_the_window(entry, server)
        yield from releases.going(client, entry, objects)
    for entry, objects in foreign:
        yield from releases.absent(client, entry, objects)
    yield from storage.findings(*storage.read(client), props["storage_class"])
    yield from volumes.findings(client, props["volumes"])
    if props["load_balancer"]:
        yield from load_balancer.findings(load_balancer.read(client), props["labels"])
    if props["adopt"]:
        return
    yield from rights.findings(rights.read(client))
    for entry, objects in chosen:
        yield from releases.held_by_others(client, entry, objects, props["labels"], len(props["existing"]), first)
    yield from taken.findings(client, props["own"], props["labels"], first)


def _loaded(versions: Mapping[str, str], mirror: str) -> list[tuple[Entry, Sequence[Object]]]:
    entries = [catalog.entry(name, version) for name, version in versions.items()]
    return [(entry, load(entry, Path(mirror) if mirror else None)) for entry in entries]
