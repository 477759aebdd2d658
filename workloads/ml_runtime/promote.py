"""Makes a version that serves the champion of its model: the alias in MLflow, where it is not there yet.

    {"run": "...", "model": "iris", "version": "7", "patience": 120, "verdict": {...}}

Plain HTTP against MLflow's documented API, since nothing heavy is to be imported on the way of every change. Whether
the version serves is known to whoever starts this.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ml_runtime import command, download
from ml_runtime.errors import RunError
from ml_runtime.patience import patiently
from ml_runtime.spec import Block, RunSpec, parse_run
from ml_runtime.tracking import CHAMPION, FILES_DIGEST
from ml_runtime.verdict import Verdict

ALIAS = "/api/2.0/mlflow/registered-models/alias"


@dataclass(frozen=True, kw_only=True)
class PromoteSpec(RunSpec):
    """Which version."""

    model: str
    version: str


def parse(raw: Any) -> PromoteSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, PromoteSpec)
    return PromoteSpec(**parse_run(top), model=top.text("model"), version=top.text("version"))


def promote(spec: PromoteSpec) -> Verdict:
    """The version is the champion from now on.

    Raises:
        RunError: there is no such version, or no gate has accepted it.
        AwayError: MLflow was away for too long.
    """
    if download.digest_of(spec.model, spec.version, spec.patience) is None:
        raise RunError(
            f"version {spec.version} of {spec.model!r} has no tag {FILES_DIGEST}: no gate has accepted it, so it is no "
            "champion"
        )
    patiently("MLflow", spec.patience, lambda: _set(spec))
    return Verdict(
        run=spec.run,
        accepted=True,
        rule="finished",
        reason=f"version {spec.version} of {spec.model} serves, and is the champion",
        outputs={"champion": spec.version},
    )


def _set(spec: PromoteSpec) -> None:
    body = json.dumps({"name": spec.model, "alias": CHAMPION, "version": spec.version}).encode()
    url = f"{os.environ['MLFLOW_TRACKING_URI'].rstrip('/')}{ALIAS}"
    request = Request(url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310 - checked by download
    try:
        with urlopen(request, timeout=60):  # noqa: S310
            pass
    except HTTPError as refused:
        if refused.code == 404:
            raise RunError(f"MLflow has no registered model {spec.model!r} any more") from refused
        raise


def main() -> int:
    """The command."""
    return command.run("ml_runtime.promote", __doc__, parse, promote)


if __name__ == "__main__":
    sys.exit(main())
