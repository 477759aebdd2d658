"""Rules about what pods take, and by which account they are known."""

from __future__ import annotations

from ml_platform.admission.rule import POD, Rule

SIDECARS = ("istio-proxy", "queue-proxy")
"""Containers that Istio and Knative add, and that they size by settings of their own."""
_NEEDS = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
_MISSING = " + ".join(
    f"(has(c.resources) && has(c.resources.{kind}) && '{name}' in c.resources.{kind} ? [] : ['{kind}.{name}'])"
    for kind, name in _NEEDS
)
_TOLD = "'container ' + string(c.name) + ' has no ' + m.join(', no ') + '; set resources.' + m[0] + ' and so on'"

RESOURCES = Rule(
    policy="bounded-resources",
    kind=POD,
    said=" + ".join(
        f"(has(object.spec.{each}) ? object.spec.{each}.filter(c, !(c.name in {list(SIDECARS)}))"
        f".map(c, [{_MISSING}].filter(m, m.size() > 0).map(m, {_TOLD})).filter(s, s.size() > 0).map(s, s[0]) : [])"
        for each in ("containers", "initContainers")
    ),
)
ACCOUNT = Rule(
    policy="no-default-token",
    kind=POD,
    said=(
        "(!has(object.spec.serviceAccountName) || object.spec.serviceAccountName in ['', 'default']) "
        "&& (!has(object.spec.automountServiceAccountToken) || object.spec.automountServiceAccountToken) "
        "? ['its pods get a token of the service account `default`, which is everybody\\'s; set "
        "automountServiceAccountToken: false, or give them a service account of their own'] : []"
    ),
)
