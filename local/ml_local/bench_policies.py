"""What the policies add to a preview: the same project with the pack and without it, turn by turn."""

from __future__ import annotations

import json

from ml_local import paths
from ml_local.bench_run import STACK, Project

REPEATS = 3
PACK = paths.checkout() / "policies"


def added(project: Project) -> float:
    """Seconds, between the best of each. Findings are remarks here, so that stacks of any contents can be measured."""
    settings = project.folder / "policies.json"
    settings.write_text(json.dumps({"all": "advisory"}))
    flags = ("--policy-pack", str(PACK), "--policy-pack-config", str(settings))
    plain, judged = [], []
    for _ in range(REPEATS):
        plain.append(project.preview().seconds)
        judged.append(project.run("preview", "--stack", STACK, *flags).seconds)
    return round(min(judged) - min(plain), 1)
