"""Rules about the images of pods: containers of all sorts, and volumes that are images."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ml_platform.admission.rule import POD, Rule

_IMAGES = " + ".join(
    (
        *(
            f"(has(object.spec.{each}) ? object.spec.{each}"
            ".map(c, ['container ' + string(c.name), has(c.image) ? string(c.image) : '']) : [])"
            for each in ("containers", "initContainers", "ephemeralContainers")
        ),
        "(has(object.spec.volumes) ? object.spec.volumes.filter(v, has(v.image))"
        ".map(v, ['volume ' + string(v.name), has(v.image.reference) ? string(v.image.reference) : '']) : [])",
    )
)
"""A pair for each: who has it, and its reference."""
_LOOSE = "!i[1].matches('@sha256:[0-9a-f]{64}$')"
_LAST = "i[1].split('@')[0].split('/').reverse()[0]"
_TAG = f"({_LAST}.contains(':') ? {_LAST}.substring({_LAST}.indexOf(':') + 1) : (i[1].contains('@') ? '' : 'latest'))"
_FIRST = "i[1].split('/')[0]"
_HOST = f"({_FIRST}.contains('.') || {_FIRST}.contains(':') || {_FIRST} == 'localhost')"
_REGISTRY = f"(i[1].contains('/') && {_HOST} ? {_FIRST} : 'docker.io')"
_WHOLE = f"(i[1].contains('/') && {_HOST} ? i[1] : 'docker.io/' + i[1])"
_RUNS = "i[0] + ' runs image \\'' + i[1] + '\\''"
MOVING = ("edge", "latest", "main", "master", "nightly")
"""Tags that move with every build."""

BY_DIGEST = Rule(
    policy="image-by-digest",
    kind=POD,
    variables={"images": _IMAGES},
    said=(
        f"variables.images.filter(i, {_LOOSE}).map(i, {_RUNS} + ', which can change under its name; name it by digest: "
        "<registry>/<image>@sha256:<digest>')"
    ),
)
NOT_LATEST = Rule(
    policy="no-latest-image",
    kind=POD,
    variables={
        "images": _IMAGES,
        "tagged": f"variables.images.filter(i, {_LOOSE}).map(i, [i[0], i[1], {_TAG}])",
    },
    said=(
        f"variables.tagged.filter(i, i[2] in {list(MOVING)}).map(i, {_RUNS} + ', which is the tag ' + i[2] + "
        "': another image on every node and every day; name a release, best by its digest')"
    ),
)


def from_registries(patterns: Sequence[str]) -> Rule:
    """Images come from these: hosts as patterns (`*.example.com`), or with the beginning of a path."""
    allowed = " || ".join(f"i[{3 if '/' in each else 2}].matches('{_regex(each)}')" for each in patterns)
    return Rule(
        policy="image-registry",
        kind=POD,
        variables={
            "images": _IMAGES,
            "found": f"variables.images.map(i, [i[0], i[1], {_REGISTRY}, {_WHOLE}])",
        },
        said=(
            f"variables.found.filter(i, !({allowed})).map(i, i[0] + ' runs \\'' + i[1] + '\\' from ' + i[2] + "
            f"'; allowed are {', '.join(patterns)}: copy it there, or allow its registry in the policy\\'s settings')"
        ),
    )


def _regex(pattern: str) -> str:
    """A pattern of a shell as a regular expression inside a string of CEL."""
    return f"^{'.*'.join(map(re.escape, pattern.split('*')))}$".replace("\\", "\\\\")
