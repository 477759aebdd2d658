"""How a run of the tests goes: what is collected, in two streams or one, and what needs not be proven again.

Which tiers there are is in support/tiers.py, what was green before in support/proofs.py. What can't run here is not
collected, and the run says so in a line.
"""

from __future__ import annotations

import fcntl
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from functools import cache as memoize
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))
pytest.register_assert_rewrite("support")  # so that a failed assertion there shows its values as well
os.environ["GIT_ALLOW_PROTOCOL"] = "file"  # a test that would fetch a release from the network fails at once

from support import causes, proofs, tiers  # noqa: E402 - its folder is on the path from here on

PROVEN, SEED = "ML_PLATFORM_TESTS_PROVEN", "ML_PLATFORM_SEED"  # told to the workers, so that all collect the same


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="also the tests marked long, which don't fit into CI")
    parser.addoption("--proofs", action="store_true", help="whole tiers; one that is proven is left out")
    parser.addoption("--anew", action="store_true", help="with --proofs: also what is proven")


def pytest_configure(config: pytest.Config) -> None:
    from ml_local import paths

    if mirror := paths.mirror():
        os.environ["ML_PLATFORM_MIRROR"] = str(mirror)  # for all that is started from here
    if not hasattr(config, "workerinput"):
        os.environ[SEED] = os.environ.get(SEED) or str(random.randrange(10**6))
        os.environ[PROVEN] = ",".join(_proven(config))
        if config.option.proofs:
            config.pluginmanager.register(proofs.Prover(config.option.all), "prover")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> tiers.Streams:
    return tiers.Streams(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    tier = tiers.of(collection_path)
    out = tier in tiers.left_out(config.option.all) or tier in os.environ[PROVEN].split(",")
    return True if (out and collection_path != TESTS) or collection_path in tiers.without_mirror() else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(tiers.of(item.path))
    left_out = [] if config.option.all else ["long"]
    left_out += ["mirror"] if tiers.without_mirror() else []
    out = [item for item in items if any(map(item.get_closest_marker, left_out))]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]
    items.sort(key=lambda item: tiers.place(item.path))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and os.environ[PROVEN]:
        session.exitstatus = pytest.ExitCode.OK  # all of it is proven


def pytest_report_header(config: pytest.Config) -> list[str]:
    lines = [f"what is drawn: {SEED}={os.environ[SEED]}"]
    lines += [f"tier {tier}: not collected, {why}" for tier, why in tiers.left_out(config.option.all).items()]
    lines += [
        f"tier {tier}: not run, nothing that it depends on has changed since it was green here on {when}"
        for tier, when in _proven(config).items()
    ]
    if absent := tiers.without_mirror():
        names = ", ".join(path.relative_to(TESTS).as_posix() for path in absent)
        lines.append(
            f"not run without a mirror of upstream releases (ML_PLATFORM_MIRROR=DIR): {names}, marked `mirror`"
        )
    return lines


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    stats = terminalreporter.stats
    for cause, failed in causes.of(stats.get("failed", []) + stats.get("error", [])).items():
        terminalreporter.section(failed[0] + (f" and {len(failed) - 1} more" if failed[1:] else ""), "-")
        terminalreporter.line(cause)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if tiers.of(item.path) in tiers.NEED_BUILD:
        _build(item.config)


@memoize
def _build(config: pytest.Config) -> None:
    """What the tiers with a real API server need: builds go into the cache, once, and show their progress."""
    from ml_local import paths

    capture = config.pluginmanager.getplugin("capturemanager")
    with (paths.cache() / "tests.lock").open("w") as lock, capture.global_and_fixture_disabled():
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other stream's build is this one's too
        subprocess.run(["make", "--no-print-directory", "build"], cwd=TESTS.parent, check=True, stdout=sys.stderr)


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outputs of the stack: one platform for all tests that don't bring up another.

    A run of whole tiers brings it up as a start that is killed and gone on with; else it may be there already.
    """
    from support import killed, machine

    if request.config.option.proofs:
        with pytest.MonkeyPatch.context() as patch:
            killed.converges(killed.FIRST_START, tmp_path_factory.mktemp("killed"), patch)
    done = machine.make("up", timeout=3000)
    assert done.returncode == 0, done.stdout
    return machine.outputs()


@memoize
def _proven(config: pytest.Config) -> dict[str, str]:
    """The tiers that need not run again, each with when it was green."""
    if not config.option.proofs or config.option.anew:
        return {}
    narrowed = config.option.keyword or config.option.markexpr or config.option.file_or_dir
    if narrowed:
        raise pytest.UsageError(f"--proofs is for whole tiers, not for {narrowed}")
    everything = config.option.all
    wanted = [tier for tier in tiers.TIERS if tier not in tiers.left_out(everything)]
    return {tier: when for tier in wanted if (when := proofs.proven(tier, everything))}
