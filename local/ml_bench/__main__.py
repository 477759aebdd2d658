"""`make bench`: the figures that the project promises, measured in one run. Owns the order of the parts.

It removes the platform that is there and leaves a new one; with `--cold` it first starts from an empty cache too, and
with `--growth` it measures the growth with the number of objects alone, on a node of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from ml_local import console, entry, images, lock, paths, stack, stackfile, up
from ml_local.node import cgroup, node, pki
from ml_local.node import layout as names
from ml_local.node.layout import Layout, layout
from ml_local.predict import served, wait_for_answers

from ml_bench import releases
from ml_bench.canary import canary
from ml_bench.gateway import compare
from ml_bench.growth import growth
from ml_bench.report import Report, timed

REPEATS = 5
SETTLE = 60.0


def main() -> int:
    """Run it, and give the number that it ends with."""
    parser = argparse.ArgumentParser(prog="ml_bench", description=__doc__)
    parser.add_argument("--cold", action="store_true", help="also from an empty cache: half an hour")
    parser.add_argument("--growth", action="store_true", help="only how time and memory grow with objects")
    options = parser.parse_args()
    measure = _growth_alone if options.growth else partial(_measure, cold=options.cold)
    return entry.run(lambda: bench(layout(), measure))


def bench(layout: Layout, measure: Callable[[Layout, Report], None]) -> None:
    """Measure, print and write `bench.json`.

    Raises:
        LocalError: a part could not be measured; the others were.
    """
    report = Report(paths.checkout() / "bench.json")
    with lock.exclusive("make bench"):
        try:
            measure(layout, report)
        finally:
            report.show()
    report.check()


def _measure(layout: Layout, report: Report, *, cold: bool) -> None:
    wanted = stackfile.wanted(stack.stack_file())
    node.destroy(layout)
    if cold:
        report.part("cold_first_prediction_s", lambda: _cold(layout, wanted))
    up.build(wanted)
    _first(layout, report, wanted)
    report.part("noop_up_s", lambda: [timed(lambda: stack.up(layout, _quiet)) for _ in range(REPEATS)])
    report.part("gateway", lambda: _gateway(layout))
    report.part("at_rest_mib", _at_rest)
    report.part("canary", lambda: canary(layout))
    report.part("down_s", lambda: timed(lambda: node.destroy(layout)))
    report.part("growth", lambda: _growth(layout))
    if paths.mirror():
        report.part("largest", lambda: releases.largest(layout))
        report.part("releases", lambda: _releases(layout))
    else:
        console.line("  --  the stacks of upstream releases want a mirror of them: ML_PLATFORM_MIRROR=DIR make bench")
    report.part("down_s", lambda: timed(lambda: node.destroy(layout)))
    _first(layout, report, wanted)


def _growth_alone(layout: Layout, report: Report) -> None:
    node.destroy(layout)
    up.build(())
    report.part("growth", lambda: _growth(layout))
    node.destroy(layout)


def _first(layout: Layout, report: Report, wanted: Collection[str]) -> None:
    """From a machine without a node to an answer, in three steps."""
    report.part("node_ready_s", lambda: timed(lambda: node.start(layout, _quiet)))
    report.part("push_images_s", lambda: timed(lambda: _push(layout, wanted)))
    report.part("first_prediction_s", lambda: timed(lambda: _first_prediction(layout)))


def _growth(layout: Layout) -> dict[str, Any]:
    node.start(layout, _quiet)
    stack.prepare(layout)
    return growth(layout)


def _releases(layout: Layout) -> dict[str, Any]:
    wanted = stackfile.wanted(releases.RUNNING)
    up.build(wanted)
    _push(layout, wanted)
    return releases.running(layout)


def _push(layout: Layout, wanted: Collection[str]) -> None:
    images.push(wanted, names.REGISTRY, pki.client_context(layout.pki, "registry-client"), _quiet)


def _first_prediction(layout: Layout) -> None:
    """From a node with nothing on it to an answer."""
    stack.prepare(layout)
    stack.up(layout, _quiet)
    wait_for_answers(served(layout), _quiet)


def _gateway(layout: Layout) -> dict[str, Any]:
    """Asked one by one, and by several at once."""
    return {f"connections_{count}": compare(layout, count) for count in (1, 4)}


def _at_rest() -> list[float]:
    """MiB that the node and its pods keep resident."""
    time.sleep(SETTLE)
    return [_resident() for _ in range(REPEATS)]


def _resident() -> float:
    time.sleep(2)
    return round(cgroup.resident_bytes() / 2**20)


def _cold(layout: Layout, wanted: Collection[str]) -> float:
    """From an empty cache; the Python environment of this very command is the one thing that is there already."""
    with tempfile.TemporaryDirectory(prefix="ml-platform-cold-", dir=paths.cache()) as empty:
        before = os.environ.get("ML_PLATFORM_CACHE")
        os.environ["ML_PLATFORM_CACHE"] = empty
        try:
            return timed(lambda: _everything(layout, wanted))
        finally:
            node.destroy(layout)
            os.environ.pop("ML_PLATFORM_CACHE")
            if before is not None:
                os.environ["ML_PLATFORM_CACHE"] = before


def _everything(layout: Layout, wanted: Collection[str]) -> None:
    up.build(wanted)
    node.start(layout, _quiet)
    _push(layout, wanted)
    _first_prediction(layout)


def _quiet(_: str) -> None:
    return


if __name__ == "__main__":
    sys.exit(main())
