"""Transforms of Services: the type, which decides how a Service is reached from outside."""

from typing import Literal

from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.transform import Aimed, Transform

ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]

_TYPES_OF_FIELDS = {  # field -> the types that allow it
    "allocateLoadBalancerNodePorts": {"LoadBalancer"},
    "externalTrafficPolicy": {"NodePort", "LoadBalancer"},
    "healthCheckNodePort": {"LoadBalancer"},
    "loadBalancerClass": {"LoadBalancer"},
    "loadBalancerIP": {"LoadBalancer"},
    "loadBalancerSourceRanges": {"LoadBalancer"},
}


def service_type(name: str, kind: ServiceType) -> Transform:
    """Sets the type of Service `name` and removes the fields that only its former type has."""

    def change(item: Object) -> Object:
        spec = {key: value for key, value in item["spec"].items() if kind in _TYPES_OF_FIELDS.get(key, {kind})}
        if kind == "ClusterIP":
            spec["ports"] = [
                {key: value for key, value in port.items() if key != "nodePort"} for port in spec.get("ports") or []
            ]
        return {**item, "spec": {**spec, "type": kind}}

    return Aimed("Service", name, change)
