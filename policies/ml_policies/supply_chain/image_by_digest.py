"""Images are named by digest."""

from collections.abc import Iterator

from ml_policies.engine.policy import NoParameters, ResourcePolicy
from ml_policies.shapes.images import Image, images


def check(image: Image, _: NoParameters) -> Iterator[str]:
    if not image.pinned:
        yield (
            f"{image.holder} runs image {image.reference!r}, which can change under its name; "
            "name it by digest: <registry>/<image>@sha256:<digest>"
        )


POLICY = ResourcePolicy(
    name="image-by-digest",
    asks="Every image is named by its digest.",
    why="What was tested is what runs, and a registry can't change it afterwards.",
    of=images,
    check=check,
    example="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: database, namespace: models}
spec: {template: {spec: {containers: [{name: main, image: "registry.example.com/postgres:15"}]}}}
""",
)
