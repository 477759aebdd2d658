"""Images come from registries that somebody has chosen."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.images import Image, images


class Registries(Parameters):
    registries: tuple[str, ...] = ()
    """Hosts of registries, as patterns (`*.example.com`), or with the beginning of a path (`ghcr.io/kserve/*`). None:
    all are allowed."""


def check(image: Image, parameters: Registries) -> Iterator[str]:
    whole = f"{image.registry}/{image.reference.removeprefix(f'{image.registry}/')}"
    allowed = any(
        fnmatchcase(whole if "/" in pattern else image.registry, pattern) for pattern in parameters.registries
    )
    if parameters.registries and not allowed:
        yield (
            f"{image.holder} runs {image.reference!r} from {image.registry}; allowed are "
            f"{', '.join(parameters.registries)}: copy it there, or allow its registry in the policy's settings"
        )


POLICY = ResourcePolicy(
    name="image-registry",
    asks="Every image comes from an allowed registry.",
    why="Whoever owns the registry decides what runs in the cluster.",
    parameters=Registries,
    of=images,
    check=check,
    example_settings={"registries": ("registry.example.com",)},
    example="""
apiVersion: v1
kind: Pod
metadata: {name: shell, namespace: models}
spec: {containers: [{name: shell, image: "registry.elsewhere.test/shell:1"}]}
""",
)
