"""One rule, and the ValidatingAdmissionPolicy by which an API server keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ml_platform.labels import WORKLOADS

API = "admissionregistration.k8s.io/v1"
Level = Literal["mandatory", "advisory"]
ACTIONS: Mapping[Level, list[str]] = {"mandatory": ["Deny"], "advisory": ["Warn", "Audit"]}
"""The answers of an API server, by the levels of policies."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The objects that a rule is about."""

    group: str
    version: str
    resources: tuple[str, ...]
    judged: str = "spec"
    """The field that it looks at: an update that leaves it as it is goes through, whatever it holds."""


POD = Kind(group="", version="v1", resources=("pods", "pods/ephemeralcontainers"))
ROLE = Kind(group="rbac.authorization.k8s.io", version="v1", resources=("roles",), judged="rules")
BINDING = Kind(group="rbac.authorization.k8s.io", version="v1", resources=("rolebindings",), judged="subjects")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The twin of a policy."""

    policy: str
    """The name of the policy whose rule it is."""
    kind: Kind
    said: str
    """CEL: the list of the sentences against an object."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """CEL that `said` names as variables.<name>; a later one may name an earlier one."""

    @property
    def name(self) -> str:
        return f"ml-platform-{self.policy}"

    def policy_object(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """The ValidatingAdmissionPolicy."""
        of, judged = self.kind, f"object.{self.kind.judged}"
        matched = {
            "apiGroups": [of.group],
            "apiVersions": [of.version],
            "operations": ["CREATE", "UPDATE"],
            "resources": [*of.resources],
            "scope": "Namespaced",
        }
        changed = (
            f"oldObject == null || !has({judged}) || !has(oldObject.{of.judged}) || {judged} != oldObject.{of.judged}"
        )
        return {
            "apiVersion": API,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": self.name, "labels": dict(labels)},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": [matched]},
                "matchConditions": [{"name": "changed", "expression": changed}],
                "variables": [
                    {"name": name, "expression": text} for name, text in {**self.variables, "said": self.said}.items()
                ],
                "validations": [
                    {
                        "expression": "variables.said.size() == 0",
                        "messageExpression": "variables.said.join('; ')",
                        "reason": "Forbidden",
                    }
                ],
            },
        }

    def binding_object(self, labels: Mapping[str, str], level: Level) -> dict[str, Any]:
        """The ValidatingAdmissionPolicyBinding, for all namespaces of workloads."""
        return {
            "apiVersion": API,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": self.name, "labels": dict(labels)},
            "spec": {
                "policyName": self.name,
                "validationActions": ACTIONS[level],
                "matchResources": {"namespaceSelector": {"matchLabels": {WORKLOADS: "true"}}},
            },
        }
