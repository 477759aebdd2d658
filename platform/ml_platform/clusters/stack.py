"""The cluster of another stack of this program, with the load balancer that the stack's outputs describe.

The settings name all images. The provider adopts no objects, since other stacks have objects on the cluster too.
"""

from typing import Any

import pulumi

from ml_platform.clusters.cluster import Cluster, LoadBalancer
from ml_platform.other_stack import OtherStack
from ml_platform.settings import StackCluster


def connect(settings: StackCluster) -> Cluster:
    """The cluster of that stack, by the kubeconfig in its outputs."""
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
        # The output is secret as a whole where it contains a bucket key; the load balancer's part is no secret.
        cluster = pulumi.Output.unsecret(other.output("cluster"))
        return cluster.apply(lambda known: known.get("load_balancer", {}).get(name, otherwise))

    return LoadBalancer(
        kind="of another stack", annotations=found("annotations", {}), address=found("address", None), assumed=True
    )
