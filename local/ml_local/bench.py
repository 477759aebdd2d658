"""`make bench`: the figures that the project promises, measured in one run, with the machine's conditions.

Owns no threshold: a figure from a shared machine is a fact of that run, not a test. It removes the platform that is
there and leaves a new one; with `cold` it first starts from an empty cache too.
"""

from __future__ import annotations

import json
import os
import platform as machine
import statistics
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ml_local import bench_stacks, console, images, lock, paths, stack, stackfile, up
from ml_local.bench_canary import canary
from ml_local.bench_growth import growth
from ml_local.node import cgroup, node
from ml_local.node import layout as names
from ml_local.node.layout import Layout
from ml_local.predict import example, send, served, wait_for_answers

REQUESTS = 300
SETTLE = 60.0
IDLE_SAMPLES = 5
TARGETS = {
    "first_prediction_s": 120.0,
    "cold_first_prediction_s": 1200.0,
    "noop_up_s": 5.0,
    "down_s": 30.0,
    "idle_mib": 2048.0,
    "canary.split_s": 30.0,
    "canary.failed": 0.0,
    "canary.off_points": 2.0,
    "largest.preview_s": 15.0,
    "largest.policies_s": 3.0,
    "largest.rendering_s": 2.0,
    "largest.program_mib": 500.0,
    "largest.cli_mib": 600.0,
    "releases.chain.total_s": 360.0,
    "releases.tuning.ratio": 1.2,
    "releases.noop_up_s": 8.0,
    "releases.destroy_s": 60.0,
}


def bench(layout: Layout, *, cold: bool = False) -> None:
    """Measure, print and write `bench.json`; when something fails, print what was measured until then."""
    figures: dict[str, Any] = {"conditions": _conditions()}
    with lock.exclusive("make bench"):
        try:
            _measure(layout, figures, cold=cold)
        finally:
            _show(figures)
    path = paths.checkout() / "bench.json"
    path.write_text(json.dumps(figures, indent=2) + "\n")
    if not paths.mirror():
        console.line(
            "\nleft out: the stacks of upstream releases; name a mirror of them: ML_PLATFORM_MIRROR=DIR make bench"
        )
    console.line(f"\nwritten to {path}")


def _measure(layout: Layout, figures: dict[str, Any], *, cold: bool) -> None:
    wanted = stackfile.wanted(stack.stack_file())
    node.destroy(layout)
    if cold:
        figures["cold_first_prediction_s"] = _cold(layout, wanted)
    up.build(wanted)
    figures["node_ready_s"] = _timed(lambda: node.start(layout, _quiet))
    figures["push_images_s"] = _timed(lambda: _push(layout, wanted))
    figures["first_prediction_s"] = _timed(lambda: _first_prediction(layout))
    figures["noop_up_s"] = min(_timed(lambda: stack.up(layout, _quiet)) for _ in range(3))
    figures["latency_ms"] = _latency(layout)
    console.line(f"  ..  letting the platform rest for {SETTLE:.0f} s")
    time.sleep(SETTLE)
    figures["idle_mib"] = statistics.median(_idle() for _ in range(IDLE_SAMPLES))
    figures["canary"] = canary(layout)
    figures["down_s"] = _timed(lambda: node.destroy(layout))
    node.start(layout, _quiet)
    stack.prepare(layout)
    figures["growth"] = growth(layout)
    if paths.mirror():
        _releases(layout, figures)
    _push(layout, wanted)
    _first_prediction(layout)


def _push(layout: Layout, wanted: Collection[str]) -> None:
    images.push(wanted, names.REGISTRY, layout.pki / "ca.crt", _quiet)


def _first_prediction(layout: Layout) -> None:
    """From a node with nothing on it to an answer."""
    stack.prepare(layout)
    stack.up(layout, _quiet)
    wait_for_answers(served(layout), _quiet)


def _releases(layout: Layout, figures: dict[str, Any]) -> None:
    figures["largest"] = bench_stacks.largest(layout)
    wanted = stackfile.wanted(bench_stacks.RUNNING)
    up.build(wanted)
    _push(layout, wanted)
    figures["releases"] = bench_stacks.running(layout)


def _cold(layout: Layout, wanted: Collection[str]) -> float:
    """From an empty cache; the Python environment of this very command is the one thing that is there already."""
    with tempfile.TemporaryDirectory(prefix="ml-platform-cold-", dir=paths.cache()) as empty:
        before = os.environ.get("ML_PLATFORM_CACHE")
        os.environ["ML_PLATFORM_CACHE"] = empty
        try:
            return _timed(lambda: _everything(layout, wanted))
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


def _latency(layout: Layout) -> dict[str, dict[str, float]]:
    """Milliseconds of warm predictions, through the gateway and straight to the model server, turn by turn."""
    (model,) = served(layout)
    body = model.body(example())
    pod = next(
        pod
        for pod in node.client(layout).list("v1", "Pod", "models", labels="serving.kserve.io/inferenceservice=iris")
        if pod["status"].get("phase") == "Running"
    )
    place = urlsplit(model.url)
    straight = urlunsplit(place._replace(netloc=f"{pod['status']['podIP']}:8080"))
    taken: dict[str, list[float]] = {"gateway": [], "straight": []}
    for turn in range(REQUESTS + 20):
        for way, url, host in (("gateway", model.url, None), ("straight", straight, pod["status"]["podIP"])):
            answer = send("POST", url, body, connect_to=host)
            if turn >= 20:
                taken[way].append(answer.seconds * 1000)
    return {way: _percentiles(values) for way, values in taken.items()}


def _percentiles(values: list[float]) -> dict[str, float]:
    hundredths = statistics.quantiles(values, n=100)
    return {"p50": round(hundredths[49], 2), "p99": round(hundredths[98], 2), "min": round(min(values), 2)}


def _idle() -> float:
    time.sleep(2)
    return round(cgroup.resident_bytes() / 2**20)


def _timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return round(time.monotonic() - started, 1)


def _conditions() -> dict[str, Any]:
    load = Path("/proc/loadavg").read_text().split()[0]
    memory = Path("/proc/meminfo").read_text().splitlines()[0].split()[1]
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S"),
        "processors": os.cpu_count(),
        "memory_gib": round(int(memory) / 2**20, 1),
        "kernel": machine.release(),
        "load_before": float(load),
    }


def _show(figures: dict[str, Any]) -> None:
    console.table(dict(_rows("", figures)))


def _rows(prefix: str, figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        full = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _rows(f"{full}.", value)
        else:
            target = f"   (to reach: <= {TARGETS[full]:g})" if full in TARGETS else ""
            yield full, f"{value}{target}"


def _quiet(_: str) -> None:
    return
