"""One control plane for the tier; a module leaves nothing on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.control_plane import ControlPlane


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running
