"""One training run from data to verdict: train, gate, register, and the verdict into its ConfigMap.

Ends with 0 also when the gate refuses the model: that is a verdict, not a failure. Running it again with the same key
trains and registers nothing twice.
"""

from __future__ import annotations

import sys

from ml_runtime import tracking, verdict
from ml_runtime.command import finish
from ml_runtime.gate import judge
from ml_runtime.register import register
from ml_runtime.spec import RunSpec
from ml_runtime.train import train


def run(spec: RunSpec) -> None:
    """Do all steps.

    Raises:
        RunError: a step could not be done; see each.
    """
    finished = train(spec)
    print(f"trained: MLflow run {finished.info.run_id}, {finished.data.metrics}", flush=True)
    judgement = judge(spec)
    print(f"judged: {judgement.reason}", flush=True)
    result = register(spec, judgement)
    if spec.verdict:
        verdict.write(result, spec.verdict, spec.patience)
    print(result.to_json(), flush=True)


def main() -> int:
    """The command."""
    spec = tracking.spec_from_arguments("ml_runtime.run", __doc__)
    return finish(lambda: run(spec()))


if __name__ == "__main__":
    sys.exit(main())
