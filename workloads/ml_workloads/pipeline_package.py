"""A compiled package of a pipeline, as a preview reads it: without kfp, which is in the image of the run alone.

Owns what of it is judged before anything runs: that it is a package, and that its parameters are those of the settings.
All else is judged by the run.
"""

from collections.abc import Iterator
from typing import Any

import yaml
from ml_platform.configuration import PROJECT, SettingsError

from ml_workloads.pipeline_settings import ROWS, PipelineSettings

COMPILED = "Compile it with:\n  kfp dsl compile --py <file> --output {}\nor name the Python file itself"

SECRETS, VOLUMES = "secretAsEnv", "pvcMount"
"""What kfp.kubernetes gives to a stage that the pod of the run can have for all of them."""


def check(run: str, settings: PipelineSettings, text: str) -> None:
    """Refuses what the run would refuse.

    Raises:
        SettingsError: naming the setting, what is wrong and the way out.
    """
    if problems := [*_problems(f"{PROJECT}:workloads.runs.{run}", settings, text)]:
        raise SettingsError("\n".join(problems))


def _problems(path: str, settings: PipelineSettings, text: str) -> Iterator[str]:
    try:
        (package, *platforms) = [*yaml.safe_load_all(text)] or [None]
    except yaml.YAMLError as broken:
        yield f"{path}.pipeline is {settings.pipeline!r}, which is no YAML: {broken}"
        return
    if not isinstance(package, dict) or not isinstance(package.get("root"), dict):
        yield (
            f"{path}.pipeline is {settings.pipeline!r}, which is no package of a pipeline of version 2. "
            f"{COMPILED.format(settings.pipeline)}"
        )
        return
    yield from _of_parameters(path, settings, package["root"].get("inputDefinitions", {}).get("parameters", {}))
    if settings.api is None:
        yield from _of_kubernetes(path, settings, platforms)


def _of_parameters(path: str, settings: PipelineSettings, known: dict[str, Any]) -> Iterator[str]:
    has = f"the pipeline has {', '.join(known) or 'none'}"
    for block, given in (("parameters", settings.parameters), ("inputs", settings.inputs)):
        for name in given:
            if name not in known:
                yield (
                    f"{path}.{block}.{name} is no parameter of {settings.pipeline}; {has}. Remove it with:\n"
                    f"  pulumi config rm --path '{path}.{block}.{name}'"
                )
    given_too = {*settings.parameters, *settings.inputs, *([ROWS] if settings.model else [])}
    for name, each in known.items():
        if name not in given_too and "defaultValue" not in each and not each.get("isOptional"):
            yield (
                f"{path}.parameters.{name} is missing, and {settings.pipeline} has no value for it; {has}. Set it "
                f"with:\n  pulumi config set --path '{path}.parameters.{name}' <value>"
            )


def _of_kubernetes(path: str, settings: PipelineSettings, platforms: list[Any]) -> Iterator[str]:
    for document in platforms:
        executors = document["platforms"].get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
        for name, asked in executors.items():
            stage = f"{path}.pipeline is {settings.pipeline!r}, whose stage {name.removeprefix('exec-')}"
            if lacking := [variable for variable in _variables(asked) if variable not in settings.secrets]:
                yield (
                    f"{stage} has a secret as {lacking[0]}. Say which one of the stack it is:\n"
                    f"  pulumi config set --path '{path}.secrets.{lacking[0]}' <name>"
                )
            if lacking := [folder for folder in _folders(asked) if folder not in settings.volumes]:
                yield (
                    f"{stage} has a volume at {lacking[0]}. Say which claim it is:\n"
                    f"  pulumi config set --path '{path}.volumes[\"{lacking[0]}\"]' <name>"
                )
            if others := sorted(asked.keys() - {SECRETS, VOLUMES}):
                yield f"{stage} asks Kubernetes for {', '.join(others)}: here all stages are in one pod. Take it out"


def _variables(asked: dict[str, Any]) -> list[str]:
    return [str(each["envVar"]) for found in asked.get(SECRETS, ()) for each in found["keyToEnv"]]


def _folders(asked: dict[str, Any]) -> list[str]:
    return [str(found["mountPath"]) for found in asked.get(VOLUMES, ())]
