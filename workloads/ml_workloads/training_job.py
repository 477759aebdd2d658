"""A training run: what to train on what, the gate it has to pass, and its verdict.

A run is never edited. Its name carries a hash of all that it runs (image, data, parameters, gate), so a change is a new
run, and no change is no run. What became of it is a RunOutcome.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject

from ml_workloads.run_outcome import RunOutcome
from ml_workloads.settings import TrainingSettings
from ml_workloads.table import Table
from ml_workloads.workspace import Workspace

SPEC, FOLDER = "run.json", "/etc/ml-platform"


@dataclass(frozen=True, kw_only=True)
class TrainingJobArgs:
    workspace: Workspace
    table: Table
    settings: TrainingSettings


class TrainingJob(Component):
    token = "ml-platform:workloads:TrainingJob"  # noqa: S105 - a type token

    model: str
    """Name of the registered model."""
    run: str
    """Key of the run, and name of its Job and of the ConfigMap with its verdict."""
    outcome: RunOutcome

    def __init__(self, name: str, args: TrainingJobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        self._account = f"training-{name}"
        self.model = args.settings.model or name
        image = args.workspace.platform.images["training"]
        self.run = f"{name}-{pods.digest(self._what(), args.table.version, image)}"
        self._meta = pods.metadata(self.run, args.workspace.name, args.workspace.labels)
        passive = args.workspace.passive(self)
        needs = [
            KubernetesObject(f"{name}-run", self._description(), passive),
            # Without data: the run writes the verdict, and nothing else may.
            KubernetesObject(f"{name}-verdict", self._configmap(self.run), passive),
            *(KubernetesObject(f"{name}-run", manifest, passive) for manifest in self._identity()),
        ]
        job = KubernetesObject(name, self._job(image), self.child(depends_on=needs))
        self.outcome = RunOutcome(
            name,
            kubeconfig=args.workspace.platform.kubeconfig,
            namespace=args.workspace.name,
            run=self.run,
            timeout=args.settings.timeout,
            opts=self.child(depends_on=[job]),
        )
        self.register_outputs({"run": self.run, "version": self.outcome.version})

    def _what(self) -> dict[str, Any]:
        """All that the run does; retries, limits and patience are how, and no reason for a new run."""
        settings, table = self._args.settings, self._args.table
        return {
            "dataset": {"bucket": table.bucket, "key": table.path},
            "columns": list(table.columns),
            "target": settings.target,
            "estimator": settings.estimator,
            "parameters": settings.parameters,
            "held_out": settings.held_out,
            "seed": settings.seed,
            "gate": settings.gate.model_dump(mode="json"),
            "model": self.model,
        }

    def _description(self) -> dict[str, Any]:
        workspace, table = self._args.workspace, self._args.table
        known = {"sha256": table.sha256} if table.sha256 else {}
        spec = {
            **self._what(),
            "dataset": {"bucket": table.bucket, "key": table.key, **known},
            "run": self.run,
            "code_version": workspace.platform.images["training"].partition("@")[2],
            "verdict": {"namespace": workspace.name, "configmap": self.run},
        }
        content = pulumi.Output.json_dumps(spec, indent=2, sort_keys=True)
        return {**self._configmap(f"{self.run}-description"), "data": {SPEC: content}}

    def _configmap(self, name: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**self._meta, "name": name}}

    def _identity(self) -> list[dict[str, Any]]:
        """An account that may write the verdict of this run, and nothing else."""
        workspace, group = self._args.workspace, "rbac.authorization.k8s.io"
        meta = pods.metadata(self._account, workspace.name, workspace.labels)
        rules = [
            {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [self.run], "verbs": ["get", "patch"]}
        ]
        return [
            pods.service_account(self._account, workspace.name, workspace.labels),
            {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": rules},
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": meta,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": self._account},
                "subjects": [{"kind": "ServiceAccount", "name": self._account, "namespace": workspace.name}],
            },
        ]

    def _job(self, image: str) -> dict[str, Any]:
        settings, workspace = self._args.settings, self._args.workspace
        train = pods.container(
            "train",
            image,
            settings.resources,
            env={**workspace.environment(), "MLFLOW_TRACKING_URI": workspace.platform.mlflow_url},
            mounts={"description": FOLDER, "tmp": "/tmp"},  # noqa: S108 - the container's own
            args=["ml_runtime.run"],
        )
        volumes = [
            {"name": "description", "configMap": {"name": f"{self.run}-description"}},
            pods.scratch(size="1Gi"),
        ]
        spec = pods.pod(self._account, [train], volumes=volumes, automountServiceAccountToken=True)
        prefix, _, run = self.run.rpartition("-")
        job = pods.job(
            prefix,
            workspace.name,
            workspace.labels,
            spec,
            run=run,
            retries=settings.retries,
            deadline=settings.timeout,
        )
        # The outcome waits, and knows more about a run than that its Job is complete.
        job["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
        return job
