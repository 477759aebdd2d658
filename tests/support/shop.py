"""What somebody runs on their own cluster: a shop, with a kind and a class of its own."""

from __future__ import annotations

from typing import Any

from ml_platform.kube import Client, NotFound
from support.made_up import definition, thing
from support.until import until

NAMESPACE = "shop"
SERVER = "import http.server as h; h.ThreadingHTTPServer(('', 8000), h.SimpleHTTPRequestHandler).serve_forever()"


def open_on(client: Client, image: str, patience: float = 60) -> None:
    """Applies all of it, and waits until customers can come."""
    for item in _objects(image):
        client.apply(item, field_manager="shopkeeper")
    until(lambda: _open(client), "the shop has not opened", patience)


def _open(client: Client) -> bool:
    try:
        client.apply(
            thing("Order", f"{NAMESPACE}/first", "shop.test/v1", spec={"flowers": 3}), field_manager="shopkeeper"
        )
    except NotFound:  # its kind is not served yet
        return False
    return client.get("apps/v1", "Deployment", "front", NAMESPACE).get("status", {}).get("readyReplicas") == 1


def _objects(image: str) -> list[dict[str, Any]]:
    labels = {"app": "front"}
    container = {
        "name": "front",
        "image": image,
        "command": ["tini", "--", "python", "-c", SERVER],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    }
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container], "enableServiceLinks": False}}
    reader = [{"apiGroups": ["shop.test"], "resources": ["orders"], "verbs": ["get", "list"]}]
    rights = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    role = thing("ClusterRole", "shop-reader", "rbac.authorization.k8s.io/v1", rules=reader)
    role["metadata"]["labels"] = rights
    return [
        thing("Namespace", NAMESPACE),
        definition("orders", "shop.test", "Order"),
        role,
        thing("PriorityClass", "shop", "scheduling.k8s.io/v1", value=1000),
        thing("IngressClass", "shop", "networking.k8s.io/v1", spec={"controller": "shop.test/front"}),
        thing("ConfigMap", f"{NAMESPACE}/prices", data={"rose": "3"}),
        thing("Secret", f"{NAMESPACE}/till", stringData={"code": "1234"}),
        thing("Service", f"{NAMESPACE}/front", spec={"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]}),
        thing(
            "Deployment",
            f"{NAMESPACE}/front",
            "apps/v1",
            spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": pod},
        ),
    ]
