"""The rules of Traefik's ClusterRole, which depend on the serving mode."""

from typing import Any, Literal

READ = ["get", "list", "watch"]

# All providers of Traefik watch Secrets for certificates, in every namespace whose routes they serve.
_RULES: list[dict[str, Any]] = [
    {"apiGroups": [""], "resources": ["services", "secrets", "nodes"], "verbs": READ},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": READ},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "ingressclasses"], "verbs": READ},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["update"]},
]
_KNATIVE_RULES = [
    {"apiGroups": ["networking.internal.knative.dev"], "resources": ["ingresses"], "verbs": READ},
    {"apiGroups": ["networking.internal.knative.dev"], "resources": ["ingresses/status"], "verbs": ["update"]},
]
_KINDS = (
    "gatewayclasses", "gateways", "httproutes", "grpcroutes", "tlsroutes", "referencegrants", "backendtlspolicies",
)  # fmt: skip
_ROUTE_RULES = [
    {"apiGroups": [""], "resources": ["namespaces", "configmaps"], "verbs": READ},
    {"apiGroups": ["gateway.networking.k8s.io"], "resources": list(_KINDS), "verbs": READ},
    {
        "apiGroups": ["gateway.networking.k8s.io"],
        "resources": [f"{kind}/status" for kind in _KINDS],
        "verbs": ["update"],
    },
]


def rules(mode: Literal["knative", "standard"]) -> list[dict[str, Any]]:
    """The rules of the ClusterRole in this serving mode."""
    return [*_RULES, *(_KNATIVE_RULES if mode == "knative" else _ROUTE_RULES)]
