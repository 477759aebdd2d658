"""`make images` from nothing, by Buildah, into a registry that asks for a login: each image of a platform is built."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ml_local import image_builder, images
from ml_local.images import DEBIAN
from ml_local.node import layout as names
from ml_local.node import pki
from ml_local.node.layout import layout
from ml_local.registry import Registry
from support import login_registry, machine

SETTINGS = {"ml-platform:cluster": {"source": "existing"}, "ml-platform:platform": {"size": "small"}}


@pytest.mark.long
def test_all_images_of_a_platform_are_built_and_pushed_and_a_second_run_builds_none(home: Path) -> None:
    tls = pki.client_context(layout().pki, "registry-client")
    builder = image_builder.cached()
    debian = builder.digest(images.reference(DEBIAN))
    Registry(names.REGISTRY, tls).push("debian", "12", debian, builder.layout)
    file = home / "Pulumi.anew.yaml"
    file.write_text(yaml.safe_dump({"config": SETTINGS}))
    authority = image_builder.CERTIFICATES
    words = [f"REGISTRY={login_registry.HOST}/anew", f"CONFIG={file}", f"BASE={login_registry.HOST}/debian:12"]
    words += ["TOOL=buildah", f"SECRETS=ca={authority}"]
    done = machine.make("images", *words, timeout=5400, env=login_registry.tool(home))
    assert done.returncode == 0, done.stdout
    written = yaml.safe_load(file.read_text())["config"]["ml-platform:platform"]["images"]
    assert set(written) == {"mlflow", "mlserver", "postgres", "traefik", "training", "versitygw"}
    again = machine.make("images", *words, env=login_registry.tool(home))
    assert "to build, with buildah: none" in again.stdout
