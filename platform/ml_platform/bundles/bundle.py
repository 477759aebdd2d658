"""A bundle as a Pulumi component: its objects in phases, each a resource of its own."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform.bundles import catalog
from ml_platform.bundles.definitions import Definitions
from ml_platform.bundles.drain import Drain
from ml_platform.bundles.gates import WebhookGate
from ml_platform.bundles.parse import Object
from ml_platform.bundles.phases import PASSIVE, Phase, by_phase
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.transforms import Transform, compose, image_map, labels, pod_security
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject


@dataclass(frozen=True, kw_only=True)
class BundleArgs:
    """What a bundle takes from the stack. `entry` and everything in `images` and `transforms` that decides what exists
    is plain; values inside of objects may be Outputs."""

    entry: str
    kubeconfig: pulumi.Input[str]
    images: Mapping[str, str]
    labels: Mapping[str, str]
    transforms: Sequence[Transform] = ()
    extra: Sequence[Object] = ()
    """Objects that the release leaves to its user, such as a certificate; declared in their phase."""
    pod_security: str = "restricted"
    retain_namespace: bool = False
    retain_definitions: bool = True
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
        self._entry = catalog.entry(args.entry)
        self.namespace = self._entry.namespace
        transform = compose([
            image_map(self._entry.images, args.images), labels(args.labels), pod_security(args.pod_security),
            *args.transforms,
        ])  # fmt: skip
        released = by_phase([*load(self._entry), *args.extra])
        phases = {
            phase: [transform(item) for item in items] if phase is not Phase.DEFINITIONS else items
            for phase, items in released.items()
        }
        self._namespaces: dict[str, pulumi.Resource] = {}
        ready = self._declare(phases[Phase.NAMESPACES], list(args.after))
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
            definitions=items,
            labels=self._args.labels,
            retain=self._args.retain_definitions,
            kubeconfig=self._args.kubeconfig,
            opts=self.child(depends_on=after),
        )
        return [definitions]

    def _drain(self, items: Sequence[Object], after: Sequence[pulumi.Resource]) -> Drain:
        return Drain(
            f"{self._name}-drain",
            definitions=[item["metadata"]["name"] for item in items],
            retain=self._args.retain_definitions,
            kubeconfig=self._args.kubeconfig,
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
            kubeconfig=self._args.kubeconfig,
            opts=self.child(depends_on=after),
        )
        return [gate]
