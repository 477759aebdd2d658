"""A transformer as part of an InferenceService: KServe leads requests to it, and it asks the predictor behind.

It owns the manifest of that part and the ConfigMap that holds a script, whose name says which script it is.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject

from ml_workloads import script
from ml_workloads.packages import SERVING
from ml_workloads.sources import CONTAINER, HELD, PORT, SILENCE, TMP, Source, asked_from
from ml_workloads.transformer_settings import TransformerSettings
from ml_workloads.workspace import MODEL, Workspace

PROGRAM = "/opt/transformer"


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """That of one block."""

    block: str
    settings: TransformerSettings
    workspace: Workspace
    text: str | None
    """The script."""

    @classmethod
    def of(cls, block: str, settings: TransformerSettings, workspace: Workspace) -> "Transformer":
        """Reads the script.

        Raises:
            SettingsError: it can't be read.
        """
        named = settings.script
        text = script.text(f"serving.{block}.transformer.script", named, None) if named else None
        return cls(block=block, settings=settings, workspace=workspace, text=text)

    @property
    def _program(self) -> str:
        return f"{self.block}-transformer-{pods.digest(self.text)}"

    def declare(self, parent: Component) -> list[pulumi.Resource]:
        """What its pods mount, as children of `parent`: another script is another resource, so that the way back from
        an update that failed finds the one of before."""
        if self.text is None:
            return []
        meta = pods.metadata(self._program, self.workspace.name, self.workspace.labels)
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {self._file: self.text}}
        namespace = self.workspace.namespace
        options = parent.child(deleted_with=namespace, depends_on=[namespace])
        return [KubernetesObject(self._program, manifest, options)]

    def part(self, source: Source) -> dict[str, Any]:
        """Its part of the InferenceService that serves `source`."""
        volumes = [pods.scratch("tmp", "64Mi")]
        mounts = dict(TMP)
        if self.text is not None:
            volumes.append({"name": "program", "configMap": {"name": self._program}})
            mounts["program"] = PROGRAM
        args = ["--model_name", source.name, *(["--protocol", source.protocol] if self.text is not None else [])]
        command = {} if self.text is None else {"command": ["python", f"{PROGRAM}/{self._file}"]}
        container = pods.container(
            CONTAINER,
            self.settings.image or self.workspace.platform.image(SERVING),
            self.settings.resources,
            env={"HOME": TMP["tmp"], **(asked_from(source.settings) if self.text is not None else {})},
            mounts=mounts,
            reads=["program"],
            args=args,
            ports=[{"containerPort": PORT, "protocol": "TCP"}],
            readinessProbe=pods.probe(PORT, source.ready, failureThreshold=SILENCE),
            securityContext=HELD,
            terminationMessagePolicy="FallbackToLogsOnError",
            **command,
        )
        return {
            "serviceAccountName": MODEL,
            "automountServiceAccountToken": False,
            "containers": [container],
            "volumes": volumes,
        }

    @property
    def _file(self) -> str:
        return PurePosixPath(str(self.settings.script)).name
