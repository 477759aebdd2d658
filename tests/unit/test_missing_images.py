"""A stack whose settings name no images: one error has all that it runs, and nothing is rendered for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ml_platform import missing_images
from ml_platform.bundles import pipeline
from ml_platform.configuration import SettingsError
from support import stacks
from support.work import IRIS, changed


@pytest.mark.parametrize(
    ("stack", "missing"),
    [
        ("existing", "mlflow, mlserver, postgres, traefik, training, versitygw"),
        ("eks", "mlflow, mlserver, postgres, training"),
    ],
)
def test_all_that_a_stack_lacks_is_in_one_error_with_the_command_that_makes_it(
    stack: str, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks.log_in(monkeypatch, tmp_path)
    monkeypatch.setattr(pipeline, "load", lambda *_: pytest.fail("a release was rendered"))
    with pytest.raises(SettingsError) as refused:
        stacks.record(stack, {"images": {}}, config=stacks.whole(stack) if stack in stacks.CLOUDS else None)
    message = str(refused.value)
    assert f"ml-platform:platform.images has no {missing}, and this stack runs them" in message
    assert f"make images REGISTRY=<host>/<path> STACK={stack}" in message


def test_layers_with_a_models_own_packages_are_among_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)
    work = changed(IRIS, models={"iris": {"packages": {"debian": ["python3-torch"]}}})
    config = {**stacks.blocks("existing"), "ml-platform:workloads": work}
    with pytest.raises(SettingsError) as refused:
        stacks.record("existing", {"images": {}}, config=config)
    missing = "mlflow, mlserver, mlserver-[0-9a-f]{12}, postgres, traefik, training, training-[0-9a-f]{12}, versitygw"
    assert re.search(f"platform.images has no {missing}, and this stack runs them", str(refused.value))


def test_what_the_nodes_registry_lacks_is_built_by_make_up() -> None:
    with pytest.raises(
        SettingsError, match=r"has no training-1, and this stack runs them.*\n  make up\n.*CONFIG=<file>"
    ):
        missing_images.check(["training", "training-1"], ["training"], pulls=False)


@pytest.mark.mirror
def test_a_team_is_told_what_its_own_work_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)
    with pytest.raises(SettingsError, match=r"platform\.images has no mlserver, training, and this stack runs them"):
        stacks.record("team", {"images": {}})
