"""Where images hide in real releases, and that the image map finds exactly those."""

import asyncio
import json
from typing import Any

import pulumi
import pytest
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.transforms import image_map

pytestmark = pytest.mark.unit

Object = dict[str, Any]

KNOWN = {
    "queue": "queue",
    "tool": "docker.io/org/tool:1",
    "tool-gpu": "docker.io/org/tool:1-gpu",
    "agent": "org/agent:v1",
    "init": "busybox:1.28",
    "proxy": "hub.test/release/proxyv2:1.30",
    "server": "org/server:1.5",
    "pinned": "org/pinned@sha256:aa",
}
OURS = {name: f"registry.test/{name}@sha256:{index}" for index, name in enumerate(KNOWN)}
MAP = image_map(KNOWN, OURS)


def thing(**fields: Any) -> Object:
    return {"kind": "Thing", "metadata": {"name": "t"}, **fields}


def pod(**container: Any) -> Object:
    return thing(spec={"template": {"spec": {"containers": [container]}}})


@pytest.mark.parametrize(
    ("given", "reference", "ours"),
    [
        pytest.param(lambda image: pod(image=image), "docker.io/org/tool:1", "tool", id="pod"),
        pytest.param(lambda image: pod(image=image), "docker.io/org/tool:1-gpu", "tool-gpu", id="the longer one"),
        pytest.param(lambda image: pod(image=image), "org/pinned@sha256:aa", "pinned", id="by digest"),
        pytest.param(lambda image: pod(image=image), "queue", "queue", id="lean name"),
        pytest.param(lambda image: pod(args=["-x", image]), "org/agent:v1", "agent", id="argument"),
        pytest.param(lambda image: pod(args=[f"--image={image}"]), "org/agent:v1", "agent", id="flag"),
        pytest.param(lambda image: pod(env=[{"value": image}]), "org/agent:v1", "agent", id="environment"),
        pytest.param(lambda image: thing(data={"queue-image": image}), "queue", "queue", id="lean name in a ConfigMap"),
        pytest.param(lambda image: thing(data={"a": f'{{"image": "{image}"}}'}), "queue", "queue", id="lean in JSON"),
        pytest.param(lambda image: thing(data={"a": f'{{"art": "{image}"}}'}), "org/agent:v1", "agent", id="JSON"),
        pytest.param(lambda image: thing(data={"a": f"spec:\n- image: {image}\n"}), "busybox:1.28", "init", id="YAML"),
        pytest.param(
            lambda image: thing(data={"a": f"{{{{- if .X }}}}\nimage: '{image}'\n{{{{ end }}}}"}),
            "docker.io/org/tool:1", "tool", id="template",
        ),
        pytest.param(lambda image: thing(spec={"a": [{"b": {"image": image}}]}), "org/agent:v1", "agent", id="custom"),
        pytest.param(
            lambda image: thing(spec={"template": {"metadata": {"annotations": {"x/image": image}}}}),
            "org/agent:v1", "agent", id="annotation",
        ),
    ],
)  # fmt: skip
def test_an_image_is_mapped(given: Any, reference: str, ours: str) -> None:
    mapped = json.dumps(MAP(given(reference))).replace("\\", "")
    assert mapped == json.dumps(given(OURS[ours])).replace("\\", "")


@pytest.mark.parametrize(
    "left_alone",
    [
        pod(image="other:1"),
        pod(image="auto"),
        pod(image="x/org/agent:v1"),
        pod(image="org/agent:v1-gpu"),
        pod(image="org/agent:v1@sha256:0"),
        pod(args=["queue"]),
        thing(data={"name": "queue"}),
        thing(data={"a": "{queue}"}),
        thing(data={"a": '{"name": "queue",  "spaces": "kept"}'}),
    ],
)
def test_what_only_looks_like_one_stays(left_alone: Object) -> None:
    assert MAP(left_alone) == left_alone


def test_parts_below_a_hub_are_one_reference() -> None:
    pieces = {"hub": "hub.test/release", "tag": "1.30"}
    proxy = {"image": "proxyv2", "a": 1}
    values = {"global": {**pieces, "proxy": proxy}, "waypoint": {"image": "proxyv2"}, "hub": "", "tag": "", **proxy}
    mapped = json.loads(MAP(thing(data={"values": json.dumps(values)}))["data"]["values"])
    assert mapped["global"] == {**pieces, "proxy": {"image": OURS["proxy"], "a": 1}}
    assert mapped["waypoint"] == {"image": OURS["proxy"]}
    assert (mapped["image"], mapped["hub"]) == (OURS["proxy"], "")


def test_an_image_and_its_version_stay_apart() -> None:
    servers = {"mlflow": {"image": "org/server", "defaultImageVersion": "1.5"}, "other": {"image": "org/server"}}
    mapped = json.loads(MAP(thing(data={"servers": json.dumps(servers)}))["data"]["servers"])
    repository, _, version = OURS["server"].rpartition(":")
    assert mapped == {
        "mlflow": {"image": repository, "defaultImageVersion": version},
        "other": {"image": "org/server"},
    }


def test_without_a_mapping_the_reference_of_the_release_stays() -> None:
    released = pod(image="org/agent:v1")
    assert image_map({"agent": "org/agent:v1"}, {})(released) == released


@pytest.mark.parametrize(
    ("image", "mirrored"),
    [
        ("org/agent:v1", "mirror.test/all/org/agent:v1"),
        ("docker.io/unknown:2", "mirror.test/all/docker.io/unknown:2"),
        ("docker.io/org/tool:1", OURS["tool"]),
        ("auto", "auto"),
        ("{{ .Image }}", "{{ .Image }}"),
    ],
)
def test_a_registry_has_what_is_not_mapped(image: str, mirrored: str) -> None:
    transform = image_map({"agent": KNOWN["agent"], "tool": KNOWN["tool"]}, {"tool": OURS["tool"]}, "mirror.test/all")
    assert transform(pod(image=image)) == pod(image=mirrored)


def test_a_registry_has_what_is_only_used_at_run_time() -> None:
    transform = image_map({}, {}, "mirror.test/all", ["busybox:1.28"])
    assert transform(thing(data={"config": "image: busybox:1.28\n"}))["data"] == {
        "config": "image: mirror.test/all/busybox:1.28\n"
    }


def test_an_image_of_a_lean_release_without_a_reference_is_refused_by_name() -> None:
    with pytest.raises(BundleError, match=r"(?s)queue.*ml-platform:platform\.images\.queue"):
        image_map(KNOWN, {})


def test_a_reference_may_be_an_output() -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())
    given = thing(
        spec={"image": "org/agent:v1"}, data={"yaml": "image: org/agent:v1\n", "json": '{"image": "org/agent:v1"}'}
    )
    mapped = image_map({"agent": "org/agent:v1"}, {"agent": pulumi.Output.from_input("ours:1")})(given)

    async def known() -> Any:
        return await pulumi.Output.from_input(mapped).future()

    assert asyncio.get_event_loop().run_until_complete(known()) == thing(
        spec={"image": "ours:1"}, data={"yaml": "image: ours:1\n", "json": '{"image": "ours:1"}'}
    )


def test_the_object_that_was_given_is_not_edited() -> None:
    given = pod(image="org/agent:v1")
    MAP(given)
    assert given == pod(image="org/agent:v1")
