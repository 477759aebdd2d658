"""A canary is the smaller part."""

from collections.abc import Iterable, Iterator

from ml_policies.engine.policy import Kinds, Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource

CANARY = "canary"


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
    if resource.kind == "InferenceService":
        percent = (resource.spec.get("predictor") or {}).get("canaryTrafficPercent")
        yield from () if percent is None else ((CANARY, percent),)
    elif resource.kind == "HTTPRoute":
        for rule in resource.spec.get("rules") or []:
            yield from _weighed((str(each["name"]), each.get("weight", 1)) for each in rule.get("backendRefs") or [])
    elif resource.kind == "VirtualService":
        for rule in resource.spec.get("http") or []:
            routes = rule.get("route") or []
            yield from _weighed((str(each["destination"]["host"]), each.get("weight", 0)) for each in routes)
    else:
        for part in resource.spec.get("traffic") or []:
            if part.get("tag") == CANARY:
                yield str(part.get("configurationName") or CANARY), part.get("percent") or 0


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
    of=Kinds("InferenceService", "HTTPRoute", "Route", "VirtualService"),
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
