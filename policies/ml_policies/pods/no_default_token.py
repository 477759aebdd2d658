"""Who does not talk to Kubernetes has no token for it."""

from collections.abc import Iterator

from ml_policies.engine.policy import NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import Pod, pods
from ml_policies.shapes.workloads import workload


def own(resource: Resource) -> Iterator[Pod]:
    """Pods without what an operator completes: it gives them their account."""
    return (pod for pod in pods(resource) if pod.whole and not workload(resource).template)


def check(pod: Pod, _: NoParameters) -> Iterator[str]:
    account = pod.spec.get("serviceAccountName") or pod.spec.get("serviceAccount") or "default"
    if account == "default" and pod.spec.get("automountServiceAccountToken") is not False:
        yield (
            "its pods get a token of the service account `default`, which is everybody's; set "
            "automountServiceAccountToken: false, or give them a service account of their own"
        )


POLICY = ResourcePolicy(
    name="no-default-token",
    asks="No pod gets a token of its namespace's default service account.",
    why="Any right ever given to that account would be the right of every pod there.",
    of=own,
    check=check,
    example="""
apiVersion: batch/v1
kind: Job
metadata: {name: load, namespace: models}
spec: {template: {spec: {containers: [{name: load, image: registry.example.com/load}]}}}
""",
)
