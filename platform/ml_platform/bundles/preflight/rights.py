"""Whether the kubeconfig's user may install a platform; without the rights an install would stop half-way."""

from collections.abc import Iterator, Sequence

from ml_platform.kube import Client, Object

NEEDED = (
    ("", "namespaces"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
)


def read(client: Client) -> list[Object]:
    """A SelfSubjectAccessReview of each right in NEEDED; the API server stores none of them."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return [client.request("POST", path, body=_review(group, resource)) for group, resource in NEEDED]


def findings(reviews: Sequence[Object]) -> Iterator[str]:
    """One finding for all missing rights."""
    denied = [
        each["spec"]["resourceAttributes"]["resource"] for each in reviews if not each["status"].get("allowed", False)
    ]
    if denied:
        yield (
            f"The kubeconfig's user may not create {', '.join(denied)}. Take one with ClusterRole cluster-admin, or "
            "ask whoever runs the cluster for these rights."
        )


def _review(group: str, resource: str) -> Object:
    attributes = {"group": group, "resource": resource, "verb": "create"}
    spec = {"resourceAttributes": attributes}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
