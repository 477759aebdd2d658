"""The cluster of another stack of this program, with its load balancer as that stack knows it.

It brings no images along (settings name them) and adopts nothing: that stack, or a third one, has objects there too.
"""

from typing import Any

import pulumi

from ml_platform.clusters.cluster import Cluster, LoadBalancer
from ml_platform.other_stack import OtherStack
from ml_platform.settings import StackCluster


def connect(settings: StackCluster) -> Cluster:
    """The cluster of that stack, by the kubeconfig that it exports."""
    other = OtherStack("cluster.stack", settings.stack)
    return Cluster(
        kubeconfig=other.secret("kubeconfig"),
        options={"cluster_identifier": "stack", "kube_client_settings": {"qps": 100, "burst": 200}},
        images={},
        storage_class=settings.storage_class,
        disposable=False,
        protected=settings.data == "protect",
        load_balancer=_load_balancer(other),
    )


def _load_balancer(other: OtherStack) -> LoadBalancer:
    def found(name: str, otherwise: Any) -> pulumi.Output[Any]:
        # In the clouds that hand out keys, the output also has secrets; none of this is one.
        cluster = pulumi.Output.unsecret(other.output("cluster"))
        return cluster.apply(lambda known: known.get("load_balancer", {}).get(name, otherwise))

    return LoadBalancer(
        kind="of another stack", annotations=found("annotations", {}), address=found("address", None), assumed=True
    )
