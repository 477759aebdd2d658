"""How Services are reached from outside."""

from typing import Literal

from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.transform import Aimed, Transform

ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]

_OF_TYPES = {  # fields that the other types refuse
    "allocateLoadBalancerNodePorts": {"LoadBalancer"},
    "externalTrafficPolicy": {"NodePort", "LoadBalancer"},
    "healthCheckNodePort": {"LoadBalancer"},
    "loadBalancerClass": {"LoadBalancer"},
    "loadBalancerIP": {"LoadBalancer"},
    "loadBalancerSourceRanges": {"LoadBalancer"},
}


def service_type(name: str, kind: ServiceType) -> Transform:
    """The type of Service `name`, without the fields that only its former type has."""

    def change(item: Object) -> Object:
        spec = {key: value for key, value in item["spec"].items() if kind in _OF_TYPES.get(key, {kind})}
        if kind == "ClusterIP":
            spec["ports"] = [
                {key: value for key, value in port.items() if key != "nodePort"} for port in spec.get("ports") or []
            ]
        return {**item, "spec": {**spec, "type": kind}}

    return Aimed("Service", name, change)
