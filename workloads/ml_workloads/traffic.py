"""The moment when requests are shared as the settings say: the last thing that a change of a served model waits for.

What was asked for is compared with what the controllers say they do, all by the Kubernetes API: a route whose object
was accepted may still lead to where it led before.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi
from ml_platform.handle import ServingMode
from ml_platform.kube import Client, Object

from ml_workloads.awaited import Awaited, AwaitedProvider
from ml_workloads.newest import Part
from ml_workloads.route import HTTP_ROUTE, ROUTE

POLL = 0.2


class TrafficError(Exception):
    """Requests are not shared as asked; the message has what the controllers say."""


class Traffic(Awaited, module="workloads", name="Traffic"):
    """Created or updated when `route` gives `part` of each in `shares` (percent by InferenceService) what it shall
    get."""

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        namespace: str,
        mode: ServingMode,
        part: Part,
        shares: pulumi.Input[Mapping[str, int]],
        served: Sequence[pulumi.Output[str]],
        timeout: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`served` is what the shares stand for, a reason to look again."""
        asked = {
            "namespace": namespace,
            "route": name,
            "mode": mode,
            "part": part,
            "shares": shares,
            "served": list(served),
        }
        super().__init__(_Provider(), name, kubeconfig, {**asked, "timeout": timeout}, [], opts)


class _Provider(AwaitedProvider):
    identity = ("namespace", "route")
    reasons = ("mode", "part", "shares", "served")

    def wait(self, client: Client, props: Mapping[str, Any]) -> dict[str, Any]:
        end = time.monotonic() + float(props["timeout"])
        while pending := MODES[props["mode"]](client, props):
            if time.monotonic() > end:
                raise TrafficError(_complaint(props, pending))
            time.sleep(POLL)
        return {}


def _knative(client: Client, props: Mapping[str, Any]) -> str | None:
    """What is not yet so of a Knative Route: it gives each Configuration's newest ready revision its share."""
    namespace = props["namespace"]
    route = client.get(ROUTE, "Route", props["route"], namespace)
    wanted = {}
    for service, percent in props["shares"].items():
        configuration = client.find(ROUTE, "Configuration", f"{service}-{props['part']}", namespace) or {}
        wanted[configuration.get("status", {}).get("latestReadyRevisionName", "")] = percent
    found = {each["revisionName"]: each.get("percent", 0) for each in route.get("status", {}).get("traffic") or []}
    return _unready(route) or (None if found == wanted else f"it gives {found}, and shall give {wanted}")


def _http(client: Client, props: Mapping[str, Any]) -> str | None:
    """What is not yet so of an HTTPRoute: its gateway has taken it as it is now, and found what it leads to."""
    route = client.get(HTTP_ROUTE, "HTTPRoute", props["route"], props["namespace"])
    parents = route.get("status", {}).get("parents") or []
    for parent in parents:
        said = {each["type"]: each for each in parent.get("conditions") or []}
        for wanted in ("Accepted", "ResolvedRefs"):
            condition = said.get(wanted, {})
            if condition.get("observedGeneration", 0) < route["metadata"]["generation"]:
                return f"its gateway has not seen its last change ({wanted})"
            if condition["status"] != "True":
                return f"{wanted}: {condition.get('message') or condition.get('reason')}"
    return None if parents else "no gateway has seen it"


MODES: Mapping[ServingMode, Callable[[Client, Mapping[str, Any]], str | None]] = {
    "knative": _knative,
    "standard": _http,
}


def _unready(route: Object) -> str | None:
    status = route.get("status", {})
    if status.get("observedGeneration", 0) < route["metadata"]["generation"]:
        return "its controller has not seen its last change"
    for each in status.get("conditions") or [{"type": "Ready", "status": "Unknown"}]:
        if each["status"] != "True" and each.get("severity", "") == "":
            return f"{each['type']}: {each.get('message') or each.get('reason', each['status'])}"
    return None


def _complaint(props: Mapping[str, Any], pending: str) -> str:
    route = f"{props['namespace']}/{props['route']}"
    return (
        f"The requests for {route} are not shared as asked after {props['timeout']:.0f} s: {pending}. Those who "
        "ask are answered as before; run `pulumi up` again when that is mended."
    )
