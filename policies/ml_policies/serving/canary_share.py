"""A canary is the smaller part."""

from collections.abc import Iterable, Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.serving import served

CANARY = "canary"
KNATIVE = "serving.knative.dev"


class Share(Parameters):
    maximum: int = 50
    """The percent of requests that a canary may get."""


def check(resource: Resource, parameters: Share) -> Iterator[str]:
    for name, share in _shares(resource):
        if share > parameters.maximum:
            yield (
                f"{name} gets {share:g} % of the requests; give it {parameters.maximum} % at most, or promote it: its "
                "version as the version in use, and no canary"
            )


def _shares(resource: Resource) -> Iterator[tuple[str, float]]:
    for part in served(resource):
        percent = part.spec.get("canaryTrafficPercent")
        yield from () if percent is None else ((CANARY, percent),)
    if resource.kind == "HTTPRoute":
        for rule in resource.spec.get("rules") or []:
            yield from _weighed(
                (str(each.get("name")), each.get("weight", 1)) for each in rule.get("backendRefs") or []
            )
    elif resource.kind == "VirtualService":
        for rule in resource.spec.get("http") or []:
            routes = rule.get("route") or []
            yield from _weighed(
                (str((each.get("destination") or {}).get("host")), each.get("weight", 0)) for each in routes
            )
    for target in resource.spec.get("traffic") or () if resource.group == KNATIVE else ():
        if target.get("tag") == CANARY:
            yield str(target.get("configurationName") or CANARY), target.get("percent") or 0


def _weighed(backends: Iterable[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """Of a rule that divides; one that leads to the canary alone is its own address."""
    parts = list(backends)
    whole = sum(weight for _, weight in parts)
    for name, weight in parts if len(parts) > 1 and whole else ():
        if f"-{CANARY}" in name:
            yield name, 100 * weight / whole


POLICY = ResourcePolicy(
    name="canary-share",
    asks="A canary gets half of the requests at most.",
    why="A version that is on trial must not be what most users meet.",
    parameters=Share,
    of=lambda resource: (resource,) if resource.kubernetes else (),
    check=check,
    example="""
apiVersion: serving.knative.dev/v1
kind: Route
metadata: {name: iris, namespace: models}
spec:
  traffic:
    - {configurationName: iris-predictor, percent: 20}
    - {configurationName: iris-canary-predictor, percent: 80, tag: canary}
""",
)
