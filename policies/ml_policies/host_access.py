"""Pods keep away from their node: no privileged container, no host path, none of the host's namespaces.

A pod that needs it says why in its annotation `ml-policies/host-access`; the reason is then there to review.
"""

from collections.abc import Iterator

from ml_policies.pods import containers, templates
from ml_policies.policy import Manifest, Policy

EXEMPTION = "ml-policies/host-access"
HOST = ("hostNetwork", "hostPID", "hostIPC")
WAY_OUT = f"drop it, or give the reason in the pod's annotation {EXEMPTION}"


def check(manifest: Manifest) -> Iterator[str]:
    for template in templates(manifest):
        if _exempt(template):
            continue
        spec = template["spec"]
        yield from (f"{field} opens the node to its pod; {WAY_OUT}" for field in HOST if spec.get(field))
        for volume in spec.get("volumes", []):
            if "hostPath" in volume:
                yield f"volume {volume['name']} is the node's path {volume['hostPath']['path']}; {WAY_OUT}"
        for container in containers(template):
            context = container.get("securityContext", {})
            if context.get("privileged"):
                yield f"container {container['name']} is privileged; {WAY_OUT}"


def _exempt(template: Manifest) -> bool:
    metadata = template.get("metadata", {})
    annotations = metadata.get("annotations", {})
    return bool(annotations.get(EXEMPTION))


POLICY = Policy(name="host-access", description="No pod has access to its node without a reason.", check=check)
