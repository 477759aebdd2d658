"""Digests in a stack's file: what is written, and that all else stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ml_images import stack_file
from ml_local.errors import LocalError
from support import stacks

MLFLOW, TRAEFIK = (f"registry.test/ml/{name}@sha256:{'0' * 64}" for name in ("mlflow", "traefik"))
BOTH = {"mlflow": MLFLOW, "traefik": TRAEFIK}
# The file "everything" has images already.
WITH_PLATFORM = sorted(
    name for name in stacks.FILES if name != "everything" and "ml-platform:platform" in stacks.blocks(name)
)
BLOCK = """# mine
config:
  ml-platform:platform:
    size: small # not large
    images: # of others
      postgres: registry.example.com/postgres@sha256:abc # theirs
      mlflow: registry.test/ml/mlflow@sha256:old
  ml-platform:workloads: {namespace: models}
"""


def images(text: str) -> object:
    return yaml.safe_load(text)["config"]["ml-platform:platform"]["images"]


def test_an_old_digest_is_replaced_a_new_one_added_and_each_comment_kept() -> None:
    edited = stack_file.with_images(BLOCK, BOTH)
    assert images(edited) == {"postgres": "registry.example.com/postgres@sha256:abc", **BOTH}
    lines = BLOCK.replace("registry.test/ml/mlflow@sha256:old", MLFLOW).splitlines()
    assert [line for line in edited.splitlines() if TRAEFIK not in line] == lines


@pytest.mark.parametrize("name", WITH_PLATFORM)
def test_only_lines_of_images_come_into_each_stack_file(name: str) -> None:
    text = stacks.FILES[name].read_text()
    edited = stack_file.with_images(text, BOTH)
    assert images(edited) == BOTH
    added = [f"      {image}: {reference}" for image, reference in BOTH.items()]
    assert [line for line in edited.splitlines() if line not in added and line != "    images:"] == text.splitlines()


@pytest.mark.parametrize(
    "platform",
    ["{size: small}", "{images: {}, size: small}", "{images: {mlflow: old}}", "\n    images: {}", "\n    images:"],
)
def test_other_ways_to_write_the_same_are_understood(platform: str) -> None:
    edited = stack_file.with_images(f"config:\n  ml-platform:platform: {platform}\n", BOTH)
    assert images(edited) == BOTH


def test_what_is_written_twice_is_written_once() -> None:
    once = stack_file.with_images(BLOCK, BOTH)
    assert stack_file.with_images(once, BOTH) == once


@pytest.mark.parametrize("text", ["config:\n  a:b: c\n", "- config\n", "", "config:\n  ml-platform:platform: {}\n"])
def test_a_file_without_a_platform_is_told_what_belongs_there(text: str) -> None:
    with pytest.raises(LocalError) as refused:
        stack_file.with_images(text, BOTH)
    assert f"ml-platform:platform:\n  images:\n    mlflow: {MLFLOW}" in str(refused.value)


def test_a_link_to_a_stack_file_stays_a_link_and_its_mode_stays(tmp_path: Path) -> None:
    file, link = tmp_path / "stack.yaml", tmp_path / "Pulumi.mine.yaml"
    file.write_text(BLOCK)
    file.chmod(0o640)
    link.symlink_to(file)
    stack_file.write(link, BOTH)
    assert link.is_symlink()
    assert (file.stat().st_mode & 0o777, images(file.read_text())) == (0o640, images(link.read_text()))
    assert [path.name for path in tmp_path.iterdir() if "stack.yaml" in path.name] == ["stack.yaml"]


def test_a_read_only_file_is_refused_with_what_belongs_where(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.mine.yaml"
    file.write_text(BLOCK)
    stack_file.check_writable(file)
    file.chmod(0o444)
    with pytest.raises(LocalError, match=r"Pulumi\.mine\.yaml is read-only(.|\n)*images:\n +<image>: <registry>/"):
        stack_file.check_writable(file)
