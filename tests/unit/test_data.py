"""Data as they are declared: looked at in the object store, now and by the clock, where their bytes may change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform.configuration import SettingsError
from support import work
from support.recorder import UNKNOWN, NothingYet, Outputs, Recorder
from support.work import IRIS, changed

CRON = "kubernetes:batch/v1:CronJob"
STORED = {"uri": "s3://datasets/iris/", "format": "csv", "csv": {"separator": ";"}}


def declare(world: Outputs | NothingYet | None = None, **data: Any) -> Recorder:
    return work.declare(changed(IRIS, data={"iris": data}), world=world)


def looks(tree: Recorder) -> list[str]:
    return [each.name for each in tree.requests.values() if each.name.startswith("data-") and each.type == work.JOB]


@pytest.fixture(scope="module")
def tree() -> Recorder:
    return declare(**STORED)


@pytest.mark.parametrize(
    ("data", "names", "watched"),
    [
        ({}, [], False),
        (STORED, ["data-iris"], True),
        ({**STORED, "watch": None}, ["data-iris"], False),
        ({**STORED, "version": "2026-11"}, [], False),
        ({"upload": "s3://datasets/iris.csv"}, ["data-iris"], False),
    ],
    ids=["of a package", "stored", "looked at once", "of a version", "put into the store"],
)
def test_only_data_whose_bytes_may_change_are_looked_at(data: dict[str, Any], names: list[str], watched: bool) -> None:
    tree = declare(**data)
    assert looks(tree) == names
    assert any(each.type == CRON for each in tree.requests.values()) is watched


def test_a_look_is_told_where_the_data_are_and_how_they_are_written_but_not_what_is_learned(tree: Recorder) -> None:
    told = work.told(tree, "data-iris")
    assert told["data"].keys() == {"uri", "format", "csv"}
    assert told["data"]["csv"]["separator"] == ";"
    assert told["run"] == work.key(tree, "data-iris")
    put = declare(upload="s3://datasets/iris.csv")
    assert work.told(put, "data-iris")["data"] == {"uri": "sklearn:iris"}
    assert work.told(put, "data-iris")["output"] == "s3://datasets/iris.csv"


@pytest.mark.parametrize(
    ("data", "again"),
    [
        ({"target": "colour", "test": {"salt": "b"}, "watch": "0 3 * * *"}, False),
        ({"csv": {"separator": ","}}, True),
        ({"uri": "s3://datasets/other/"}, True),
    ],
    ids=["what is learned, and when it is looked at", "how they are written", "where they are"],
)
def test_a_look_is_new_when_it_looks_at_something_else(data: dict[str, Any], again: bool, tree: Recorder) -> None:
    other = declare(**{**STORED, **data})
    assert (work.key(other, "data-iris") != work.key(tree, "data-iris")) is again


def test_by_the_clock_the_same_look_writes_the_same_verdict_and_two_never_do_at_once(tree: Recorder) -> None:
    again = tree.inputs(CRON, "data-iris-watch")
    assert (again["metadata"]["name"], again["metadata"]["namespace"]) == ("data-iris", "models")
    assert (again["spec"]["schedule"], again["spec"]["concurrencyPolicy"]) == ("*/10 * * * *", "Forbid")
    assert again["spec"]["jobTemplate"]["spec"] == tree.inputs(work.JOB, "data-iris")["spec"]
    (volume, *_) = again["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
    assert volume["configMap"]["name"] == f"{work.key(tree, 'data-iris')}-description"
    assert any(urn.endswith("RunOutcome::data-iris") for urn in tree.find(CRON, "data-iris-watch").dependencies)


class Found(Outputs):
    """A look finds bytes of this digest."""

    def __init__(self, digest: str) -> None:
        super().__init__()
        self._digest = digest

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        name, found = super().new_resource(args)
        return name, {**found, "outputs": {"sha256": self._digest}} if name == "data-iris" else found


def test_other_bytes_are_a_new_run_and_in_a_preview_its_name_is_unknown() -> None:
    keys = [work.key(declare(Found(digest), **STORED)) for digest in ("aa", "aa", "bb")]
    assert keys[0] == keys[1] != keys[2]
    assert work.key(declare(NothingYet(), **STORED)) == UNKNOWN


def test_a_package_that_is_put_into_the_store_is_read_from_there_by_all() -> None:
    put = changed(
        IRIS,
        data={"iris": {"upload": "s3://datasets/iris.csv"}},
        runs={"clean": {"operator": "spark", "data": "iris"}, "iris": {"data": "clean.table"}},
    )
    tree = work.declare(put)
    assert json.loads(tree.inputs(work.CONFIGMAP, "clean-run")["data"]["run.json"])["data"]["uri"].endswith("iris.csv")
    assert work.told(tree)["data"]["uri"].startswith("s3://datasets/tables/test/clean/clean-")


DVC = "outs:\n- md5: {}.dir\n  size: 10\n  path: iris\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of Pulumi.yaml."""
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    return tmp_path


def kept(**dvc: Any) -> Recorder:
    return declare(uri=None, dvc={"file": "iris.dvc", "remote": "s3://datasets/dvc/", **dvc})


def test_data_that_dvc_keeps_are_known_by_the_digest_in_git(folder: Path) -> None:
    trees = []
    for digest in ("aa", "bb"):
        (folder / "iris.dvc").write_text(DVC.format(digest))
        trees.append(kept())
        assert work.told(trees[-1])["data"]["uri"] == {"dvc": {"md5": f"{digest}.dir", "remote": "s3://datasets/dvc"}}
        assert looks(trees[-1]) == []
    assert work.key(trees[0]) != work.key(trees[1])


@pytest.mark.parametrize("text", [None, "", "outs: []", "outs: [{path: a}]", "outs: [{md5: a}, {md5: b}]", "a: ["])
def test_a_file_that_is_none_of_dvc_for_one_thing_is_refused(text: str | None, folder: Path) -> None:
    if text is not None:
        (folder / "iris.dvc").write_text(text)
    with pytest.raises(SettingsError, match=r"workloads\.data\.iris\.dvc\.file is 'iris\.dvc', which ") as refused:
        kept()
    assert "pulumi config set --path 'ml-platform:workloads.data.iris.dvc.file' <path>" in str(refused.value)
