"""A bundle as a Pulumi component: its objects in phases, each a resource of its own."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform.bundles.catalog import PodSecurity
from ml_platform.bundles.definitions import Definitions
from ml_platform.bundles.drain import Drain
from ml_platform.bundles.gates import WebhookGate
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.parse import Object
from ml_platform.bundles.phases import PASSIVE, Phase, by_phase
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.transforms import Transform, compose, image_map, labels, pod_security
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject


@dataclass(frozen=True, kw_only=True)
class BundleArgs:
    """What one bundle takes beside the installation. What decides existence is plain; values inside of objects may be
    Outputs."""

    installation: Installation
    bundle: str
    """Its name in the catalog."""
    transforms: Sequence[Transform] = ()
    extra: Sequence[Object] = ()
    """Objects that the release leaves to its user; declared in their phase."""
    pod_security: PodSecurity | None = None
    """Other than the catalog's."""
    retain_namespace: bool = False
    after: Sequence[pulumi.Resource] = ()
    """What it needs in order to start."""
    over: Sequence[pulumi.Resource] = ()
    """What it needs in order to work: declared before its custom resources, and there until they are gone."""


class Bundle(Component):
    """All of one bundle. What depends on it waits until its webhooks answer and its custom resources exist."""

    token = "ml-platform:bundles:Bundle"  # noqa: S105 - a type token

    namespace: str
    kinds: Sequence[pulumi.Resource]
    """The CRDs: what only watches its objects needs no more of it."""
    ready: pulumi.Resource
    """Everything runs and answers; what depends on it is gone before anything of the bundle goes."""

    def __init__(self, name: str, args: BundleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self._installation = installation = args.installation
        self._entry = installation.entry(args.bundle)
        self.namespace = self._entry.namespace
        transform = compose([
            image_map(self._entry.images, installation.images, installation.registry), labels(installation.labels),
            pod_security(args.pod_security or self._entry.pod_security), *args.transforms,
        ])  # fmt: skip
        released = by_phase([*load(self._entry, installation.mirror), *args.extra])
        phases = {
            phase: [transform(item) for item in items] if phase is not Phase.DEFINITIONS else items
            for phase, items in released.items()
        }
        self._namespaces: dict[str, pulumi.Resource] = {}
        ready = self._declare(phases[Phase.NAMESPACES], [*installation.after, *args.after])
        self._namespaces = {
            item["metadata"]["name"]: resource for item, resource in zip(phases[Phase.NAMESPACES], ready, strict=True)
        }
        self.kinds = self._define(phases[Phase.DEFINITIONS], ready)
        ready = [*self._declare(phases[Phase.CONFIGURATION], ready), *self.kinds] or ready
        ready = self._declare(phases[Phase.WORKLOADS], ready) or ready
        ready = self._declare(phases[Phase.WEBHOOKS], ready) or ready
        ready = self._guard(phases[Phase.WORKLOADS] + phases[Phase.WEBHOOKS], ready) or ready
        self.ready = self._drain(phases[Phase.DEFINITIONS], [*ready, *args.over])
        self._declare(phases[Phase.CUSTOM], [self.ready])
        self.register_outputs({"namespace": self.namespace})

    def _declare(self, items: Sequence[Object], after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        return [
            KubernetesObject(self._child_name(item), item, self.child(depends_on=after, **self._fate(item)))
            for item in items
        ]

    def _child_name(self, item: Object) -> str:
        namespace = item["metadata"].get("namespace", self.namespace)
        middle = "" if namespace == self.namespace else f"{namespace}-"
        return f"{self._name}-{middle}{item['metadata']['name']}"

    def _fate(self, item: Object) -> dict[str, Any]:
        """Deleted with its namespace where that is ours and goes; kept where the settings say so."""
        if item["kind"] == "Namespace":
            return {"retain_on_delete": self._args.retain_namespace}
        namespace = self._namespaces.get(item["metadata"].get("namespace", ""))
        if item["kind"] in PASSIVE and namespace is not None and not self._args.retain_namespace:
            return {"deleted_with": namespace}
        return {}

    def _define(self, items: Sequence[Object], after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        if not items:
            return []
        definitions = Definitions(
            f"{self._name}-definitions",
            bundle=self._entry.name,
            version=self._entry.version,
            mirror=self._installation.mirror,
            definitions=items,
            labels=self._installation.labels,
            retain=self._installation.retain_definitions,
            kubeconfig=self._installation.kubeconfig,
            opts=self.child(depends_on=after),
        )
        return [definitions]

    def _drain(self, items: Sequence[Object], after: Sequence[pulumi.Resource]) -> Drain:
        return Drain(
            f"{self._name}-drain",
            definitions=[item["metadata"]["name"] for item in items],
            retain=self._installation.retain_definitions,
            kubeconfig=self._installation.kubeconfig,
            opts=self.child(depends_on=after),
        )

    def _guard(self, served: Sequence[Object], after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        if not self._entry.probes:
            return []
        trigger = pulumi.Output.json_dumps(list(served)).apply(lambda text: hashlib.sha256(text.encode()).hexdigest())
        gate = WebhookGate(
            f"{self._name}-gate",
            namespace=self.namespace,
            probes=self._entry.probes,
            trigger=trigger,
            kubeconfig=self._installation.kubeconfig,
            opts=self.child(depends_on=after),
        )
        return [gate]
