"""What is said of a cluster's storage, its load balancer, its user's rights and the owners of what it has."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from ml_platform.bundles.preflight import load_balancer, name_conflicts, owners, rights, storage
from ml_platform.bundles.preflight.load_balancer import Signs
from support import recorder, stacks
from support.advice import COMMAND, followed
from support.made_up import LABELS, thing

pytestmark = pytest.mark.unit

DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


def disks(name: str, provisioner: str = "csi.test", **annotations: str) -> dict[str, Any]:
    found = thing("StorageClass", name, "storage.k8s.io/v1", provisioner=provisioner)
    found["metadata"]["annotations"] = annotations
    return found


SLOW, FAST = disks("slow"), disks("fast", **DEFAULT)


@pytest.mark.parametrize(
    ("classes", "wanted", "said"),
    [
        ([SLOW, FAST], "", None),
        ([SLOW], "slow", None),
        ([SLOW], "", "no default storage class, so volumes would wait for ever; it has slow"),
        ([SLOW, FAST], "huge", "cluster.storage_class is 'huge', and the cluster has fast, slow"),
        ([], "", "The cluster has no storage class"),
        ([], "slow", "The cluster has no storage class"),
        ([disks("gp2", "kubernetes.io/aws-ebs", **DEFAULT)], "", "wants the CSI driver ebs.csi.aws.com"),
        ([disks("pd", "kubernetes.io/gce-pd")], "pd", None),
        ([disks("gp2", "kubernetes.io/aws-ebs"), FAST], "", None),
    ],
)
def test_volumes_have_a_class_that_gives_them_disks(classes: list[Any], wanted: str, said: str | None) -> None:
    found = list(storage.findings(classes, {"pd.csi.storage.gke.io"}, wanted))
    assert len(found) == bool(said)
    assert (said or "") in "".join(found)


@pytest.mark.parametrize(("classes", "wanted"), [([SLOW], ""), ([SLOW], "fast")])
def test_another_storage_class_is_chosen_by_a_command(classes: list[Any], wanted: str) -> None:
    (found,) = storage.findings(classes, set(), wanted)
    assert found.endswith("pulumi config set --path 'ml-platform:cluster.storage_class' slow")


def balanced(waited: int, address: str | None = None, kind: str | None = None) -> dict[str, Any]:
    """A Service that was made so many minutes ago."""
    made = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=waited)
    service = thing("Service", "shop/front", spec={"type": "LoadBalancer", "loadBalancerClass": kind})
    service["metadata"]["creationTimestamp"] = made.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**service, "status": {"loadBalancer": {"ingress": [{"ip": address}]} if address else {}}}


def node(provider: str | None, name: str = "one", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "spec": {"providerID": provider} if provider else {}}


POOL = thing("IPAddressPool", "metallb/one", "metallb.io/v1beta1")


@pytest.mark.parametrize(
    ("services", "provider", "pools", "said"),
    [
        ([(60, "192.0.2.1")], None, [], None),
        ([(60,), (60, "192.0.2.1")], None, [], None),
        ([], "aws:///zone/i-1", [], None),
        ([], "k3s://one", [], None),
        ([], None, [POOL], None),
        ([(1,)], "gce://project/zone/one", [], None),
        ([(60,)], "gce://project/zone/one", [], "shop/front waits for one since 20"),
        ([(60, None, "internal.test/one")], "gce://project/zone/one", [], None),
        ([], "kind://docker/kind/one", [], "its nodes are of kind, and MetalLB"),
        ([], None, [], "its nodes are of no cloud"),
    ],
)
def test_a_load_balancer_is_known_by_its_signs(
    services: list[Any], provider: str | None, pools: list[Any], said: str | None
) -> None:
    signs = Signs(services=[balanced(*each) for each in services], nodes=[node(provider)], pools=pools)
    found = list(load_balancer.findings(signs, LABELS))
    assert len(found) == bool(said)
    assert (said or "") in "".join(found)


KIND = node("kind://docker/ml/ml-control-plane", "ml-control-plane")
MINIKUBE = node(None, "ml", **{"minikube.k8s.io/name": "ml"})
K3D, K3S = node("k3s://k3d-ml-server-0", "k3d-ml-server-0"), node("k3s://one", "one")
UNKNOWN = node(None, "one")


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (KIND, "let `cloud-provider-kind` run in another terminal"),
        (MINIKUBE, "let `minikube tunnel -p ml` run in another terminal"),
        (UNKNOWN, "such as MetalLB"),
    ],
    ids=["kind", "minikube", "machines"],
)
def test_the_way_to_a_load_balancer_is_followed_and_the_stack_asks_for_none_any_more(
    nodes: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = load_balancer.findings(Signs(services=[], nodes=[nodes], pools=[]), LABELS)
    assert said in found
    assert COMMAND.search(found)
    for advice in found.split(" Or "):  # each of them alone
        if COMMAND.search(advice):
            config = followed(stacks.blocks("existing"), advice)
            monkeypatch.setattr(stacks, "blocks", lambda _, config=config: config)
            assert stacks.record("existing").inputs("Preflight", "preflight")["load_balancer"] is False
            monkeypatch.undo()


def port(name: str, *numbers: int, **labels: str) -> dict[str, Any]:
    service = thing("Service", name, spec={"type": "LoadBalancer", "ports": [{"port": each} for each in numbers]})
    service["metadata"] |= {"labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {**service, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}


@pytest.mark.parametrize(
    ("nodes", "services", "pools", "said"),
    [
        (
            K3D,
            [port("kube-system/traefik", 80, 443)],
            [],
            "k3d cluster create ml --k3s-arg '--disable=traefik@server:*'",
        ),
        (K3S, [port("kube-system/traefik", 80, 443)], [], "`disable: [traefik]` into /etc/rancher/k3s/config.yaml"),
        (K3S, [port("shop/front", 443)], [], "kubectl --namespace shop edit service front"),
        (K3S, [port("shop/front", 8443)], [], None),
        (K3S, [port("gateway/traefik", 80, 443, **LABELS)], [], None),
        (K3S, [port("shop/front", 443)], [POOL], None),
        (K3S, [balanced(60)], [], "shop/front waits for one since"),
        (UNKNOWN, [port("shop/front", 443)], [], None),
        (K3D, [], [], None),
    ],
)
def test_where_nodes_are_the_load_balancer_each_port_is_of_one_service(
    nodes: Any, services: list[Any], pools: list[Any], said: str | None
) -> None:
    found = list(load_balancer.findings(Signs(services=services, nodes=[nodes], pools=pools), LABELS))
    assert len(found) == bool(said)
    assert (said or "") in "".join(found)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (K3D, "k3d cluster delete ml && k3d cluster create ml --k3s-arg '--disable=traefik@server:*'"),
        (K3S, "then: systemctl restart k3s"),
        (KIND, "Give the cluster's own another name"),
        (UNKNOWN, "Give the cluster's own another name"),
    ],
)
def test_the_traefik_that_a_distribution_brings_along_is_left_out_in_its_own_way(nodes: Any, said: str) -> None:
    class Cluster:
        def metadata(self, _version: str, _kind: str, name: str) -> dict[str, Any]:
            marks = {"meta.helm.sh/release-name": "traefik", "meta.helm.sh/release-namespace": "kube-system"}
            return {"name": name, "annotations": marks}

        def request(self, *_: str, **__: Any) -> dict[str, Any]:
            return {"items": [nodes]}

    cluster: Any = Cluster()
    own = [thing("IngressClass", "traefik", "networking.k8s.io/v1")]
    (found,) = name_conflicts.findings(cluster, own, LABELS, True)
    assert "The cluster has IngressClass traefik already, from Helm release kube-system/traefik" in found
    assert said in found


def test_what_the_user_may_not_create_is_named_once() -> None:
    reviews = [
        {"spec": {"resourceAttributes": {"resource": resource}}, "status": {"allowed": allowed}}
        for resource, allowed in (("namespaces", True), ("clusterroles", False), ("clusterrolebindings", False))
    ]
    (found,) = rights.findings(reviews)
    assert found.startswith("The kubeconfig's user may not create clusterroles, clusterrolebindings.")
    assert not list(rights.findings(reviews[:1]))


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        (
            {"annotations": {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "n"},
             "labels": {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "r-1.2"}},
            "Helm release n/r (version r-1.2)",
        ),
        ({"labels": {"ml-platform/stack": "prod", "app.kubernetes.io/managed-by": "pulumi"}}, "stack 'prod'"),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:a/b"}}, "Argo CD application shop"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "infra"}}, "Flux's Kustomization infra"),
        ({"labels": {"olm.owner": "serverless.v1.30.0"}}, "the Operator Lifecycle Manager, for serverless.v1.30.0"),
        ({"labels": {"addonmanager.kubernetes.io/mode": "Reconcile"}}, "an add-on of the cluster itself"),
        (
            {"ownerReferences": [{"kind": "KnativeServing", "name": "k", "controller": True}]},
            "the operator of KnativeServing k",
        ),
        ({"ownerReferences": [{"kind": "Secret", "name": "s"}]}, "somebody who wrote them with an unknown tool"),
        ({}, "somebody who wrote them with an unknown tool"),
    ],
)  # fmt: skip
def test_an_owner_is_named_in_the_words_of_its_tool(metadata: Any, owner: str) -> None:
    assert owners.owner(metadata) == owner


@pytest.mark.parametrize("stack", ["local", pytest.param("istio", marks=pytest.mark.mirror),
                                   pytest.param("everything", marks=pytest.mark.mirror)])  # fmt: skip
def test_whatever_the_stack_puts_outside_of_namespaces_is_looked_for_before(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    found = stacks.record(stack)
    ours = [recorder.inputs(each) for each in found.requests.values() if "bundles:Bundle" not in each.parent]
    kinds = ("Namespace", "IngressClass")
    declared = {(each["kind"], each["metadata"]["name"]) for each in ours if each.get("kind") in kinds}
    looked_for = found.inputs("Preflight", "preflight")["own"]
    assert {(each["kind"], each["metadata"]["name"]) for each in looked_for} == declared
