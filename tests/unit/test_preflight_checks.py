"""What is said of a cluster's storage, its load balancer, its user's rights and the owners of what it has."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from ml_platform.bundles.preflight import load_balancer, owners, rights, storage
from ml_platform.bundles.preflight.load_balancer import Signs
from support import recorder, stacks
from support.made_up import thing

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


def node(provider: str | None) -> dict[str, Any]:
    return {"spec": {"providerID": provider} if provider else {}}


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
    found = list(load_balancer.findings(signs))
    assert len(found) == bool(said)
    assert (said or "") in "".join(found)


def test_who_has_no_load_balancer_is_told_the_ways_out() -> None:
    (found,) = load_balancer.findings(Signs(services=[], nodes=[], pools=[]))
    for way in ("cloud-provider-kind", "platform.gateway.host_port' 8080", "cluster.load_balancer.assumed' true"):
        assert way in found


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
