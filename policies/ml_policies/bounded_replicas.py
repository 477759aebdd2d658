"""A served model scales within a bound: without one, a burst of requests takes the whole cluster."""

from collections.abc import Iterator

from ml_policies.policy import Manifest, Policy

LIMIT = 20
PARTS = ("predictor", "transformer", "explainer")


def check(manifest: Manifest) -> Iterator[str]:
    if manifest["kind"] != "InferenceService":
        return
    for part in PARTS:
        if part not in manifest["spec"]:
            continue
        spec = manifest["spec"][part]
        replicas = spec.get("maxReplicas", 0)
        if not 1 <= replicas <= LIMIT:
            found = f"maxReplicas {replicas:g}" if replicas else "no maxReplicas"
            yield f"its {part} has {found}; set it to a number from 1 to {LIMIT}"


POLICY = Policy(name="bounded-replicas", description=f"A served model has at most {LIMIT} replicas.", check=check)
