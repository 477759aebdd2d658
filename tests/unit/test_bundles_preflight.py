"""What the preflight finds in the way, and what it says about it."""

from pathlib import Path
from typing import Any

import pytest
from ml_platform.asking import ClusterError
from ml_platform.bundles import catalog, preflight
from ml_platform.bundles.errors import BundleError
from ml_platform.kube import KubeconfigError, KubeError, Unreachable
from support.made_up import LABELS, definition, deployment, release, thing, webhook

pytestmark = pytest.mark.unit

DEFINITION, WEBHOOK = "things.x.test", "hook.x.test"
SERVER = {"manager": "kube-apiserver", "subresource": "status"}
HELM = {"annotations": {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "tools"}}

HOME, CLASS = thing("Namespace", "home"), thing("IngressClass", "front", "networking.k8s.io/v1")
PROPS: dict[str, Any] = {
    "entries": {"web": "1"}, "existing": {}, "own": [HOME, CLASS], "mirror": None, "labels": LABELS, "adopt": False,
    "storage_class": "", "volumes": [], "load_balancer": True, "kubeconfig": "",
}  # fmt: skip
DISKS = thing("StorageClass", "disks", "storage.k8s.io/v1", provisioner="csi.test")
DISKS["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}


class Cluster:
    """In a cloud, with disks. Has the objects of `present` by name, as metadata."""

    def __init__(self, version: str = "v1.35.1", **present: Any) -> None:
        self.version, self.present = version, present

    def request(self, method: str, path: str, **more: Any) -> Any:
        if path.endswith("/selfsubjectaccessreviews"):
            return {**more["body"], "status": {"allowed": True}}
        assert method == "GET", "it only looks"
        return {
            "/version": {"gitVersion": self.version},
            "/api/v1/nodes": {"items": [{"spec": {"providerID": "aws:///zone/i-1"}}]},
        }[path]

    def list(self, _api_version: str, kind: str, **_fields: str) -> Any:
        return [DISKS] if kind == "StorageClass" else []

    def metadata(self, _api_version: str, _kind: str, name: str) -> Any:
        return {"name": name, **self.present[name]} if name in self.present else None


@pytest.fixture(autouse=True)
def _catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = [definition("things", "x.test", "Thing"), webhook(WEBHOOK, "web", "web"), deployment("web/web")]
    entries = [
        release(tmp_path, "web", web, kubernetes=">=1.34,<1.37"),
        release(tmp_path, "operator", [deployment("operator/o")], own_definitions=["widgets.x.test"]),
    ]
    older = entries[0].model_copy(update={"version": "0", "kubernetes": ">=1.30,<1.34"})
    releases = {"web": (entries[0], older), "operator": (entries[1],)}
    monkeypatch.setattr(catalog, "releases", lambda: releases)


def findings(monkeypatch: pytest.MonkeyPatch, cluster: object, **props: Any) -> list[str]:
    monkeypatch.setattr(preflight.Client, "from_kubeconfig", lambda *_, **__: cluster)
    try:
        preflight.check({**PROPS, **props})
    except BundleError as refused:
        return str(refused).split("\n- ")[1:]
    return []


@pytest.mark.parametrize(
    "cluster",
    [Cluster(), Cluster(**{DEFINITION: {"labels": LABELS}, WEBHOOK: {"labels": LABELS}, "web": {"labels": LABELS}})],
    ids=["empty", "ours"],
)
def test_a_cluster_that_fits_passes(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    assert not findings(monkeypatch, cluster)


def test_a_version_outside_the_window_is_refused_with_the_one_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = findings(monkeypatch, Cluster("v1.32.4"))
    assert "web 1 supports Kubernetes >=1.34,<1.37, and this cluster has v1.32.4" in finding
    assert "The nearest choice that works here, in ml-platform:platform: bundles.versions.web: 0." in finding


def test_a_version_that_no_release_supports_is_refused_with_that(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = findings(monkeypatch, Cluster("v1.40.0"))
    assert "The nearest choice that works here, in ml-platform:platform: no web." in finding
    (web, *_) = catalog.releases()["web"]
    monkeypatch.setattr(
        catalog, "releases", lambda: {"web": (web.model_copy(update={"instead": "certificates: own"}),)}
    )
    (finding,) = findings(monkeypatch, Cluster("v1.40.0"))
    assert "The nearest choice that works here, in ml-platform:platform: certificates: own." in finding


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        (HELM, "Helm release tools/web"),
        ({"labels": {"ml-platform/stack": "another"}}, "stack 'another'"),
        (
            {"labels": {"app.kubernetes.io/managed-by": "gitops", "app.kubernetes.io/version": "9"}},
            "gitops (version 9)",
        ),
        ({"managedFields": [{"manager": "kubectl"}, SERVER]}, "somebody who wrote them with kubectl"),
    ],
)
def test_what_somebody_else_holds_is_named_with_its_owner(
    monkeypatch: pytest.MonkeyPatch, metadata: Any, owner: str
) -> None:
    (finding,) = findings(monkeypatch, Cluster(**{DEFINITION: metadata}))
    assert f"the cluster has CustomResourceDefinition {DEFINITION} already, from {owner}." in finding
    assert "pulumi config set --path 'ml-platform:platform.bundles.existing[0]' web" in finding
    assert "label them ml-platform/stack=test" in finding


def test_webhooks_of_others_are_found_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = findings(monkeypatch, Cluster(**{WEBHOOK: HELM}))
    assert f"ValidatingWebhookConfiguration {WEBHOOK}" in finding
    assert finding.endswith("delete them.")


def test_a_cluster_of_its_own_takes_over_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not findings(monkeypatch, Cluster(**{DEFINITION: HELM, WEBHOOK: HELM}), adopt=True)


@pytest.mark.parametrize("name", ["web", DEFINITION])
def test_what_is_still_being_deleted_is_waited_for_by_the_user(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z", "labels": LABELS}
    (finding,) = findings(monkeypatch, Cluster(**{name: going}), adopt=True)
    assert f"{name} is still being deleted. Wait" in finding


@pytest.mark.parametrize(
    ("present", "refused"),
    [
        ({"widgets.x.test": {}}, False),
        ({"widgets.x.test": {}, "operator": {"labels": LABELS}}, False),
        ({"widgets.x.test": {}, "operator": HELM}, True),
    ],
    ids=["left over", "ours", "somebody else's"],
)
def test_kinds_of_an_operator_are_whose_its_namespace_is(
    monkeypatch: pytest.MonkeyPatch, present: Any, refused: bool
) -> None:
    found = findings(monkeypatch, Cluster(**present), entries={"operator": "1"})
    assert any("widgets.x.test" in finding for finding in found) is refused


def test_what_is_said_to_exist_must(monkeypatch: pytest.MonkeyPatch) -> None:
    props = {"entries": {}, "existing": {"web": "1"}}
    assert not findings(monkeypatch, Cluster(**{DEFINITION: HELM}), **props)
    (finding,) = findings(monkeypatch, Cluster(), **props)
    assert f"none of its kinds, such as {DEFINITION}" in finding


def test_all_findings_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster("v1.32.4", **{DEFINITION: HELM})
    assert len(findings(monkeypatch, cluster, existing={"operator": "1"})) == 3


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unreachable("GET https://test.invalid: refused"), r"GET https://test\.invalid: refused\. Is it up"),
        (KubeError(401, "Unauthorized", "Unauthorized"), "Unauthorized.*have expired.*a new kubeconfig"),
        (KubeError(403, "Forbidden", 'User "u" cannot list nodes'), 'User "u" cannot list nodes.*cluster-admin'),
        (KubeconfigError("the kubeconfig's exec plugin login gave no credential"), "exec plugin login gave no"),
    ],
)
def test_a_cluster_that_does_not_answer_is_no_finding(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    class Away:
        def request(self, *_: object, **__: object) -> None:
            raise error

    monkeypatch.setattr(preflight.Client, "from_kubeconfig", lambda *_, **__: Away())
    with pytest.raises(ClusterError, match=f"can't be asked what it has: .*{said}"):
        preflight.check(PROPS)


@pytest.mark.parametrize(
    ("metadata", "owner"), [({}, "somebody who wrote them with an unknown tool"), (HELM, "Helm release tools/web")]
)
def test_names_of_the_stacks_own_that_are_taken_are_named_with_their_owner(
    monkeypatch: pytest.MonkeyPatch, metadata: Any, owner: str
) -> None:
    (finding,) = findings(monkeypatch, Cluster(home=metadata, front=metadata))
    assert f"The cluster has Namespace home, IngressClass front already, from {owner}" in finding


def test_what_has_the_name_of_this_stack_before_it_made_anything_is_another_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marked = {"labels": LABELS}
    cluster = Cluster(home=marked, **{"kube-system": {"uid": "1"}, DEFINITION: marked, WEBHOOK: marked})
    monkeypatch.setattr(preflight.Client, "from_kubeconfig", lambda *_, **__: cluster)
    assert not findings(monkeypatch, cluster), "later it is the stack's own"
    with pytest.raises(BundleError) as refused:
        preflight._Provider().create(PROPS)
    assert "a stack that is also called 'test', whose state is not this one's" in str(refused.value)
    for name, told in (("home", True), (WEBHOOK, True), (DEFINITION, False)):  # kinds outlive their stack
        assert (name in str(refused.value)) is told


@pytest.mark.parametrize(
    ("news", "asks"),
    [
        ({"kubeconfig": "b"}, True),  # which may lead elsewhere
        ({"mirror": "b"}, False),
        ({"entries": {"web": "2"}}, True),
        ({"adopt": True}, True),
    ],
)
def test_it_asks_again_when_the_choice_changes(news: Any, asks: bool) -> None:
    olds = {"entries": {"web": "1"}, "existing": {}, "volumes": [], "adopt": False, "kubeconfig": "a", "mirror": "a"}
    assert preflight._Provider().diff("", olds, {**olds, **news}).changes is asks


def test_another_kubeconfig_for_the_same_cluster_changes_nothing_but_what_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = remembered(monkeypatch, "one")
    assert known["cluster"] == "one"
    provider, news = preflight._Provider(), {**PROPS, "kubeconfig": "renewed"}
    assert provider.diff("preflight", known, news).changes
    assert provider.update("preflight", known, news).outs == {**news, "cluster": "one"}


def test_a_kubeconfig_for_another_cluster_than_last_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    known = remembered(monkeypatch, "one")
    monkeypatch.setattr(
        preflight.Client, "from_kubeconfig", lambda *_, **__: Cluster(**{"kube-system": {"uid": "two"}})
    )
    with pytest.raises(BundleError, match=r"another cluster than last time.*Nothing was touched"):
        preflight._Provider().update("preflight", known, {**PROPS, "kubeconfig": "other"})


PLATFORM = {"stack": "acme/ml-platform/production", "cluster": "two"}


def test_a_kubeconfig_for_another_cluster_than_the_platform_is_on_is_refused_with_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = remembered(monkeypatch, "one")
    for act in (
        lambda: preflight._Provider().create({**PROPS, "platform": PLATFORM}),
        lambda: preflight._Provider().update("preflight", known, {**PROPS, "platform": PLATFORM}),
    ):
        with pytest.raises(BundleError) as refused:
            act()
        message = str(refused.value)
        assert "another cluster than the platform of stack acme/ml-platform/production is on" in message
        assert "kube-system is 'one', and there it is 'two'. Nothing was touched" in message
        assert "pulumi config set --path 'ml-platform:platform.stack'" in message


def test_a_kubeconfig_for_the_cluster_that_the_platform_is_on_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    known = remembered(monkeypatch, "two", platform=PLATFORM)
    assert known["cluster"] == "two"
    assert not preflight._Provider().diff("preflight", known, {**PROPS, "platform": PLATFORM}).changes


def remembered(monkeypatch: pytest.MonkeyPatch, uid: str, **props: Any) -> dict[str, Any]:
    monkeypatch.setattr(preflight.Client, "from_kubeconfig", lambda *_, **__: Cluster(**{"kube-system": {"uid": uid}}))
    return dict(preflight._Provider().create({**PROPS, **props}).outs or {})
