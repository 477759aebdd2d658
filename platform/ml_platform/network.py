"""Who may connect to pods: network policies, and the peers that they let in."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ml_platform.labels import WORKLOADS
from ml_platform.pods import metadata


def ingress_from(
    name: str, namespace: str, labels: Mapping[str, str], port: int, sources: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A NetworkPolicy: only `sources` may connect to pods with label app=`name`, on `port` only."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, namespace, labels),
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": list(sources), "ports": [{"port": port}]}],
        },
    }


def closed(
    meta: Mapping[str, Any], sources: pulumi.Input[Sequence[Mapping[str, Any]]] = (), apart: Sequence[str] = ()
) -> dict[str, Any]:
    """A NetworkPolicy: only pods of the same namespace and `sources` may connect to pods of its namespace, but for
    those whose label app is in `apart`: these are left to other policies."""
    others = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": list(apart)}]} if apart else {}
    peers = pulumi.Output.from_input(sources).apply(lambda found: [*found, {"podSelector": {}}])
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta,
        "spec": {"podSelector": others, "policyTypes": ["Ingress"], "ingress": [{"from": peers}]},
    }


def sealed(meta: Mapping[str, Any]) -> dict[str, Any]:
    """A NetworkPolicy: nobody may connect to pods of its namespace, but where another policy lets them."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def from_namespace(name: pulumi.Input[str]) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def from_app(*names: str) -> list[dict[str, Any]]:
    """The pods of the policy's own namespace with one of these values of label `app`."""
    return [{"podSelector": {"matchLabels": {"app": name}}} for name in names]


def from_workloads() -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {WORKLOADS: "true"}}}
