"""Builds that are compared with builds of the same: what is built again, and how a difference is told."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from ml_local import image_builder, images, layers
from ml_local.image_builder import Builder
from ml_local.oci_layout import Layout
from ml_supply import __main__ as command
from ml_supply import differences, reproduction
from oci_images import image

FILES = {"etc/passwd": b"root", "opt/run": b"run"}


@pytest.fixture
def first(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "first")


@pytest.fixture
def second(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "second")


@pytest.mark.parametrize(
    ("layers", "how", "told"),
    [
        ([{**FILES, "opt/run": b"ran"}], {}, ["layer 1 of 1: opt/run: bytes"]),
        ([{**FILES, "var/log": b""}], {}, ["layer 1 of 1: var/log: only in the second build"]),
        ([{"opt/run": b"run"}], {}, ["layer 1 of 1: etc/passwd: only in the first build"]),
        ([dict(reversed(FILES.items()))], {}, ["layer 1 of 1: the same files, in another order"]),
        ([FILES], {"level": 19}, ["layer 1 of 1: the same files, packed otherwise"]),
        ([FILES, {}], {}, ["layer 2 of 2: only in the second build"]),
        ([], {}, ["layer 1 of 1: only in the first build"]),
        ([FILES], {"created": "today"}, ["configuration: created '' and 'today'"]),
        ([FILES], {"mtime": 7}, [f"layer 1 of 1: {path}: mtime 0 and 7" for path in FILES]),
        (
            [FILES],
            {"mode": 0o600, "uid": 5},
            [f"layer 1 of 1: {path}: mode 0755 and 0600, owner 0:0 and 5:0" for path in FILES],
        ),
    ],
)
def test_a_difference_is_told_by_its_layer_its_file_and_what_it_is(
    first: Layout, second: Layout, layers: list[dict[str, bytes]], how: dict[str, Any], told: list[str]
) -> None:
    other = image(second, *layers, **how)
    assert differences.between((first, image(first, FILES)), (second, other)) == told


def test_of_many_differences_the_first_are_told_and_how_many_there_are(first: Layout, second: Layout) -> None:
    many = {f"{number:03}": b"" for number in range(differences.MOST + 7)}
    found = differences.between((first, image(first, {})), (second, image(second, many)))
    assert len(found) == differences.MOST + 1
    assert found[-1] == "layer 1 of 1: and 7 more"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A cache with two images, of which one has the time of its build in it."""
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    monkeypatch.setattr(reproduction.lock, "building", lambda _: nullcontext())
    layout = image_builder.cached().layout
    digests = {"pause": image(layout, FILES), "mlflow": image(layout, {"built": b"at nine"})}

    def build_again(name: str, builder: Builder) -> str:
        assert not builder.folder.exists(), "an empty folder for each"
        return image(builder.layout, FILES if name == "pause" else {"built": b"at ten"})

    monkeypatch.setattr(images, "built_digest", digests.get)
    monkeypatch.setattr(images, "build_again", build_again)
    return layout


@pytest.mark.parametrize(
    ("words", "status", "lines"),
    [
        (["pause"], 0, ["pause: the same"]),
        (["mlflow"], 1, ["mlflow: differs", "mlflow: layer 1 of 1: built: bytes"]),
        ([], 1, ["mlflow: differs", "mlflow: layer 1 of 1: built: bytes", "pause: the same"]),
    ],
)
def test_a_build_that_differs_fails_the_command_which_leaves_nothing(
    built: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, lines: list[str]
) -> None:
    before = {path: path.read_bytes() for path in built.folder.rglob("*") if path.is_file()}
    assert command.main(["reproduce", *words]) == status
    assert capsys.readouterr().out.splitlines() == lines
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_is_not_built_is_named_with_the_way_out(built: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["reproduce", "pause", "ray"]) == 2
    assert capsys.readouterr().err == "error: not built as declared now: ray; run `make build`, then again\n"


def test_those_that_fetch_nothing_are_built_again_unless_all_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "built_digest", lambda name: f"sha256:{name}")
    monkeypatch.setattr(layers, "names", lambda: ["training-0123456789ab"])
    quick = reproduction.names([], everything=False)
    assert {"pause", "mlflow", "versitygw"} < set(quick)
    assert set(quick).isdisjoint({"debian", "base", "postgres", "ml", "ray", "mlserver", "envoy", "traefik", "spark"})
    assert reproduction.names([], everything=True) == [images.DEBIAN, *images.table(), *layers.names()]
    assert reproduction.names(["ray"], everything=False) == ["ray"]
