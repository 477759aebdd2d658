"""Every image that a release uses is found, wherever it is named."""

from typing import Any

import pytest
from ml_platform.bundles.catalog import Entry, RuntimeImage
from ml_platform.bundles.images import in_object, pinned, summary, uses

pytestmark = pytest.mark.unit

DIGEST = f"@sha256:{'a' * 64}"


def pod(**container: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def config(text: str, key: str = "key") -> dict[str, Any]:
    return {"kind": "ConfigMap", "data": {key: text}}


def named(fields: dict[str, Any]) -> list[str]:
    return [image for _, image in in_object({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, **fields})]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (pod(image="nginx"), ["nginx"]),
        (pod(image="host:5000/a/b:v1" + DIGEST), ["host:5000/a/b:v1" + DIGEST]),
        (pod(image="auto"), []),
        (pod(image="", imagePullPolicy="Always"), []),
        (pod(args=["--solver-image=quay.io/a/solver:v1", "--at=https://quay.io/a/b:v1"]), ["quay.io/a/solver:v1"]),
        (pod(args=["--listen=example.com/a", "--kind=x.io/v1", "--port=host.io:80"]), []),
        (pod(env=[{"name": "VIEWER_IMAGE", "value": "a/viewer:1"}]), ["a/viewer:1"]),
        (pod(env=[{"name": "OTHER", "value": "a/viewer:1"}]), []),
        (pod(env=[{"name": "OTHER", "value": "ghcr.io/a/viewer:1"}]), ["ghcr.io/a/viewer:1"]),
        ({"metadata": {"annotations": {"inject": f"runs gcr.io/a/b{DIGEST}."}}}, [f"gcr.io/a/b{DIGEST}"]),
        ({"spec": {"image": "gcr.io/a/queue:1"}}, ["gcr.io/a/queue:1"]),
        (config("gcr.io/a/queue:1", key="queue-sidecar-image"), ["gcr.io/a/queue:1"]),
        (config('{"image": "kserve/agent:v1", "deep": [{"initImage": "a/b:1"}]}'), ["kserve/agent:v1", "a/b:1"]),
        (config('{"image": "kserve/art", "defaultImageVersion": "latest"}'), ["kserve/art:latest"]),
        (config('{"image": "a/b:1", "image_v2": "a/b:2"}'), ["a/b:1", "a/b:2"]),
        (config("a:\n  image: a/b:1\n---\nb:\n- image: a/c:1\n"), ["a/b:1", "a/c:1"]),
        (config('{"global": {"hub": "h/r", "tag": "1", "proxy": {"image": "proxyv2"}}, "pilot": {"image": "pilot"}}'),
         ["h/r/proxyv2:1", "h/r/pilot:1"]),
        (config('{{ if .x }}\n- image: busybox:1.28\n- image: "{{ .i }}"\n- image: auto\n{{ end }}'), ["busybox:1.28"]),
        (config("some-image: disabled", key="_example"), []),
        ({"kind": "CustomResourceDefinition", "spec": {"description": "such as gcr.io/a/b:1", "image": "a"}}, []),
    ],
)  # fmt: skip
def test_an_image_is_found_where_releases_hide_it(fields: dict[str, Any], found: list[str]) -> None:
    assert named(fields) == found


@pytest.mark.parametrize(
    ("image", "fixed"),
    [
        ("a", False),
        ("a:latest", False),
        ("host:5000/a", False),
        ("a:1", True),
        ("host:5000/a:1", True),
        (f"a{DIGEST}", True),
    ],
)
def test_a_reference_without_version_or_digest_is_not_pinned(image: str, fixed: bool) -> None:
    assert pinned(image) is fixed


def test_what_no_pod_of_the_release_runs_is_said_with_the_reason() -> None:
    at = {"apiVersion": "apps/v1", "metadata": {"name": "a", "namespace": "n"}}
    objects = [
        {**at, "kind": "Deployment", **pod(image="a/manager:1", env=[{"name": "IMAGE", "value": "a/agent:1"}])},
        {**at, "kind": "Pod", **pod(image="a/both:1")},
    ]
    images = [RuntimeImage(image=f"a/{name}:1", why=f"{name} it is") for name in ("agent", "spark", "both")]
    entry = Entry.model_construct(name="b", version="1", runtime_images=tuple(images))
    rows = {row["image"]: row for row in summary(uses(entry, objects))}
    assert {image: row["run_time_only"] for image, row in rows.items()} == {
        "a/manager:1": False, "a/agent:1": True, "a/spark:1": True, "a/both:1": False,
    }  # fmt: skip
    assert rows["a/agent:1"] == {
        "image": "a/agent:1", "bundles": ["b 1"], "run_time_only": True, "pinned": True,
        "at": ["Deployment n/a: spec.template.spec.containers.0.env.0.IMAGE"], "why": ["agent it is"],
    }  # fmt: skip
