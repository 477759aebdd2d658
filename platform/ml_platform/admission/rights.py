"""Rules about rights in a namespace."""

from __future__ import annotations

from ml_platform.admission.rule import BINDING, ROLE, Rule

RAISING = ("bind", "escalate", "impersonate")
"""Verbs by which an account gets rights that it has not."""
POWERFUL = ("admin", "cluster-admin", "edit", "system:admin", "system:masters")
"""Roles, groups and people as whom one may do everything, even where they are named."""
ANYBODY = ("system:anonymous", "system:authenticated", "system:serviceaccounts", "system:unauthenticated")
MASTERS = ("system:cluster-admins", "system:masters")
"""Groups that may do everything, whatever is bound."""
REFUSED = ("admin", "cluster-admin")
"""Cluster roles that must not be bound."""
_FIELDS = ("verbs", "resources", "apiGroups", "nonResourceURLs")
_STARRED = " + ".join(f"(has(r.{each}) && '*' in r.{each} ? ['{each}'] : [])" for each in _FIELDS)
_ABOUT = "(has(r.resources) ? r.resources : (has(r.nonResourceURLs) ? r.nonResourceURLs : []))"
_NARROW = f"has(r.resourceNames) && r.resourceNames.size() > 0 && !r.resourceNames.exists(n, n in {list(POWERFUL)})"
_RAISED = f"({_NARROW} ? [] : {list(RAISING)}.filter(v, has(r.verbs) && v in r.verbs))"
_NUMBER = "'rule ' + string(object.rules.indexOf(r) + 1) + ' has '"
_ROLE = "object.roleRef.name"

WILDCARDS = Rule(
    policy="no-wildcard-rights",
    kind=ROLE,
    said=(
        "(has(object.rules) ? object.rules : []).map(r, "
        f"[{_STARRED}].filter(s, s.size() > 0 && s != ['apiGroups']).map(s, {_NUMBER} + '`*` in ' + s.join(', ') "
        f"+ ' (' + {_ABOUT}.join(', ') + '); list what is needed') + "
        f"[{_RAISED}].filter(s, s.size() > 0).map(s, {_NUMBER} + s.join(', ') + ', so its holder may take any right; "
        "name the resources')).filter(s, s.size() > 0).map(s, s.join('; '))"
    ),
)
ADMINISTRATORS = Rule(
    policy="no-cluster-admin",
    kind=BINDING,
    variables={
        "subjects": "has(object.subjects) ? object.subjects.map(s, string(s.name)) : []",
        "anybody": f"{list(ANYBODY)}.filter(s, s in variables.subjects)",
        "masters": f"{list(MASTERS)}.filter(s, s in variables.subjects)",
    },
    said=(
        f"(variables.anybody.size() > 0 ? ['it gives ' + {_ROLE} + ' to ' + variables.anybody.join(', ') + "
        "', which is everybody; bind it to those who need it'] : []) + "
        "(variables.masters.size() > 0 ? ['it is for ' + variables.masters.join(', ') + "
        "', who may do everything anyway; bind it to those who need it'] : []) + "
        f"(object.roleRef.kind == 'ClusterRole' && {_ROLE} in {list(REFUSED)} ? ['it makes ' + "
        f"(variables.subjects.size() > 0 ? variables.subjects.join(', ') : 'nobody') + ' ' + {_ROLE} + "
        "'; bind a role with the rights that are used'] : [])"
    ),
)
