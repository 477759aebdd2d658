"""From recipes to references by digest: what the registry has is taken, what it lacks is built and pushed.

The registry is the only memory: whatever ends a run, the next one goes on from what was pushed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ml_local import console, paths
from ml_local.console import step
from ml_local.errors import LocalError
from ml_local.image_builder import staged

from ml_images.recipes import Recipe
from ml_images.registry import Registry
from ml_images.tools import Build, Progress, Tool

CA = "/run/secrets/ca"
# What Containerfiles mount beside a certificate authority, unless it is given as well.
BESIDE_CA = {
    "apt": f'Acquire::https::CAInfo "{CA}";\n',
    "pip": f"[global]\ncert = {CA}\ndisable-pip-version-check = true\n",
}


@dataclass(frozen=True, kw_only=True)
class Order:
    """Where images go, what for, and by what they are built."""

    registry: Registry
    tool: Tool
    platforms: Sequence[str]
    secrets: Mapping[str, Path] = field(default_factory=dict)
    """Of `apt`, `pip` and `ca`, the file that builds may read and no image keeps."""


def references(order: Order, recipes: Mapping[str, Recipe], wanted: Collection[str]) -> dict[str, str]:
    """The reference by digest of each image that is wanted.

    Raises:
        LocalError: the registry does not answer, refuses, or lost what was pushed; or a build failed.
    """
    with step(f"What {order.registry} has") as say:
        found = dict(_found(order, recipes, wanted, say))
        missing = [name for name in recipes if name in found and found[name] is None]
        for repository in dict.fromkeys(recipes[name].repository for name in missing):
            order.registry.check_push(order.registry.repository(repository))
    digests = {name: digest for name in recipes if (digest := found.get(name))}
    console.line(f"      there: {_listed(digests)}; to build, with {order.tool.name}: {_listed(missing)}")
    with _secrets(order.secrets) as secrets:
        for position, name in enumerate(missing, start=1):
            with step(f"{name} ({position} of {len(missing)})") as say:
                digests[name] = _built(order, recipes, digests, name, secrets, say)
    return {name: _reference(order, recipes[name], digests[name]) for name in wanted}


def _found(
    order: Order, recipes: Mapping[str, Recipe], wanted: Collection[str], say: Progress
) -> Iterator[tuple[str, str | None]]:
    """The digest of each image that is wanted, and of what those that are not there are built from."""
    asked, left = set[str](), list(wanted)
    while left:
        name = left.pop()
        if name in asked:
            continue
        asked.add(name)
        say(name)
        recipe = recipes[name]
        digest = order.registry.digest(order.registry.repository(recipe.repository), recipe.tag)
        if digest is None:
            left += recipe.needs
        yield name, digest


def _built(
    order: Order,
    recipes: Mapping[str, Recipe],
    digests: Mapping[str, str],
    name: str,
    secrets: Mapping[str, Path],
    say: Progress,
) -> str:
    recipe = recipes[name]
    tagged = f"{order.registry}/{recipe.repository}:{recipe.tag}"
    needed = {each: _reference(order, recipes[each], digests[each]) for each in recipe.needs}
    with TemporaryDirectory(prefix="ml-images-") as folder, staged(Path(folder) / "context", recipe.copied) as context:
        build = Build(
            reference=tagged,
            containerfile=recipe.containerfile,
            context=context,
            platforms=order.platforms,
            arguments={**recipe.arguments, **({"BASE": needed[recipe.base]} if recipe.base else {})},
            contexts={"commands": needed[recipe.commands]} if recipe.commands else {},
            secrets=secrets,
            plain=order.registry.plain,
            log=paths.cache() / "logs" / f"images-{recipe.repository}.log",
        )
        order.tool.build_and_push(build, say)
    digest = order.registry.digest(order.registry.repository(recipe.repository), recipe.tag)
    if digest is None:
        raise LocalError(
            f"{tagged} was pushed, and the registry {order.registry.host} has no such image. Look at its log"
        )
    return digest


def _reference(order: Order, recipe: Recipe, digest: str) -> str:
    return f"{order.registry}/{recipe.repository}@{digest}"


@contextmanager
def _secrets(given: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    """The files that builds may read: those given, and how apt and pip use a certificate authority."""
    with TemporaryDirectory(prefix="ml-images-") as folder:
        beside = {name: Path(folder) / name for name in BESIDE_CA if "ca" in given and name not in given}
        for name, path in beside.items():
            path.write_text(BESIDE_CA[name])
        yield {**beside, **given}


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "none"
