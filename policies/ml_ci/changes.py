"""Which stacks a change touches, and what kind of change it is to each: of the platform, of code, or of data.

Owns the paths. `.gitlab-ci.yml` has to repeat them, since GitLab decides by its own rules which jobs there are; a test
compares the two.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from ml_platform import yaml_text

from ml_ci.errors import CiError

Cause = Literal["platform", "code", "data"]
"""The first of them that applies is the one that is told."""

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "stacks"
EMBEDDED = "local"
"""The stack of `make up`: a machine's own, which no CI updates."""

SHARED: Mapping[Cause, tuple[str, ...]] = {
    "platform": (
        "Pulumi.yaml",
        "platform/",
        "policies/PulumiPolicy.yaml",
        "policies/__main__.py",
        "policies/exemptions.toml",
        "policies/ml_policies/",
        "policies/prices.toml",
        "policies/profiles/",
        "pyproject.toml",
        "requirements.txt",
        "stacks/__main__.py",
    ),
    "code": ("workloads/",),
}
"""Files, and folders with all below, that are every stack's."""


def own(stack: str) -> tuple[str, str]:
    """The files that are of one stack alone: its settings, and its policies' levels and parameters."""
    return f"{FOLDER}/Pulumi.{stack}.yaml", f"policies/environments/{stack}.toml"


def stacks(root: Path = ROOT) -> list[str]:
    """Those that have a stack file, but the embedded one."""
    names = (path.stem.removeprefix("Pulumi.") for path in (root / FOLDER).glob("Pulumi.*.yaml"))
    return sorted(name for name in names if name != EMBEDDED)


def check(stack: str, root: Path = ROOT) -> None:
    """
    Raises:
        CiError: there is no such stack.
    """
    if stack not in (known := stacks(root)):
        raise CiError(
            f"--stack {stack!r} has no stack file; there are {', '.join(known) or 'none'}: add {own(stack)[0]}"
        )


def changed(since: str, root: Path = ROOT) -> dict[str, Cause]:
    """What the commits after `since` are to each stack that they touch. Where `since` is not there (a new branch, a
    rewritten one), everything has changed."""
    if not _exists(since, root):
        return dict.fromkeys(stacks(root), "platform")
    # Both places of a file that has moved, and names as they are.
    paths = _git(root, "diff", "--name-only", "--no-renames", "-z", f"{since}...HEAD").split("\0")
    found = {stack: _causes(stack, since, paths, root) for stack in stacks(root)}
    return {stack: min(causes, key=get_args(Cause).index) for stack, causes in found.items() if causes}


def _causes(stack: str, since: str, paths: Iterable[str], root: Path) -> set[Cause]:
    settings, policies = own(stack)
    causes: set[Cause] = set()
    for path in paths:
        if path == settings:
            causes.add(_of_settings(path, since, root))
        elif path == policies:
            causes.add("platform")
        else:
            causes |= {cause for cause, shared in SHARED.items() if _within(path, shared)}
    return causes


def _of_settings(path: str, since: str, root: Path) -> Cause:
    """By the blocks of a stack file that differ. One that can't be read is previewed too, which says why."""
    before, after = _config(_git(root, "show", f"{since}:{path}", check=False)), _config((root / path).read_text())
    if not after:
        return "platform"
    if _without(before, "data") == _without(after, "data"):
        return "data"
    if {**before, "ml-platform:workloads": None} == {**after, "ml-platform:workloads": None}:
        return "code"
    return "platform"


def _config(text: str) -> Mapping[str, Any]:
    """Nothing where the text is no stack file."""
    try:
        return _mapping(_mapping(yaml_text.load(text)).get("config"))
    except yaml.YAMLError:
        return {}


def _without(config: Mapping[str, Any], block: str) -> dict[str, Any]:
    work = _mapping(config.get("ml-platform:workloads"))
    return {**config, "ml-platform:workloads": {key: value for key, value in work.items() if key != block}}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _within(path: str, shared: Iterable[str]) -> bool:
    return any(path == each or (each.endswith("/") and path.startswith(each)) for each in shared)


def _exists(commit: str, root: Path) -> bool:
    return bool(_git(root, "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}", check=False))


def _git(root: Path, *words: str, check: bool = True) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise CiError(f"`git {' '.join(words)}` failed: {done.stderr.strip()}; CI needs the whole history (depth 0)")
    return done.stdout if done.returncode == 0 else ""
