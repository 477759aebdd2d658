"""The compiled package of a pipeline: made of a Python file or read, and made fit for the local runner of kfp.

With that runner, a stage is a process with the packages of this image. So it is a component of Python, what it would
install by pip has to be here, and what only a pod of its own could have is refused. Owns what a package says;
ml_runtime.pipeline runs it.
"""

from __future__ import annotations

import os
import runpy
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ml_runtime import own_code
from ml_runtime.errors import RunError
from ml_runtime.own_code import OwnCode

EXECUTOR = "kfp.dsl.executor_main"
"""The module that runs the function of a component."""
SECRETS, VOLUMES = "secretAsEnv", "pvcMount"
"""What kfp.kubernetes gives to a stage that the pod of the run can have for all of them."""
OWN = ("kfp", "typing-extensions")
"""What each component installs for itself, and is here."""
TYPES: Mapping[str, tuple[type, ...]] = {
    "STRING": (str,),
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (float, int),
    "BOOLEAN": (bool,),
}
"""The types of the values of a description, by those of kfp; a list or a struct is no value of a setting."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A pipeline, and what kfp.kubernetes gives to its stages."""

    content: Mapping[str, Any]
    platforms: tuple[Mapping[str, Any], ...] = ()
    code: OwnCode
    """The files that it was made of."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What is known of each parameter, by its name."""
        found: Mapping[str, Any] = self._inputs.get("parameters", {})
        return found

    @property
    def _inputs(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.content["root"].get("inputDefinitions", {})
        return found

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as the pipeline takes them.

        Raises:
            RunError: one is unknown, missing, or of another type.
        """
        names = ", ".join(self.parameters) or "none"
        if artifacts := sorted(self._inputs.get("artifacts", {})):
            raise RunError(f"the pipeline takes an artifact, {artifacts[0]}; have it take its place as a text instead")
        if unknown := sorted(given.keys() - self.parameters.keys()):
            raise RunError(f"parameters.{unknown[0]} is no parameter of the pipeline; it has {names}")
        needed = (name for name, each in self.parameters.items() if "defaultValue" not in each)
        if missing := [name for name in needed if name not in given and not self.parameters[name].get("isOptional")]:
            raise RunError(f"parameters.{missing[0]} is missing, and the pipeline has no value for it; it has {names}")
        return {name: _typed(name, value, self.parameters[name]["parameterType"]) for name, value in given.items()}

    def here(self) -> Package:
        """The same for the local runner: no stage installs anything.

        Raises:
            RunError: a stage asks for what is not here.
        """
        for name, lacking in _lacking_of_kubernetes(self.platforms):
            raise RunError(f"stage {name} asks Kubernetes for {lacking}")
        return replace(self, content={**self.content, "deploymentSpec": {"executors": dict(_executors(self.content))}})


def of(path: Path) -> Package:
    """The package of that file.

    Raises:
        RunError: it does not compile, or is no package.
    """
    code = OwnCode(main=path, files=tuple(sorted({path, *path.parent.glob("*.py")})))
    text = path.read_text() if path.suffix == ".yaml" else _compiled(path, code)
    content, *platforms = _documents(path, text)
    return Package(content=content, platforms=tuple(platforms), code=code)


def _compiled(path: Path, code: OwnCode) -> str:
    from kfp import compiler

    def compiled() -> str:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "pipeline.yaml"
            compiler.Compiler().compile(_pipeline(path), str(target))
            return target.read_text()

    return own_code.called(f"the compilation of {path.name}", compiled, code)


def _pipeline(path: Path) -> Any:
    """The one that a file has; of several, the one that it calls `pipeline`."""
    from kfp.dsl.graph_component import GraphComponent

    sys.path.insert(0, str(path.parent))
    found = {name: each for name, each in runpy.run_path(str(path)).items() if isinstance(each, GraphComponent)}
    if len(found) == 1:
        return next(iter(found.values()))
    if "pipeline" in found:
        return found["pipeline"]
    raise RunError(
        f"{path.name} has {len(found)} functions with @dsl.pipeline ({', '.join(sorted(found)) or 'none'}); it has "
        "one, or calls one of them `pipeline`"
    )


def _documents(path: Path, text: str) -> list[dict[str, Any]]:
    import yaml

    try:
        found = [*yaml.safe_load_all(text)]
    except yaml.YAMLError as broken:
        raise RunError(f"{path.name} is no YAML: {broken}") from broken
    if not found or not all(isinstance(each, dict) for each in found) or "root" not in found[0]:
        raise RunError(f"{path.name} is no package of a pipeline, as `kfp dsl compile` of version 2 writes it")
    return found


def _lacking_of_kubernetes(platforms: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each stage to which kfp.kubernetes gives what the pod of all stages does not have, and the way to that."""
    for document in platforms:
        executors = document.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
        for name, asked in executors.items():
            yield from ((name.removeprefix("exec-"), each) for each in _lacking_of(asked))


def _lacking_of(asked: Mapping[str, Any]) -> Iterator[str]:
    for variable in (each["envVar"] for found in asked.get(SECRETS, ()) for each in found["keyToEnv"]):
        if variable not in os.environ:
            yield f"a secret as {variable}: name one of the stack's by `secrets`"
    for folder in (found["mountPath"] for found in asked.get(VOLUMES, ())):
        if not Path(folder).is_dir():
            yield f"a volume at {folder}: name its claim by `volumes`"
    for other in sorted(asked.keys() - {SECRETS, VOLUMES}):
        yield f"{other}, and all stages are in one pod here: take it out"


def _executors(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each, as it runs here: without an installation."""
    for name, executor in content.get("deploymentSpec", {}).get("executors", {}).items():
        container = executor.get("container")
        if container is None:
            yield name, executor
            continue
        command = container.get("command", [])
        if not any(EXECUTOR in part for part in command):
            raise RunError(
                f"stage {name.removeprefix('exec-')} is the command of an image, {container.get('image')}; here a "
                "stage is a component of Python: have a run with this `image` do it"
            )
        yield name, {**executor, "container": {**container, "command": _installed(name, command)}}


def _installed(name: str, command: list[str]) -> list[str]:
    """The command after what it would install, which is here already."""
    if len(command) < 4 or "pip install" not in command[2]:
        return command
    for wanted in _requirements(command[2]):
        if lacking := _lacking(wanted):
            raise RunError(
                f"stage {name.removeprefix('exec-')} wants {wanted} (packages_to_install), and {lacking}. What stages "
                "need is in the image of the run: pin it in `packages` of its model"
            )
    return command[3:]


def _requirements(script: str) -> Iterator[str]:
    for line in script.split("&&"):
        _, found, words = line.partition("pip install")
        if found:
            yield from (word for word in shlex.split(words) if not word.startswith(("-", "$")))


def _lacking(wanted: str) -> str | None:
    """Why a requirement is not fulfilled, if so."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(wanted)
    except InvalidRequirement:
        return "that names no package and version"
    if requirement.name.lower() in OWN or (requirement.marker and not requirement.marker.evaluate()):
        return None
    try:
        here = version(requirement.name)
    except PackageNotFoundError:
        return "it is not here"
    return None if requirement.specifier.contains(here, prereleases=True) else f"the one here is {here}"


def _typed(name: str, value: Any, kind: str) -> Any:
    fits = isinstance(value, TYPES.get(kind, ())) and isinstance(value, bool) == (kind == "BOOLEAN")
    if not fits:
        raise RunError(f"parameters.{name} is {value!r}; the pipeline takes {kind}")
    return float(value) if kind == "NUMBER_DOUBLE" else value
