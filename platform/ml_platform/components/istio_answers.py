"""Istio's own answer to requests for hosts that nobody serves: a 404 that lists the hosts which are served.

Envoy answers such requests itself, with an empty body and the flag NR, on every listener. A VirtualService for all
hosts has no place: Gateways of the Gateway API take none, and a Gateway of Istio's own with all hosts would compete for
the port of HTTPS.
"""

from collections.abc import Mapping
from typing import Any

API = "networking.istio.io/v1alpha3"
MANAGER = "envoy.filters.network.http_connection_manager"
MANAGER_TYPE = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
HOST = "%REQ(:AUTHORITY)%"
"""What Envoy replaces with the host of the request."""


def envoy_filter(pods: Mapping[str, str], text: str) -> dict[str, Any]:
    """The specification of the EnvoyFilter that gives those 404s `text`; `pods` are the labels of the gateway's
    pods."""
    answer = {
        "filter": {"response_flag_filter": {"flags": ["NR"]}},
        "body_format_override": {"text_format_source": {"inline_string": text}},
    }
    settings = {"@type": MANAGER_TYPE, "local_reply_config": {"mappers": [answer]}}
    patch = {
        "applyTo": "NETWORK_FILTER",
        "match": {"context": "GATEWAY", "listener": {"filterChain": {"filter": {"name": MANAGER}}}},
        "patch": {"operation": "MERGE", "value": {"name": MANAGER, "typed_config": settings}},
    }
    return {"workloadSelector": {"labels": dict(pods)}, "configPatches": [patch]}
