"""Packages of a model's own: what they are, and the images that have them, each a layer on an image of the platform.

A layer is named by what it is made of, so that models with the same packages share it, and other packages are another
name. Owns what belongs to which image; how a layer is built is known to ml_local and ml_images.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_platform.configuration import PROJECT, SettingsError

from ml_workloads import requirements, script
from ml_workloads.model_settings import ModelSettings
from ml_workloads.requirements import RefusedLineError
from ml_workloads.run_settings import RaySettings
from ml_workloads.settings import WorkloadsSettings

TRAINING, TUNING, PIPELINE, SERVING = "training", "tuning", "pipeline", "mlserver"
"""The images that the code of a model runs in; SERVING is the gate's as well."""


@dataclass(frozen=True, kw_only=True)
class Packages:
    """The packages of one model; none of either kind where the platform's images have all that it needs."""

    requirements: tuple[str, ...] = ()
    """A line for each package of Python, with its version and its hashes."""
    debian: tuple[str, ...] = ()

    @property
    def decisive(self) -> tuple[object, ...]:
        """What of them decides a run's result, for its key."""
        return ({"requirements": self.requirements, "debian": self.debian},) if self.requirements or self.debian else ()

    def image(self, base: str) -> str:
        """The name of the image that has them and all that `base` has."""
        if not self.decisive:
            return base
        content = json.dumps([base, *self.decisive], sort_keys=True)
        return f"{base}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


NONE = Packages()


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Packages on one image of the platform."""

    base: str
    packages: Packages


def of_models(work: WorkloadsSettings, folder: Path | None = None) -> dict[str, Packages]:
    """The packages of each model, by its name.

    Args:
        work: the settings, which name the files.
        folder: that of Pulumi.yaml, where no program of Pulumi runs.

    Raises:
        SettingsError: a file can't be read, or has a line that is not pinned by hash.
    """
    return {name: _of(name, model, folder) for name, model in work.models.items()}


def layers(work: WorkloadsSettings, folder: Path | None = None) -> dict[str, Layer]:
    """All layers that the work runs, by the names of their images.

    Raises:
        SettingsError: as `of_models`.
    """
    found, made = of_models(work, folder), dict[str, Layer]()
    for model, base in _used(work, found):
        if (name := found[model].image(base)) != base:
            made[name] = Layer(base=base, packages=found[model])
    return made


def _used(work: WorkloadsSettings, known: Mapping[str, Packages]) -> Iterator[tuple[str, str]]:
    """Each model and the images that its code runs in."""
    for run in work.learning.values():
        yield str(run.model), TUNING if isinstance(run, RaySettings) else TRAINING
        yield str(run.model), SERVING
    for pipeline in work.pipelines.values():
        if pipeline.model:
            yield pipeline.model, PIPELINE
            yield pipeline.model, SERVING
    for served in work.registered.values():
        if served.model in known:
            yield served.model, SERVING
    for scored in work.batch.values():
        if scored.model in known:
            yield scored.model, TRAINING


def _of(model: str, settings: ModelSettings, folder: Path | None) -> Packages:
    chosen = settings.packages
    if chosen is None:
        return NONE
    debian = tuple(sorted(set(chosen.debian)))
    if chosen.requirements is None:
        return Packages(debian=debian)
    setting = f"models.{model}.packages.requirements"
    try:
        pinned = requirements.lines(script.text(setting, chosen.requirements, folder))
    except RefusedLineError as refused:
        raise _refusal(setting, chosen.requirements, str(refused)) from refused
    if not pinned:
        raise _refusal(setting, chosen.requirements, "it pins no package")
    return Packages(requirements=pinned, debian=debian)


def _refusal(setting: str, path: str, reason: str) -> SettingsError:
    return SettingsError(
        f"{PROJECT}:workloads.{setting} is {path!r}, {reason}. Write the file by a tool, from a list of what you "
        f"import:\n  uv pip compile --generate-hashes --no-emit-index-url requirements.in --output-file {path}\n"
        f"or `pip-compile --generate-hashes`, which does the same"
    )
