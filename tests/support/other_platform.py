"""A platform that another stack has, and a team's stack that stands on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi
from ml_platform import shared
from ml_platform.clusters import connect
from ml_platform.configuration import validate
from ml_platform.needs import Needs
from ml_platform.settings import ClusterSettings, OwnershipSettings, SharedPlatform
from ml_platform.tenancy import Tenancy
from support import recorder, stacks

OTHER = "acme/ml-platform/production"
CLUSTER = {"source": "stack", "stack": OTHER}
PLATFORM: dict[str, Any] = {**CLUSTER, "images": stacks.images({"mlserver", "training"})}
FOUND: dict[str, Any] = {
    "mlflow_url": "http://mlflow.test:5000",
    "object_store": {
        "endpoint": "http://s3.test",
        "region": "r",
        "access_key": "workloads",
        "checksums": "when_supported",
        "buckets": ["datasets", "raw"],
    },
    "serving_mode": "knative",
    "serving": "knative",
    "url_template": "http://{host}.ml.test",
    "gateway": "gateway/gateway",
    "object_store_url": "http://s3.ml.test",
    "entry_namespaces": ["gateway"],
    "namespaces": ["gateway", "kserve"],
    "images": stacks.images({"mlserver"}),
    "spark": {"operator": "kubeflow", "namespace": "spark-jobs", "repository": "mirror.test/sdp"},
    "ray": "kuberay-system",
    "training": {"operator": "trainer", "accepts": "kubeflow-system"},
    "pools": {"gpu": {"nodeSelector": {"kind": "gpu"}}, "spot": {"nodeSelector": {"kind": "spot"}}},
}
EXPORTS: dict[str, Any] = {
    "cluster": {"load_balancer": {"annotations": {"balancer": "nlb"}, "address": "192.0.2.9"}},
    "kubeconfig": '{"clusters": []}',
    "object_store_secret_key": "very secret",
    "platform": FOUND,
    "platform_cluster": "uid",
}
USES = {"spark": {"operator": "kubeflow"}, "ray": {}, "training": {}, "object_store": {"buckets": ["datasets", "raw"]}}
SECRETS = ("kubeconfig", "object_store_secret_key")


def stand_on(
    settings: Mapping[str, Any] = PLATFORM,
    *,
    exports: Mapping[str, Any] = EXPORTS,
    sealed: Collection[str] = SECRETS,
    namespace: str = "team",
    secrets: Mapping[str, str] | None = None,
    pools: Mapping[str, Any] | None = None,
    accounts: Sequence[str] = (),
) -> recorder.Recorder:
    """The handle of the other stack's platform, every part of it exported."""

    def program() -> None:
        cluster = connect(validate("cluster", CLUSTER, ClusterSettings).root, OwnershipSettings())
        chosen = validate("platform", settings, SharedPlatform)
        users = [(namespace, account) for account in accounts]
        tenancy = Tenancy(needs=Needs(namespaces=(namespace,)), accounts=users, pools=pools or {})
        handle = shared.handle(cluster, chosen, tenancy)
        for name, value in handle.outputs.as_inputs().items():
            pulumi.export(name, value)

    world = recorder.Outputs({OTHER: recorder.OtherStack(exports, sealed)})
    given = {f"ml-platform:{name}": value for name, value in (secrets or {}).items()}
    return recorder.record(program, stack="team", config=given, secrets=given, world=world)


def without(*path: str) -> dict[str, Any]:
    """What the other stack exports, but for one thing."""
    found = {**EXPORTS, "platform": dict(FOUND)}
    *way, last = path
    place = found
    for step in way:
        place = place[step]
    del place[last]
    return found
