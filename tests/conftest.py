"""Tiers of tests: a folder is a tier, the quick ones run first, and what can't run here is not collected but said.

What needs the mirror of upstream releases has `upstream` in its path, or the mark `mirror`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TIERS = ("unit", "golden", "engine", "acceptance", "e2e", "faults", "upstream", "environments")
NEEDS_ROOT = TIERS[2:]

sys.path.insert(0, str(TESTS))
pytest.register_assert_rewrite("support")  # so that a failed assertion there shows its values as well
os.environ["GIT_ALLOW_PROTOCOL"] = "file"  # a test that would fetch a release from the network fails at once


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="also the tests marked long, which don't fit into CI")


def pytest_configure() -> None:
    from ml_local import paths

    if mirror := paths.mirror():
        os.environ["ML_PLATFORM_MIRROR"] = str(mirror)  # for all that is started from here


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if _tier(collection_path) in _impossible() or collection_path in _without_mirror() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(_tier(item.path))
    left_out = [] if config.getoption("--all") else ["long"]
    left_out += ["mirror"] if _without_mirror() else []
    out = [item for item in items if any(map(item.get_closest_marker, left_out))]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]
    items.sort(key=lambda item: TIERS.index(_tier(item.path)))


def pytest_report_header() -> list[str]:
    lines = [f"tier {tier}: not collected, {why}" for tier, why in _impossible().items()]
    if absent := _without_mirror():
        names = ", ".join(path.relative_to(TESTS).as_posix() for path in absent)
        lines.append(
            f"not run without a mirror of upstream releases (ML_PLATFORM_MIRROR=DIR): {names}, marked `mirror`"
        )
    return lines


@pytest.fixture(scope="session", autouse=True)
def built(request: pytest.FixtureRequest) -> None:
    """What the tiers with a real API server need: builds go into the cache, once, and show their progress."""
    if not any(_tier(item.path) in NEEDS_ROOT for item in request.session.items):
        return
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        subprocess.run(["make", "--no-print-directory", "build"], cwd=TESTS.parent, check=True)


def _tier(path: Path) -> str:
    parts = path.relative_to(TESTS).parts if path.is_relative_to(TESTS) else ()
    return parts[0] if parts and parts[0] in TIERS else "unit"


def _impossible() -> dict[str, str]:
    return {} if os.geteuid() == 0 else dict.fromkeys(NEEDS_ROOT, "it needs root")


def _without_mirror() -> list[Path]:
    """What can't be collected for want of a mirror: a tier, and modules of others."""
    from ml_local import paths

    return [] if paths.mirror() else [TESTS / "upstream", *sorted(TESTS.glob("[!u]*/test_*upstream*.py"))]
