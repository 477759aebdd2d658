"""The agreement between a platform and the cluster that it is on, where this program makes that cluster.

A stack that makes both compares its settings before it declares anything. A stack that is on the cluster of another one
compares its settings with the outputs of that stack, in every preview; all that goes to the cluster waits for it.
"""

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pulumi

from ml_platform import components, fit, store, zones
from ml_platform.clusters import Cluster
from ml_platform.clusters.cluster import Elsewhere
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.offered import Offered
from ml_platform.pods import Placement
from ml_platform.settings import AnyCluster, PlatformSettings
from ml_platform.settings.clouds import CloudCluster
from ml_platform.store import Pod
from ml_platform.tenancy import Tenancy


def check(cluster: AnyCluster, settings: PlatformSettings, workers: Collection[Pod]) -> None:
    """Compares the platform of a stack with the cluster that the same stack makes; `workers` are the pods of the work.

    Raises:
        SettingsError: they don't fit; the message has each difference with the command that ends it.
    """
    if isinstance(cluster, CloudCluster):
        offered = Offered.by(cluster)
        _refuse([*store.misfits(settings, offered, workers), *zones.misfits(settings, offered)])


def agreed(cluster: Cluster, settings: PlatformSettings, tenancy: Tenancy) -> Cluster:
    """The cluster, whose kubeconfig is known once the platform fits what the stack says that made the cluster.

    The Output fails with a SettingsError where they differ.
    """
    if cluster.elsewhere is None:
        return cluster
    elsewhere = cluster.elsewhere
    fits = elsewhere.found.apply(lambda found: _compare(found, elsewhere, settings, tenancy))
    kubeconfig = pulumi.Output.all(cluster.kubeconfig, fits).apply(lambda both: str(both[0]))
    return dataclasses.replace(cluster, kubeconfig=pulumi.Output.secret(kubeconfig))


def pool_differences(stack: str, theirs: Mapping[str, Any], mine: Mapping[str, Placement]) -> Iterator[str]:
    """Messages about the pools in this stack's settings that stack `stack` describes otherwise, or does not have."""
    for name, placement in mine.items():
        if name not in theirs:
            yield (
                f"{PROJECT}:cluster.pools.{name} is none of the pools that stack {stack} has: "
                f"{', '.join(sorted(theirs)) or 'there are none'}. Describe one of those, or remove it with:\n"
                f"  pulumi config rm --path '{PROJECT}:cluster.pools.{name}'"
            )
        elif placement != theirs[name]:
            yield (
                f"{PROJECT}:cluster.pools.{name} makes pods say {json.dumps(placement)}, and in stack {stack} they "
                f"say {json.dumps(theirs[name])}. Give it the labels and taints of that stack"
            )


def _compare(found: Mapping[str, Any], elsewhere: Elsewhere, settings: PlatformSettings, tenancy: Tenancy) -> None:
    """Compares with what the other stack exports about its cluster: nothing, where it did not make that either."""
    if found:
        offered = _read(found, elsewhere.stack)
        _refuse(
            [
                *_version_misfits(settings, offered, elsewhere.stack),
                *pool_differences(elsewhere.stack, offered.placements, tenancy.pools),
                *_storage_misfits(settings, offered, elsewhere, tenancy),
                *zones.misfits(settings, offered, f" --stack {elsewhere.stack}"),
            ]
        )
    elif settings.object_store.source == "cluster":
        path = f"{PROJECT}:platform.object_store.source"
        raise SettingsError(
            f"{path} is 'cluster', and stack {elsewhere.stack} has made no cluster, and so no buckets. Have the "
            "platform run a store of its own, or name one that is there already (given):\n"
            f"  pulumi config set --path '{path}' own"
        )


def _read(found: Mapping[str, Any], stack: str) -> Offered:
    names = {field.name for field in dataclasses.fields(Offered)}
    try:
        return Offered.read({name: value for name, value in found.items() if name in names})
    except (KeyError, TypeError) as unlike:
        raise SettingsError(
            f"{PROJECT}:cluster.stack is {stack!r}, and another version of this program has brought that stack up: its "
            f"output `cluster` lacks something ({unlike}). Bring it up with this version:\n  pulumi up --stack {stack}"
        ) from unlike


def _version_misfits(settings: PlatformSettings, offered: Offered, stack: str) -> Iterator[str]:
    needs = components.needs(settings)
    yield from fit.version_misfits(
        settings, needs, offered.version, f"the cluster of stack {stack} has {offered.version}"
    )


def _storage_misfits(
    settings: PlatformSettings, offered: Offered, elsewhere: Elsewhere, tenancy: Tenancy
) -> Iterator[str]:
    if settings.object_store.source == "cluster" and elsewhere.bucket_access != offered.access:
        path = f"{PROJECT}:cluster.bucket_access"
        yield (
            f"{path} is {elsewhere.bucket_access!r}, and the buckets of stack {elsewhere.stack} know pods by "
            f"{offered.access}. Follow it with:\n  pulumi config set --path '{path}' {offered.access}"
        )
    yield from store.misfits(settings, offered, tenancy.accounts, f" --stack {elsewhere.stack}")


def _refuse(problems: Collection[str]) -> None:
    if problems:
        raise SettingsError("\n".join(problems))
