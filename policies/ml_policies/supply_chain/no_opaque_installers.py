"""What is installed is declared, object by object."""

from collections.abc import Iterator
from functools import lru_cache

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack

RELEASE = "kubernetes:helm.sh/v3:Release"
COMMAND = "command:"
DYNAMIC = ("pulumi-python:dynamic", "pulumi-nodejs:dynamic")
EXPANDED = (
    "kubernetes:helm.sh/v2:Chart",
    "kubernetes:helm.sh/v3:Chart",
    "kubernetes:helm.sh/v4:Chart",
    "kubernetes:kustomize:Directory",
    "kubernetes:kustomize/v2:Directory",
    "kubernetes:yaml:ConfigFile",
    "kubernetes:yaml:ConfigGroup",
    "kubernetes:yaml/v2:ConfigFile",
    "kubernetes:yaml/v2:ConfigGroup",
)
"""They have their objects as children, as far as a preview knows their text."""


class Known(Parameters):
    providers: frozenset[str] = frozenset(
        {
            "bundles:Definitions", "bundles:Drain", "bundles:Gate", "bundles:Leftovers", "bundles:Preflight",
            "certificates:WebhookCertificate", "clusters:Volumes", "gateway:Address", "workloads:Rollout",
            "workloads:RunOutcome", "workloads:Traffic",
        }
    )  # fmt: skip
    """Dynamic resources whose code has been read: the project's own."""


def installers(stack: Stack) -> Iterator[Resource]:
    for each in stack:
        if each.type in (RELEASE, *EXPANDED) or each.type.startswith((COMMAND, *DYNAMIC)):
            yield each


def check(installer: Resource, stack: Stack, parameters: Known) -> Iterator[str]:
    kind = installer.type
    if kind == RELEASE:
        yield "Helm installs it where no preview and no policy sees an object of it; declare it as a bundle"
    elif kind.startswith(COMMAND):
        yield "it runs a command of which nobody knows what it changes; declare what it makes as resources"
    elif kind in EXPANDED:
        if installer.urn not in _parents(stack):
            yield "none of its objects is known before the update, so none is judged; declare it as a bundle"
    elif kind.rpartition("/")[2] not in parameters.providers:
        yield "its provider is a program of its own that no policy knows; read it, then name it in `providers`"


@lru_cache(maxsize=2)
def _parents(stack: Stack) -> frozenset[str]:
    return frozenset(each.parent for each in stack)


POLICY = StackPolicy(
    name="no-opaque-installers",
    asks="Nothing is installed by what hides its objects: Helm releases, commands, unknown dynamic providers.",
    why="What is not declared is neither shown by a preview nor judged, and may be anything.",
    parameters=Known,
    subjects=installers,
    check=check,
    example="""
type: kubernetes:helm.sh/v3:Release
name: web
props: {chart: web, repositoryOpts: {repo: https://charts.example.com}}
""",
)
