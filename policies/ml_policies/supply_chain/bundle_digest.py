"""CRDs of a bundle are judged by what pins them: bundle, version, names and digest."""

import re
from collections.abc import Iterator

from ml_policies.engine.policy import Kinds, Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource

SHA256 = re.compile(r"^[0-9a-f]{64}$")


class Refused(Parameters):
    groups: frozenset[str] = frozenset()
    """API groups whose CRDs no bundle may bring, such as those that another team owns."""


def check(definitions: Resource, parameters: Refused) -> Iterator[str]:
    props = definitions.props
    for field in ("bundle", "version"):
        if not props.get(field):
            yield f"its {field} is not named, so nobody can say which release it is; declare it by a bundle"
    if not SHA256.match(str(props.get("digest", ""))):
        yield f"its digest is {props.get('digest', '')!r} and no sha256: the CRDs could be any; declare it by a bundle"
    for name in props.get("names") or []:
        plural, _, group = str(name).partition(".")
        if not plural or "." not in group:
            yield f"{name!r} is no name of a CRD, which is <plural>.<group>"
        elif group in parameters.groups:
            yield f"{name} is of group {group}, which no bundle may bring; use what the cluster has (bundles.existing)"


POLICY = ResourcePolicy(
    name="bundle-digest",
    asks="The CRDs of a bundle are pinned by bundle, version, names and digest.",
    why="A CRD changes what all objects of its kind mean, for the whole cluster.",
    parameters=Refused,
    of=Kinds("pulumi-python:dynamic/bundles:Definitions"),
    check=check,
    example="""
type: pulumi-python:dynamic/bundles:Definitions
name: kserve-definitions
props: {bundle: kserve, version: 0.20.0, digest: "", names: [inferenceservices.serving.kserve.io]}
""",
)
