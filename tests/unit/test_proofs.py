"""A tier that was green is not run again until something changes that it may depend on."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ml_local import images, paths
from support import proofs, tiers

FILES = ("platform/a.py", "docs/page.md", "policies/b.py", "tests/e2e/test_c.py", "tests/faults/test_d.py")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of its own, with a cache of its own."""
    folder = tmp_path / "checkout"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("1\n")
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ML_PLATFORM_MIRROR", str(tmp_path / "none"))
    monkeypatch.setattr(paths, "checkout", lambda: folder)
    monkeypatch.setattr(images, "built", lambda: {"training": "sha256:1"})
    return folder


@pytest.mark.parametrize(
    ("tier", "name", "stays"),
    [
        ("faults", "platform/a.py", False),
        ("faults", "tests/faults/test_d.py", False),
        ("faults", "tests/e2e/test_c.py", True),
        ("faults", "docs/page.md", True),
        ("faults", "policies/b.py", True),
        ("unit", "docs/page.md", False),
        ("engine", "policies/b.py", False),
    ],
)
def test_a_change_of_a_file_asks_for_the_tiers_that_may_depend_on_it(
    tier: str, name: str, stays: bool, checkout: Path
) -> None:
    proofs.record({tier}, everything=False)
    assert proofs.proven(tier, everything=False)
    (checkout / name).write_text("2\n")
    assert bool(proofs.proven(tier, everything=False)) is stays


def test_a_file_that_is_new_or_gone_is_a_change(checkout: Path) -> None:
    proofs.record({"faults"}, everything=False)
    (checkout / "platform/new.py").write_text("")
    assert proofs.proven("faults", everything=False) is None
    (checkout / "platform/new.py").unlink()
    assert proofs.proven("faults", everything=False)
    (checkout / "platform/a.py").unlink()
    assert proofs.proven("faults", everything=False) is None


def test_an_image_that_is_built_otherwise_is_a_change_to_what_runs_it(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proofs.record({"unit", "e2e"}, everything=False)
    monkeypatch.setattr(images, "built", lambda: {"training": "sha256:2"})
    assert proofs.proven("unit", everything=False)
    assert proofs.proven("e2e", everything=False) is None


def test_what_is_proven_with_the_long_tests_is_proven_without_and_not_the_other_way_round(checkout: Path) -> None:
    proofs.record({"e2e"}, everything=False)
    assert proofs.proven("e2e", everything=True) is None
    proofs.record({"faults"}, everything=True)
    assert proofs.proven("faults", everything=False)


def reported(**outcomes: str) -> proofs.Prover:
    prover = proofs.Prover(everything=False)
    for tier, outcome in outcomes.items():
        for when, how in (("setup", "passed"), ("call", outcome), ("teardown", "passed")):
            nodeid, place = f"tests/{tier}/test_x.py::test_x", ("x.py", 1, "x")
            prover.pytest_runtest_logreport(pytest.TestReport(nodeid, place, {}, how, None, when))
    return prover


def finish(prover: proofs.Prover, exitstatus: int, shouldstop: Any = False) -> None:
    prover.pytest_sessionfinish(SimpleNamespace(shouldstop=shouldstop), exitstatus)


def test_of_a_run_the_tiers_without_a_failure_are_proven(checkout: Path) -> None:
    finish(reported(e2e="passed", faults="failed"), pytest.ExitCode.TESTS_FAILED)
    assert proofs.proven("e2e", everything=False)
    assert proofs.proven("faults", everything=False) is None


def test_a_tier_whose_files_change_while_it_runs_is_not_proven(checkout: Path) -> None:
    prover = reported(e2e="passed", faults="passed")
    (checkout / "tests/faults/test_d.py").write_text("2\n")
    finish(prover, pytest.ExitCode.OK)
    assert proofs.proven("e2e", everything=False)
    assert proofs.proven("faults", everything=False) is None


@pytest.mark.parametrize(
    ("exitstatus", "shouldstop"),
    [(pytest.ExitCode.INTERRUPTED, False), (pytest.ExitCode.INTERNAL_ERROR, False), (pytest.ExitCode.OK, "stopping")],
)
def test_a_run_that_did_not_come_to_its_end_proves_nothing(exitstatus: int, shouldstop: Any, checkout: Path) -> None:
    finish(reported(e2e="passed"), exitstatus, shouldstop)
    assert proofs.proven("e2e", everything=False) is None


def test_all_tests_on_the_node_are_one_stream_and_the_others_go_file_by_file() -> None:
    split = tiers.Streams._split_scope
    here = [split(None, f"tests/{name}") for name in ("e2e/test_a.py::a", "faults/test_b.py::b[1]")]
    there = [split(None, f"tests/unit/{name}") for name in ("test_a.py::a", "test_a.py::b", "test_b.py::a")]
    assert len(set(here)) == 1
    assert there[0] == there[1] != there[2]
    assert not {*here} & {*there}
