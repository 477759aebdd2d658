"""What `make bench` keeps of its parts, and what it says of the machine meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ml_bench.report import Report
from ml_local.errors import LocalError


def fail() -> float:
    raise LocalError("the node is gone")


def test_a_part_that_fails_loses_no_other(tmp_path: Path) -> None:
    report = Report(tmp_path / "bench.json")
    report.part("first_s", lambda: 1.5)
    report.part("second_s", fail)
    report.part("third_s", lambda: 2.5)
    written = json.loads(report.path.read_text())
    assert (written["first_s"], written["third_s"]) == ([1.5], [2.5])
    assert written["second_s"] == {"failed": "the node is gone"}
    with pytest.raises(LocalError, match="not measured: second_s"):
        report.check()


def test_a_part_that_comes_again_adds_to_its_figure_and_a_failure_takes_nothing_from_it(tmp_path: Path) -> None:
    report = Report(tmp_path / "bench.json")
    for measure in (lambda: 10.0, lambda: [11.0, 12.0], fail):
        report.part("down_s", measure)
    assert report.figures["down_s"] == [10.0, 11.0, 12.0]
    assert report.failed == ["down_s"]


def test_each_part_has_the_conditions_that_it_ran_under(tmp_path: Path) -> None:
    report = Report(tmp_path / "bench.json")
    report.part("first_s", lambda: 1.0)
    (conditions,) = json.loads(report.path.read_text())["conditions"]["during"]["first_s"]
    assert set(conditions) == {"seconds", "busy_percent", "steal_percent", "load_after"}
    assert 0 <= conditions["busy_percent"] + conditions["steal_percent"] <= 100


def test_a_figure_is_shown_by_its_median_with_all_that_it_is_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(tmp_path / "bench.json")
    report.part("down_s", lambda: [12.0, 8.0, 9.5])
    report.show()
    (line,) = [each for each in capsys.readouterr().out.splitlines() if each.startswith("  down_s")]
    assert line.split(maxsplit=1)[1] == "9.5   of 12.0, 8.0, 9.5   (to reach: <= 10)"
