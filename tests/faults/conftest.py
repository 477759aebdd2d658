"""The faults' platform is the end-to-end tier's. What a test changes of the settings the next test's settings undo, and
at the end of a module those of the checkout are applied again; what a test breaks of the node is mended after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support import machine
from support.probe import Probe


@pytest.fixture(scope="module")
def restored(platform: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The platform's outputs; after the module its settings are as they were."""
    yield platform
    done = machine.up()
    assert done.returncode == 0, done.stdout


@pytest.fixture
def mended(platform: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The platform's outputs; after the test `make up` brings back what it left down."""
    yield platform
    done = machine.make("up", timeout=3000)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def probe(restored: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Probe:
    """Trained, judged and champion once."""
    probe = Probe(tmp_path_factory.mktemp("probe"))
    done = probe.up()
    assert done.returncode == 0, done.stdout
    assert probe.version() == "1"
    return probe
