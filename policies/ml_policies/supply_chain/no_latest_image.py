"""No image is whatever is newest."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.images import Image, images


class Refused(Parameters):
    tags: frozenset[str] = frozenset({"latest", "main", "master", "nightly", "edge"})
    """Tags that move with every build."""


def check(image: Image, parameters: Refused) -> Iterator[str]:
    if not image.pinned and image.tag in parameters.tags:
        yield (
            f"{image.holder} runs image {image.reference!r}, which is the tag {image.tag}: another image on "
            "every node and every day; name a release, best by its digest"
        )


POLICY = ResourcePolicy(
    name="no-latest-image",
    asks="No image is named by a tag that moves, such as `latest`.",
    why="Two pods of one Deployment would run different programs, and nobody could go back.",
    parameters=Refused,
    of=images,
    check=check,
    example="""
apiVersion: batch/v1
kind: Job
metadata: {name: load, namespace: models}
spec: {template: {spec: {containers: [{name: load, image: "registry.example.com/load:latest"}]}}}
""",
)
