"""A cluster that another stack has made in a cloud, and a platform's stack that is on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi
from ml_platform import agreement
from ml_platform.clusters import connect
from ml_platform.clusters.cluster import Cluster
from ml_platform.configuration import validate
from ml_platform.offered import Offered
from ml_platform.settings import ClusterSettings, OwnershipSettings
from ml_platform.store import Pod
from ml_platform.tenancy import Tenancy
from support import chosen, clouds, recorder

OTHER = "acme/ml-platform/cloud"
SECRETS = ("bucket_secret_mlflow", "bucket_secret_workloads", "kubeconfig", "registry_login")
STORE = {"source": "cluster", "artifacts": "acme-old", "buckets": ["acme-raw"]}
DESCRIBED: dict[str, Any] = {
    "storage_class": "fast",
    "load_balancer": {"kind": "of the cloud", "annotations": {"balancer": "nlb"}, "address": "192.0.2.9"},
    "object_storage": {"endpoint": "https://s3.test", "region": "r", "amazon": True},
}


def exports(cloud: str, **changes: Any) -> dict[str, Any]:
    """What the stack of the made-up cluster in this cloud exports, with these changes of its settings."""
    settings: Any = validate("cluster", {**clouds.COMMON, **clouds.SETTINGS[cloud], **changes}, ClusterSettings).root
    offered = Offered.by(settings)
    ids = {"mlflow": "M", "workloads": "W"} if offered.keyed else {}
    store = {**DESCRIBED["object_storage"], "key_ids": ids}
    return {
        "cluster": {**offered.as_output(), **DESCRIBED, "object_storage": store},
        "registry": "registry.test/ml",
        **dict.fromkeys(SECRETS, "very secret"),
    }


def stand_on(
    found: Mapping[str, Any],
    *,
    cluster: Mapping[str, Any] | None = None,
    platform: Mapping[str, Any] | None = None,
    workers: Sequence[Pod] = (),
    pools: Mapping[str, Any] | None = None,
    sealed: Collection[str] = SECRETS,
    asks: Any = lambda cluster: {},
) -> recorder.Recorder:
    """The cluster as a platform with these settings has it, of a stack that exports `found`; what the platform `asks`
    of it is exported too."""

    def program() -> None:
        block = {"source": "stack", "stack": OTHER, **(cluster or {})}
        there = connect(validate("cluster", block, ClusterSettings).root, OwnershipSettings())
        settings = chosen.platform(**{"object_store": STORE, **(platform or {})})
        agreed: Cluster = agreement.agreed(there, settings, Tenancy(accounts=workers, pools=pools or {}))
        for name, value in {"kubeconfig": agreed.kubeconfig, **asks(agreed)}.items():
            pulumi.export(name, value)

    return recorder.record(program, world=recorder.Outputs({OTHER: recorder.OtherStack(found, sealed)}))
