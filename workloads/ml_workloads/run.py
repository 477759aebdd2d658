"""What all runs of ours in containers share: description, place for the verdict, identity, object, outcome.

A run is never edited. Its key carries a hash of all that it does, so a change is a new run, and no change is no run.
It is no component: all that it declares are children of the component whose run it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject

from ml_workloads.learning_settings import LearningSettings
from ml_workloads.run_kinds import RunKindName
from ml_workloads.run_outcome import Result, RunOutcome
from ml_workloads.workspace import Workspace

SPEC, FOLDER = "run.json", "/etc/ml-platform"
MOUNTS = {"description": FOLDER, "tmp": "/tmp"}  # noqa: S108 - the container's own
"""What the container of every run has."""


@dataclass(frozen=True, kw_only=True)
class RunArgs:
    workspace: Workspace
    key: str
    """`<name>-<hash of all that it does>`: the name of its object, and of the ConfigMap with its verdict."""
    account: str
    description: Mapping[str, Any]
    """What the container is told; by whom, and where its verdict goes, is added."""
    program: Mapping[str, str] = field(default_factory=dict)
    """Files of one's own that lie beside the description."""
    pod: Mapping[str, Any]
    """Its specification without identity and volumes."""
    settings: LearningSettings
    result: Result
    kind: RunKindName = "job"
    manifest: "Callable[[RunArgs, Mapping[str, Any]], Mapping[str, Any]] | None" = None
    """The object that runs a pod of the given specification; without it, a Job."""


class Run:
    """One run of `component`, from its description to its outcome."""

    key: str
    outcome: RunOutcome

    def __init__(self, component: Component, name: str, args: RunArgs) -> None:
        self.key = args.key
        passive = args.workspace.passive(component)
        needs = [
            KubernetesObject(f"{name}-run", _description(args), passive),
            # Without data: the run writes the verdict, and nothing else may.
            KubernetesObject(f"{name}-verdict", _configmap(args, args.key), passive),
            *(KubernetesObject(f"{name}-run", manifest, passive) for manifest in _identity(args)),
        ]
        item = (args.manifest or job)(args, _pod(args))
        # The outcome waits, and knows more about a run than that its object is complete.
        marks = {**item["metadata"].get("annotations", {}), "pulumi.com/skipAwait": "true"}
        marked = {**item, "metadata": {**item["metadata"], "annotations": marks}}
        self.outcome = RunOutcome(
            name,
            kubeconfig=args.workspace.platform.kubeconfig,
            namespace=args.workspace.name,
            run=args.key,
            timeout=args.settings.timeout,
            result=args.result,
            kind=args.kind,
            opts=component.child(depends_on=[KubernetesObject(name, marked, component.child(depends_on=needs))]),
        )


def job(args: RunArgs, pod: Mapping[str, Any]) -> Mapping[str, Any]:
    name, _, run = args.key.rpartition("-")
    workspace, settings = args.workspace, args.settings
    return pods.job(
        name,
        workspace.name,
        workspace.labels,
        pod,
        run=run,
        retries=settings.retries,
        deadline=settings.timeout,
        awaited=False,
    )


def _pod(args: RunArgs) -> dict[str, Any]:
    more = {**args.pod, "automountServiceAccountToken": True}
    volumes = [{"name": "description", "configMap": {"name": f"{args.key}-description"}}, pods.scratch(size="1Gi")]
    placed = args.workspace.platform.placed(args.settings.pool)
    return pods.pod(args.account, **{**more, "volumes": [*volumes, *more.get("volumes", [])], **placed})


def _description(args: RunArgs) -> dict[str, Any]:
    place = {"namespace": args.workspace.name, "configmap": args.key}
    spec = {**args.description, "run": args.key, "verdict": place}
    content = pulumi.Output.json_dumps(spec, indent=2, sort_keys=True)
    return {**_configmap(args, f"{args.key}-description"), "data": {**args.program, SPEC: content}}


def _configmap(args: RunArgs, name: str) -> dict[str, Any]:
    meta = pods.metadata(args.key, args.workspace.name, args.workspace.labels)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "name": name}}


def _identity(args: RunArgs) -> list[dict[str, Any]]:
    """An account that may write the verdict of this run, and nothing else."""
    workspace, group = args.workspace, "rbac.authorization.k8s.io"
    meta = pods.metadata(args.account, workspace.name, workspace.labels)
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [args.key], "verbs": ["get", "patch"]}]
    return [
        workspace.account(args.account),
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": args.account},
            "subjects": [{"kind": "ServiceAccount", "name": args.account, "namespace": workspace.name}],
        },
    ]
