"""`make images`: builds the platform's images, pushes them to a registry, and writes their digests into a stack's file.

It needs neither root nor a certain system: only Docker with buildx, Podman or Buildah, and a login to the registry.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ml_local import console, entry, paths, stackfile
from ml_local.errors import LocalError

from ml_images import build, recipes, stack_file, tools
from ml_images.registry import Registry

PLATFORM = re.compile(r"linux/[a-z0-9]+(/v\d+)?")
SECRETS = ("apt", "pip", "ca")
DESCRIPTION = """Build what a stack needs of workloads/images, push it to a registry, and write all digests into the
stack's file. What the registry has already is not built again, so a run that was interrupted is resumed by the next."""
GIVEN = """what builds read and no image keeps: ca=FILE (certificate authorities of a proxy or mirror), pip=FILE
(pip.conf), apt=FILE (apt.conf)"""


def main(argv: Sequence[str] | None = None) -> int:
    """0: all images are in the registry. 1: a message says why not. 130: interrupted."""
    options = _parser().parse_args(argv)
    return entry.run(lambda: _images(options), kept="what is pushed stays, and the same command goes on from there")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make images", description=DESCRIPTION)
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="these alone, by name; without a stack")
    parser.add_argument("--registry", help="REGISTRY=<host>/<path>: below it lies each image")
    of_stack = parser.add_mutually_exclusive_group()
    of_stack.add_argument(
        "--stack", help="STACK=<name>: of stacks/Pulumi.<name>.yaml; without it, the block is printed"
    )
    of_stack.add_argument("--config", type=Path, help="CONFIG=<file>: a stack's file elsewhere")
    parser.add_argument(
        "--platform",
        default="linux/amd64",
        help="PLATFORM=linux/amd64,linux/arm64: of the cluster's nodes; %(default)s",
    )
    parser.add_argument("--tool", help="TOOL=docker, podman or buildah; without it, the first of them that works")
    parser.add_argument("--base", default=recipes.PUBLIC_DEBIAN, help="BASE=<image>: of Debian 12; %(default)s")
    parser.add_argument("--secret", action="append", default=[], metavar="NAME=FILE", help=GIVEN)
    return parser


def _images(options: argparse.Namespace) -> None:
    """Everything that can be refused without a build is refused before one."""
    if not options.registry:
        raise LocalError(
            "REGISTRY is missing: make images REGISTRY=<host>/<path> STACK=<name>; `make images DO=--help`"
        )
    registry = Registry.parse(options.registry)
    platforms, secrets = _platforms(options.platform), _secrets(options.secret)
    file = _file(options)
    needed, named = stackfile.images_of(file) if file else (frozenset(options.images) or stackfile.default_images(), {})
    others = {name: reference for name, reference in named.items() if not reference.startswith(f"{registry}/")}
    wanted = sorted(needed - set(others))
    recipe = recipes.recipes(wanted, platforms, options.base, others)
    if file:
        stack_file.check_writable(file)
    _look_up(registry, others)
    order = build.Order(registry=registry, tool=tools.find(options.tool), platforms=platforms, secrets=secrets)
    references = build.references(order, recipe, wanted)
    if file:
        stack_file.write(file, references)
        console.line(f"\n{len(references)} digests are in {file}: {', '.join(references)}")
    else:
        console.line(f"\nThis belongs under `config:` of the stack's file:\n\n{stack_file.block(references)}")


def _look_up(registry: Registry, others: dict[str, str]) -> None:
    """Names what the stack has of other registries and is not there; those stay as they are."""
    missing = {}
    for name, reference in others.items():
        console.line(f"  --  {name} stays {reference}")
        try:
            if not registry.has(reference):
                missing[name] = reference
        except LocalError as unknown:
            console.line(f"      whether it is there is not known: {unknown}")
    if missing:
        listed = "\n".join(f"  {stack_file.PLATFORM}.images.{name}: {text}" for name, text in missing.items())
        raise LocalError(f"the stack names images that are not in their registry. Mend or remove each:\n{listed}")


def _file(options: argparse.Namespace) -> Path | None:
    if options.images and (options.stack or options.config):
        raise LocalError("a stack needs all its images, so name either a stack or images")
    if options.config:
        return Path(options.config)
    if not options.stack:
        return None
    folder = paths.checkout() / "stacks"
    name = options.stack.rpartition("/")[2]  # <organization>/<project>/<stack>
    file = folder / f"Pulumi.{name}.yaml"
    if not file.exists():
        known = sorted(each.name.split(".")[1] for each in folder.glob("Pulumi.*.yaml"))
        raise LocalError(f"STACK is {options.stack!r}, and there is no {file}; there are {', '.join(known)}")
    return file


def _platforms(text: str) -> list[str]:
    platforms = sorted(set(filter(None, text.split(","))))
    if wrong := [each for each in platforms if not PLATFORM.fullmatch(each)] or ([text] if not platforms else []):
        raise LocalError(f"PLATFORM has {wrong[0]!r}; each is linux/<architecture>, as in linux/amd64,linux/arm64")
    return platforms


def _secrets(words: Sequence[str]) -> dict[str, Path]:
    given = {}
    for word in words:
        name, _, path = word.partition("=")
        if name not in SECRETS or not path:
            raise LocalError(f"SECRETS has {word!r}; each is <name>=<file>, and names are {', '.join(SECRETS)}")
        given[name] = Path(path).expanduser().absolute()
        if not given[name].is_file():
            raise LocalError(f"SECRETS names {path}, which is no file")
    return given


if __name__ == "__main__":
    sys.exit(main())
