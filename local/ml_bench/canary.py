"""What a canary costs: how long until requests are shared as asked, while they go on, and how many of them fail.

It measures on the stack `local` as it is up, and leaves it with its own settings.
"""

from __future__ import annotations

import json
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from ml_load.load import Load
from ml_local import environment, stack
from ml_local.node.layout import Layout
from ml_local.predict import example, served

REQUESTS, RATE, PERCENT = 2000, 50.0, 10


def canary(layout: Layout) -> dict[str, float]:
    """A second version of the one served model gets a tenth of the requests, then is rolled back."""
    (model,) = served(layout)
    version = _another(model.name)
    with tempfile.TemporaryDirectory(prefix="ml-platform-bench-") as folder:
        config = Path(folder) / "stack.yaml"
        config.write_text(_with_canary(model.name, version))
        with Load(model.url, model.body(example()), RATE) as load:
            load.next(int(RATE))
            started = time.monotonic()
            stack.up(layout, _quiet, config)
            seconds = time.monotonic() - started
            shares = load.next(REQUESTS)
            stack.up(layout, _quiet)
    return {
        "split_s": round(seconds, 1),
        "requests": load.count,
        "failed": len(load.problems),
        "off_points": round(abs(100 * shares[str(version)] / REQUESTS - PERCENT), 2),
    }


def _with_canary(model: str, version: int) -> str:
    content = yaml.safe_load(stack.stack_file().read_text())
    block = content["config"]["ml-platform:workloads"]["serving"][model]
    block["canary"] = {"version": version, "percent": PERCENT}
    return yaml.safe_dump(content)


def _another(model: str) -> int:
    """A new version with the files of the champion, judged as they are, as MLflow's API makes one."""
    api = f"{environment.GATEWAY}/api/2.0/mlflow"
    query = urlencode({"name": model, "alias": "champion"})
    champion = _json(urllib.request.Request(f"{api}/registered-models/alias?{query}"))["model_version"]  # noqa: S310
    source = champion["source"]
    same = {key: champion[key] for key in ("run_id", "tags")}
    body = {"name": model, "source": source, "model_id": source.rpartition("/")[2], **same}
    headers = {"Content-Type": "application/json"}
    wanted = urllib.request.Request(f"{api}/model-versions/create", json.dumps(body).encode(), headers)  # noqa: S310
    return int(_json(wanted)["model_version"]["version"])


def _json(request: urllib.request.Request) -> dict[str, Any]:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the node's own gateway
    with direct.open(request, timeout=30) as answer:
        return dict(json.load(answer))


def _quiet(_: str) -> None:
    return
