"""Knative and KServe as released share requests between two versions as the lean ones do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_load.load import Load
from support import gateway, machine, versions
from support.flowers import FLOWERS
from support.node_stack import NodeStack

URL = "http://iris.models.localhost:8080/v2/models/iris/infer"
RATE = 25.0


@pytest.fixture
def tried(stack: NodeStack) -> Iterator[int]:
    """Another version with the files of the champion; afterwards it is served no more."""
    yield versions.another()
    done = machine.up(stack.config)
    assert done.returncode == 0, done.stdout


def test_a_canary_gets_its_share_and_goes_and_no_request_fails(stack: NodeStack, tried: int, tmp_path: Path) -> None:
    champion = str(versions.champion().version)
    canary = {"serving": {"iris": {"canary": {"version": tried, "percent": 20}}}}
    with Load(URL, gateway.rows(FLOWERS["Iris-setosa"]), RATE) as load:
        load.next(20)
        done = machine.up(machine.settings("workloads", canary, tmp_path, stack.config))
        assert done.returncode == 0, done.stdout
        shares = load.next(200)
        back = machine.up(stack.config)
        assert back.returncode == 0, back.stdout
        alone = load.next(100)
    assert load.problems == []
    assert set(shares) == {champion, str(tried)}
    assert shares[str(tried)] == pytest.approx(40, abs=4)
    assert alone == {champion: 100}
