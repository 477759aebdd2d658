"""The files of a version on a volume: those that its gate has judged, in a folder of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_runtime import download, export
from ml_runtime.errors import RunError, SpecError


def described(folder: Path, **changes: Any) -> dict[str, Any]:
    place = {"output": "pvc://shelf/models/", "folder": str(folder)}
    return {"run": "kept-1", "patience": 1, "model": "iris", "version": "7", **place, **changes}


def test_each_version_has_a_folder_with_its_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(download, "download", lambda *words: asked.append(words) or ["MLmodel", "model.skops"])
    verdict = export.export(export.parse(described(tmp_path)))
    assert asked == [("mlflow://iris/7", tmp_path / "models" / "7", 1)]
    assert (verdict.outputs, verdict.numbers) == ({"files": "pvc://shelf/models/7"}, {"files": 2})
    whole = export.parse(described(tmp_path, output="pvc://shelf/"))
    assert whole.target == tmp_path / "7"


def test_a_volume_that_can_not_be_written_to_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(RunError, match=r"the volume of pvc://shelf/models/ can't be written to: .*another claim"):
        export.export(export.parse(described(tmp_path)))


@pytest.mark.parametrize("output", ["s3://datasets/", "pvc://shelf", "pvc:///", "pvc://shelf/../", "pvc://shelf//", 3])
def test_a_place_that_is_no_folder_of_a_volume_is_refused(output: Any, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"output is .*pvc://<claim>/<path>/"):
        export.parse(described(tmp_path, output=output))
