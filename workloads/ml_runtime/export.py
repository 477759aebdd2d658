"""Puts the files of a model's version on a volume, for a server of a user's own that finds them there.

    {
      "run": "...", "patience": 120, "verdict": {...},
      "model": "clicks", "version": "3",    a version that a gate has accepted
      "output": "pvc://clicks/models/",     the claim of the volume, and the folder on it that gets one for the version
      "folder": "/mnt/volume"               where the volume is
    }

They are what the gate has judged, by their digest: other files are refused, as a model server refuses them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_runtime import command, download
from ml_runtime.errors import RunError
from ml_runtime.spec import Block, RunSpec, parse_run
from ml_runtime.verdict import Verdict

SCHEME = "pvc://"


@dataclass(frozen=True, kw_only=True)
class ExportSpec(RunSpec):
    """What is put where."""

    model: str
    version: str
    output: str
    folder: Path

    @property
    def source(self) -> str:
        """The version as ml_runtime.download names it."""
        return f"mlflow://{self.model}/{self.version}"

    @property
    def target(self) -> Path:
        """The folder of its files."""
        _, _, path = self.output.removeprefix(SCHEME).partition("/")
        return self.folder / path / self.version


def parse(raw: Any) -> ExportSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, ExportSpec)
    output = top.check("output", _is_prefix, "a folder of a volume with a / at its end: pvc://<claim>/<path>/")
    return ExportSpec(
        **parse_run(top),
        model=top.text("model"),
        version=top.text("version"),
        output=output,
        folder=Path(top.text("folder")),
    )


def _is_prefix(value: object) -> bool:
    if not (isinstance(value, str) and value.startswith(SCHEME) and value.endswith("/")):
        return False
    claim, *path = value.removeprefix(SCHEME).removesuffix("/").split("/")
    return claim != "" and not {"", ".", ".."} & set(path)


def export(spec: ExportSpec) -> Verdict:
    """All files of the version, in a folder of their own.

    Raises:
        RunError: there is no such version, no gate has accepted it, or the volume can't be written to.
        AwayError: MLflow was away for too long.
    """
    try:
        spec.target.mkdir(parents=True, exist_ok=True)
    except OSError as refused:
        raise RunError(
            f"the volume of {spec.output} can't be written to: {refused.strerror}. It belongs to another user than "
            "65532, or is read only; name another claim in `output`"
        ) from refused
    files = download.download(spec.source, spec.target, spec.patience)
    return Verdict(
        run=spec.run,
        accepted=True,
        rule="finished",
        reason=f"{len(files)} files of {spec.source} are at {spec.output}{spec.version}",
        numbers={"files": float(len(files))},
        outputs={"files": f"{spec.output}{spec.version}"},
    )


def main() -> int:
    """The command."""
    return command.run("ml_runtime.export", __doc__, parse, export)


if __name__ == "__main__":
    sys.exit(main())
