"""Writes docs/policies.md out of the policies themselves: `make policies`."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from ml_policies.catalog import GROUPS
from ml_policies.engine.judge import Judge
from ml_policies.engine.policy import Policy
from ml_policies.engine.resource import Resource

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policies.md"
INTRODUCTION = """\
# Policies

What a stack must fulfil before anything of it is touched. `pulumi preview --policy-pack policies` judges every object,
those of foreign releases too; a mandatory finding fails the preview, an advisory one is a remark. This page is written
by `make policies`.

**Settings** of an environment are in `policies/environments/<stack>.toml`, by policy: `enforcementLevel` (mandatory,
advisory, disabled) and the parameters below; `<policy> = "advisory"` is a level alone. `profile = "production"` in the
first line takes those of `policies/profiles/production.toml`, over which the stack's own go. `--policy-pack-config
FILE` (JSON) goes over both for one run. Unknown policies, parameters and profiles are rejected.

**Exemptions** are in `policies/exemptions.toml`: policies, patterns for resources, a reason, and a last day, after
which the finding is back. Every run reports those that it used.

**Values that are not known before the update** end a policy for that part of a resource. The report counts and names
them; in an object of a bundle, a mandatory policy refuses what it can't judge. So does one that crashes.

**Prices** for the monthly cost are in `policies/prices.toml`.

**What no preview sees** — what `kubectl`, a notebook or a controller makes — the API server judges where
`ml-platform:platform.admission` is set: `image-by-digest`, `no-latest-image`, `image-registry` with
`admission.registries`, `bounded-resources`, `no-default-token`, `no-wildcard-rights` and `no-cluster-admin`, in the
same words, for pods, Roles and RoleBindings of namespaces of workloads. Their pods keep `restricted-pods` and
`host-access` by Kubernetes' own Pod Security Standards. What was there before stays, and can be changed in all that no
rule is about.
"""


def page() -> str:
    return INTRODUCTION + "".join(f"\n{block}\n" for group in GROUPS for block in _group(group))


def _group(group: ModuleType) -> Iterator[str]:
    title = group.__name__.rpartition(".")[2].replace("_", " ").capitalize()
    yield f"## {title}\n\n{(group.__doc__ or '').strip()}"
    yield from map(_policy, GROUPS[group])


def _policy(policy: Policy) -> str:
    parts = [f"### {policy.name}", f"{policy.asks} {policy.why}"]
    if policy.level != "mandatory":
        parts[1] += f" {policy.level.capitalize()}, unless an environment says otherwise."
    if fields := policy.parameters.model_fields:
        said = described(policy)
        parts.append("\n".join(_parameter(name, field, said[name]) for name, field in fields.items()))
    parts.append(f"Refuses:\n\n```yaml\n{policy.example.strip()}\n```")
    parts.append("Says:\n\n```text\n" + "\n".join(findings(policy)) + "\n```")
    return "\n\n".join(parts)


def _parameter(name: str, field: FieldInfo, description: str) -> str:
    return f"- `{name}` (`{json.dumps(_plain(field.default))}`): {' '.join(description.split())}"


def described(policy: Policy) -> dict[str, str]:
    """The docstring behind each parameter. Read here, since pydantic's own reading would cost every preview a tenth of
    a second."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(policy.parameters))).body
    return {
        field.target.id: text.value.value
        for field, text in pairwise(definition.body if isinstance(definition, ast.ClassDef) else ())
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def findings(policy: Policy) -> list[str]:
    """What the policy says of its example, under settings in which it has something to say."""
    judge = Judge([policy], [])
    judge.configure(policy.name, "mandatory", policy.example_settings)
    resources = [_resource(each) for each in yaml.safe_load_all(policy.example)]
    found = [*(each for one in resources for each in judge.judge(one)), *judge.stack_findings(resources)]
    return [each.message for each in found]


def _resource(document: dict[str, Any]) -> Resource:
    """Of an example: a manifest, or type, name and props."""
    if "props" in document:
        return Resource(**document)
    version, kind = document["apiVersion"], document["kind"]
    return Resource(type=f"kubernetes:{version}:{kind}", name=document["metadata"]["name"], props=document)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
