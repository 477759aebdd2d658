"""One server on one volume: what a database and an object store of the platform's own have in common.

The volume is a claim beside the server, so that a larger size is an update of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ml_platform import pods
from ml_platform.components.platform_component import PlatformComponent
from ml_platform.objects import KubernetesObject


def declare(
    part: PlatformComponent, name: str, claim: str, size: str, namespace: str, made: Sequence[pulumi.Resource]
) -> KubernetesObject:
    """The claim of that name, a child of `part`, when the namespace is `made`; it is held where the cluster's data are
    protected."""
    cluster = part.site.cluster
    meta = {**pods.metadata(name, namespace, part.site.labels), "name": claim}
    manifest = pods.claim(meta, cluster.size_of(size), cluster.storage_class)
    opts = part.child(depends_on=list(made), protect=cluster.protected, ignore_changes=pods.KEPT_BY_CLAIMS)
    return KubernetesObject(name, manifest, opts)


def server(meta: Mapping[str, Any], mark: pulumi.Input[str], pod: Mapping[str, Any]) -> dict[str, Any]:
    """The StatefulSet with that one pod, which starts again when the mark changes."""
    name = meta["name"]
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta,
        "spec": {
            "serviceName": name,
            "replicas": 1,
            # OrderedReady never replaces a pod that fails to become ready, even after its template is corrected.
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}, **pods.restarted_by(mark)}, "spec": pod},
        },
    }
