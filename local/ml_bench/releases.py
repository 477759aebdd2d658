"""What the releases themselves cost: the preview of the largest stack there is, and the largest one that runs here.

Both need a mirror of the releases. The preview asks the node's API server about a cluster that has nothing yet.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from ml_local import paths, predict
from ml_local.node.layout import Layout
from ml_platform import components
from ml_platform.bundles import pipeline
from ml_platform.configuration import validate
from ml_platform.settings.platform import with_add_ons

from ml_bench import chain, tuning
from ml_bench.measured import Project, Run

STACKS = paths.checkout() / "tests" / "stacks"
LARGEST, RUNNING = STACKS / "everything.yaml", STACKS / "upstream.yaml"
REPEATS = 3


def largest(layout: Layout) -> dict[str, float]:
    """The preview of everything that can be on together, of it the rendering, and how much memory it takes."""
    config = yaml.safe_load(LARGEST.read_text())["config"]
    config["ml-platform:cluster"] = {"source": "existing", "kubeconfig": str(layout.admin_kubeconfig)}
    with tempfile.TemporaryDirectory(prefix="ml-platform-bench-") as folder:
        project = _project(layout, Path(folder) / "project", {**config, "ml-platform:seed": "bench"})
        project.preview()  # renders what was never rendered here
        runs = [project.preview() for _ in range(REPEATS)]
        policies = project.policies()
    best = min(runs, key=lambda run: run.seconds)
    return {
        "resources": _resources(best),
        "preview_s": best.seconds,
        "policies_s": policies,
        "rendering_s": _rendering(config["ml-platform:platform"]),
        **_memory(runs),
    }


def running(layout: Layout) -> dict[str, Any]:
    """Of the largest stack whose images can be built: the first `up`, without and then with its work, one that changes
    nothing, and `destroy`. The images are pushed."""
    config = yaml.safe_load(RUNNING.read_text())["config"]
    with tempfile.TemporaryDirectory(prefix="ml-platform-bench-") as folder:
        project = _project(layout, Path(folder) / "project", {**config, "ml-platform:workloads": {}})
        first = project.up()
        project.configure(config)
        begun = time.time()
        work = project.up()
        steps = chain.shares(layout, predict.of_outputs(project.outputs()), begun)
        trials = tuning.tuning(layout)
        again = [project.up() for _ in range(REPEATS)]
        destroyed = project.destroy()
    return {
        "resources": _resources(again[0]),
        "platform_up_s": first.seconds,
        "chain": steps,
        "tuning": trials,
        "noop_up_s": min(run.seconds for run in again),
        "destroy_s": destroyed.seconds,
        **_memory([first, work, *again, destroyed]),
    }


def _project(layout: Layout, folder: Path, config: dict[str, Any]) -> Project:
    program = f"import runpy\n\nrunpy.run_path({str(paths.checkout() / 'stacks')!r}, run_name='__main__')\n"
    project = Project(folder, layout, program)
    project.prepare(config)
    return project


def _rendering(platform: dict[str, Any]) -> float:
    """Seconds that the pipeline takes for all releases of the stack when they have been rendered before."""
    settings = validate("platform", platform, with_add_ons(components.add_ons()))
    entries, taken = components.needs(settings).installed(settings.bundles), []
    for _ in range(REPEATS):
        started = time.monotonic()
        for entry in entries:
            pipeline.load(entry, paths.mirror())
        taken.append(time.monotonic() - started)
    return round(min(taken), 2)


def _resources(run: Run) -> int:
    """How many the run has shown, by its summary: `+ 512 to create` or `498 unchanged`."""
    found = re.findall(r"^ +(?:\+ )?(\d+) (?:to create|unchanged)$", run.output, flags=re.MULTILINE)
    return sum(map(int, found))


def _memory(runs: list[Run]) -> dict[str, float]:
    return {f"{role}_mib": max(run.mib.get(role, 0) for run in runs) for role in ("program", "cli")}
