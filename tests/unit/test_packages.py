"""Packages of a model's own: which files are taken, what layers are called, and what of the model runs in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform.configuration import SettingsError, validate
from ml_workloads import packages, requirements
from ml_workloads.requirements import RefusedLineError
from ml_workloads.settings import WorkloadsSettings
from support import serving, work
from support.recorder import Recorder
from support.work import IRIS, changed

ONE = f"--hash=sha256:{'1' * 64}"
TWO = f"--hash=sha256:{'2' * 64}"
FILE = f"einops==0.8.1 \\\n    {ONE} \\\n    {TWO}\n    # via -r some.in\n"
PINNED = f"einops==0.8.1 {ONE} {TWO}"
TORCH = {"debian": ["python3-torch"]}
SEARCH = {"operator": "ray", "of": "iris", "space": {"C": {"uniform": [0.1, 1]}}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of Pulumi.yaml, with a file that is as it must be."""
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    (tmp_path / "cnn.txt").write_text(FILE)
    return tmp_path


def having(chosen: dict[str, Any], **blocks: Any) -> dict[str, Any]:
    """The work of iris, its model with these packages."""
    return changed(changed(IRIS, models={"iris": {"packages": chosen}}), **blocks)


def layers(settings: dict[str, Any]) -> dict[str, packages.Layer]:
    return packages.layers(WorkloadsSettings.model_validate_json(json.dumps(settings)))


def declared(settings: dict[str, Any], letter: str = "a") -> Recorder:
    """With a reference for each layer."""
    return work.declare(settings, images={name: reference(name, letter) for name in layers(settings)})


def reference(name: str, letter: str = "a") -> str:
    return f"registry.test/{name}@sha256:{letter * 64}"


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        (FILE, (PINNED,)),
        ("# a comment\n\n" + FILE, (PINNED,)),
        (f"einops==0.8.1 {ONE} {TWO}  # why", (PINNED,)),
        (f"ray[default, tune]==2.60.0 {ONE}", (f"ray[default, tune]==2.60.0 {ONE}",)),
        (f'a==1.0+cpu ; python_version < "3.12" \\\n {ONE}', (f'a==1.0+cpu ; python_version < "3.12" {ONE}',)),
        (f"a==1!2.0rc1 {ONE}\r\nb==1 {TWO}", (f"a==1!2.0rc1 {ONE}", f"b==1 {TWO}")),
        (f"# hides nothing \\\na==1 {ONE}", (f"a==1 {ONE}",)),
        ("", ()),
    ],
)
def test_a_file_is_what_it_pins_whatever_else_is_written_in_it(text: str, pinned: tuple[str, ...]) -> None:
    assert requirements.lines(text) == pinned


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("torch==2.4.0", "it has no --hash=sha256:"),
        (f"torch>=2.4 {ONE}", "pinned as name==version"),
        (f"torch {ONE}", "pinned as name==version"),
        (f"torch==2.* {ONE}", "pinned as name==version"),
        (f"torch===2.4 {ONE}", "pinned as name==version"),
        (f"a==1; import os {ONE} && x", "64 hex digits"),
        ("torch==2.4.0 --hash=md5:0123", "64 hex digits"),
        (f"torch==2.4.0 {ONE} --no-binary=:all:", "64 hex digits"),
        ("-e .", "an editable package has no hash"),
        ("--editable=git+ssh://host/x", "an editable package has no hash"),
        ("--index-url https://host/simple", "an option that names a host"),
        ("-i https://host/simple", "an option that names a host"),
        ("--extra-index-url=https://host/simple", "an option that names a host"),
        ("--find-links /wheels", "an option that names a host"),
        ("--trusted-host host", "an option that names a host"),
        ("-r other.txt", "names no other"),
        ("--constraint other.txt", "names no other"),
        ("--no-binary :all:", "no options"),
        (f"git+https://host/x@main {ONE}", "a URL, a repository or a folder"),
        (f"x @ https://host/x.whl {ONE}", "a URL, a repository or a folder"),
        (f"https://host/x.whl {ONE}", "a URL, a repository or a folder"),
        (f"./wheels/x.whl {ONE}", "a URL, a repository or a folder"),
    ],
)
def test_a_line_that_is_not_pinned_by_hash_is_named_with_its_rule(line: str, rule: str) -> None:
    with pytest.raises(RefusedLineError) as refused:
        requirements.lines(f"{FILE}{line}\n")
    assert str(refused.value).startswith("line 5, ")
    assert rule in str(refused.value)


def test_a_refused_file_is_named_with_its_line_and_the_way_out(folder: Path) -> None:
    (folder / "cnn.txt").write_text("# by hand\ntorch==2.4.0\n")
    with pytest.raises(SettingsError) as refused:
        layers(having({"requirements": "cnn.txt"}))
    for words in (
        "ml-platform:workloads.models.iris.packages.requirements is 'cnn.txt', line 2, 'torch==2.4.0'",
        "uv pip compile --generate-hashes",
        "pip-compile --generate-hashes",
    ):
        assert words in str(refused.value)


@pytest.mark.parametrize(("text", "words"), [(None, "can't be read: No such file"), ("# none\n", "it pins no package")])
def test_a_file_that_is_not_there_or_empty_is_refused(text: str | None, words: str, folder: Path) -> None:
    (folder / "cnn.txt").unlink()
    if text is not None:
        (folder / "cnn.txt").write_text(text)
    with pytest.raises(SettingsError, match=words):
        layers(having({"requirements": "cnn.txt"}))


def test_a_layer_is_named_by_its_base_and_what_it_has_and_shared_by_whoever_has_the_same(folder: Path) -> None:
    both = having({"requirements": "cnn.txt", "debian": ["libb1", "liba1", "libb1"]}, runs={"wide": SEARCH})
    found = layers(both)
    assert sorted(name.rpartition("-")[0] for name in found) == ["mlserver", "training", "tuning"]
    assert all(len(name.rpartition("-")[2]) == 12 for name in found)
    (folder / "same.txt").write_text(f"# another comment\n{PINNED}\n")
    other = {"packages": {"requirements": "same.txt", "debian": ["liba1", "libb1"]}}
    shared = changed(both, models={"other": other}, runs={"other": {"data": "iris", "model": "other"}})
    assert layers(shared) == found
    (folder / "same.txt").write_text(f"{PINNED}\nb==1 {ONE}\n")
    assert len(layers(shared)) == 5


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({}, "it has requirements, debian, or both"),
        ({"debian": ["python3-torch-"]}, "should match pattern"),
        ({"debian": ["--allow-unauthenticated"]}, "should match pattern"),
        ({"requirements": "cnn.in"}, "should match pattern"),
    ],
)
def test_other_packages_than_there_are_names_for_are_refused(chosen: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        validate("workloads", having(chosen), WorkloadsSettings)


def test_the_layers_are_those_that_the_work_runs(folder: Path) -> None:
    assert layers(IRIS) == {}
    served = {"models": {"iris": {"packages": TORCH}}, "serving": {"iris": {"model": "iris", "version": 3}}}
    assert [each.base for each in layers(served).values()] == ["mlserver"]
    assert layers({"models": {"iris": {"packages": TORCH}}}) == {}


def test_runs_gate_and_servers_of_a_model_run_in_its_layers_and_nothing_else_does(folder: Path) -> None:
    settings = having(
        {"requirements": "cnn.txt", **TORCH},
        runs={"wide": SEARCH, "plain": {"data": "iris", "model": "plain"}},
        models={"plain": {}},
        serving={"iris": {"model": "iris", "canary": {"version": 2}}, "plain": {"model": "plain"}},
    )
    by_base = {layer.base: reference(name) for name, layer in layers(settings).items()}
    tree = declared(settings)
    pods = {run: work.pod(tree, run) for run in ("iris", "wide", "iris-gate", "wide-gate", "plain", "plain-gate")}
    images = {run: pod["containers"][0]["image"] for run, pod in pods.items()}
    assert (images["iris"], images["wide"]) == (by_base["training"], by_base["tuning"])
    assert images["iris-gate"] == images["wide-gate"] == by_base["mlserver"]
    assert not {images["plain"], images["plain-gate"]} & set(by_base.values())
    assert pods["iris-gate"]["initContainers"][0]["image"] == images["plain"]
    models = {name: tree.inputs(serving.ISVC, name)["spec"]["predictor"]["model"] for name in ("iris", "plain")}
    models["canary"] = tree.inputs(serving.ISVC, "iris-canary")["spec"]["predictor"]["model"]
    assert models["iris"]["image"] == models["canary"]["image"] == by_base["mlserver"]
    assert "image" not in models["plain"]


def test_other_packages_are_a_new_run_and_a_layer_that_is_built_again_is_a_new_judgement_alone(folder: Path) -> None:
    settings = having({"requirements": "cnn.txt"})
    before = work.keys(declared(settings))
    assert work.keys(work.declare(IRIS))["iris"] != before["iris"]
    again = work.keys(declared(settings, letter="b"))
    assert (again["iris"], again["iris-gate"] == before["iris-gate"]) == (before["iris"], False)
    (folder / "cnn.txt").write_text(f"# the same\n{PINNED}\n")
    assert work.keys(declared(settings)) == before
    (folder / "cnn.txt").write_text(FILE.replace("0.8.1", "0.8.2"))
    other = work.keys(declared(settings))
    assert not set(other.values()) & set(before.values())
