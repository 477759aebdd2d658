"""A new component is one file and one entry in the catalog: all who have to know of it ask the file."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import pytest
from ml_platform import components
from ml_platform.bundles import catalog
from ml_platform.configuration import SettingsError
from ml_platform.needs import Needs, together
from ml_platform.settings import BundlesSettings, platform_model
from support import chosen, made_up, recorder, stacks
from support.policies import findings, judge_of, recorded
from support.recorder import Recorder

BEACON = '''
"""A beacon: a release that nobody has, and a namespace of its own."""

from ml_platform import network, pods
from ml_platform.components.add_on import AddOn
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.configuration import Settings
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject


class BeaconSettings(Settings):
    """A light."""

    namespace: str = "lighthouse"


class Beacon(AddOn):
    token = "ml-platform:beacon:Beacon"
    block = "beacon"
    settings = BeaconSettings

    def __init__(self, site):
        super().__init__(site)
        name = self.of(site.settings).namespace
        home = Namespace(name, NamespaceArgs(labels={**site.labels, **site.ownership}), self.child())
        walls = network.closed(pods.metadata("beacon", name, site.labels))
        KubernetesObject("beacon-entry", walls, self.passive(home.resource))
        self.install("beacon")
        self.register_outputs({})

    @classmethod
    def needs(cls, settings):
        return Needs(
            bundles=("beacon",), images=("lamp",), namespaces=(cls.of(settings).namespace,), hosts=("beacon",)
        )
'''
SECURE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture(autouse=True)
def beacon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The file in a folder of components, and the entry in the catalog."""
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "beacon.py").write_text(BEACON)
    monkeypatch.setattr(components, "__path__", [*components.__path__, str(tmp_path / "components")])
    small = {"cpu": "10m", "memory": "16Mi"}
    container = {"image": "beacon", "securityContext": SECURE, "resources": {"requests": small, "limits": small}}
    light = made_up.deployment("beacon/beacon", **container)
    light["spec"]["template"]["spec"]["automountServiceAccountToken"] = False
    objects = [made_up.thing("Namespace", "beacon"), light]
    entry = made_up.release(tmp_path, "beacon", objects, images={"beacon": "beacon"})
    monkeypatch.setattr(catalog, "releases", lambda: {**KNOWN, "beacon": (entry,)})
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    monkeypatch.delenv("ML_PLATFORM_MIRROR", raising=False)
    yield
    components._all.cache_clear()


KNOWN = catalog.releases()
IMAGES = stacks.images(["beacon", "lamp"])


def up(**block: Any) -> Recorder:
    return stacks.record("local", changes={"beacon": block, "images": IMAGES})


def test_its_block_is_a_setting_with_its_words() -> None:
    schema = platform_model({}).model_json_schema()
    assert schema["properties"]["beacon"]["description"] == "A light."
    assert schema["$defs"]["BeaconSettings"]["properties"].keys() == {"namespace"}


def test_without_its_block_nothing_of_it_is_there() -> None:
    assert "beacon" not in chosen.needs().bundles
    assert not [each.name for each in stacks.record("local").requests.values() if "beacon" in each.name]


def test_all_images_that_it_runs_are_asked_for_at_once() -> None:
    with pytest.raises(SettingsError, match=r"the node's registry has no beacon, lamp, and this stack runs them"):
        stacks.record("local", changes={"beacon": {}})


def test_its_release_and_its_namespaces_are_looked_at_before_anything_is_touched() -> None:
    preflight = up(namespace="tower").inputs("Preflight", "preflight")
    assert preflight["entries"]["beacon"] == "1"
    assert "tower" in [each["metadata"]["name"] for each in preflight["own"]]


def test_it_is_declared_with_the_labels_and_the_provider_of_all_and_its_namespaces_are_the_platforms() -> None:
    found = up()
    deployment = found.find("Deployment", "beacon-beacon")
    inputs = recorder.inputs(deployment)
    assert inputs["metadata"]["labels"]["ml-platform/stack"] == "local"
    assert inputs["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGES["beacon"]
    assert deployment.provider == found.find("Deployment", "mlflow").provider
    assert {"lighthouse", "beacon"} <= set(found.exports["platform"]["namespaces"])


def test_the_policies_judge_it_as_all_others() -> None:
    found = up()
    said = findings(judge_of("local"), recorded(found))
    assert [each.message for each in said if each.level == "mandatory"] == []
    (deployment,) = (
        each for each in recorded(found) if each.name == "beacon-beacon" and each.type.endswith("Deployment")
    )
    del deployment.props["spec"]["template"]["spec"]["containers"][0]["securityContext"]
    assert [each for each in findings(judge_of("local"), [deployment]) if each.level == "mandatory"]


@pytest.mark.parametrize("namespace", ["mlflow", "storage", "gateway", "kserve", "kube-system", "default"])
def test_a_namespace_that_another_has_is_refused(namespace: str) -> None:
    with pytest.raises(SettingsError, match=f"Namespace '{namespace}' is claimed by both ") as refused:
        chosen.needs(beacon={"namespace": namespace})
    assert "Beacon" in str(refused.value)


@pytest.fixture
def lantern(tmp_path: Path) -> None:
    """A second add-on, which claims the same host in another namespace."""
    text = BEACON.replace("Beacon", "Lantern").replace('block = "beacon"', 'block = "lantern"')
    (tmp_path / "components" / "lantern.py").write_text(text.replace("lighthouse", "garden"))
    invalidate_caches()
    components._all.cache_clear()


@pytest.mark.usefixtures("lantern")
def test_a_host_that_another_add_on_has_is_refused() -> None:
    with pytest.raises(SettingsError, match="Host 'beacon' is claimed by both Beacon and Lantern"):
        chosen.needs(beacon={}, lantern={})


@pytest.mark.parametrize("field", ["namespaces", "hosts"])
def test_two_parts_that_claim_the_same_are_named(field: str) -> None:
    one = Needs(**{field: ("x",)})  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"'x' is claimed by both First and Second"):
        together({"First": one, "Second": one}, BundlesSettings())
