"""A bundle as a Pulumi component: its objects in phases, each a resource of its own."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform import pods
from ml_platform.bundles import certificates
from ml_platform.bundles.catalog import Entry, PodSecurity, Probe
from ml_platform.bundles.declared import SharedNamespace
from ml_platform.bundles.definitions import Definitions
from ml_platform.bundles.drain import Drain
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.gates import Gate
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.parse import Object
from ml_platform.bundles.phases import PASSIVE, Phase, by_phase
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.transforms import (
    Transform,
    compose,
    derived,
    image_map,
    labels,
    missing_targets,
    pod_security,
    pull_secret,
    resource_sizes,
)
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject


@dataclass(frozen=True, kw_only=True)
class BundleArgs:
    """The arguments of one bundle. Arguments that decide which objects exist are plain; values inside objects may be
    Outputs."""

    installation: Installation
    bundle: str
    """The bundle's name in the catalog."""
    transforms: Sequence[Transform] = ()
    extra: Sequence[Object] = ()
    """Objects that the release leaves to its user; each is declared in its phase."""
    pod_security: PodSecurity | None = None
    """The pod security level of its namespaces; None takes the catalog's."""
    retain_namespace: bool = False
    after: Sequence[pulumi.Resource] = ()
    """Resources that its configuration and workloads wait for; its namespaces and CRDs do not."""
    over: Sequence[pulumi.Resource] = ()
    """Resources that its controllers need in order to work: created before its custom resources, deleted after them."""


class Bundle(Component):
    """All objects of one bundle. A resource that depends on it waits until the bundle's webhooks answer and its custom
    resources exist."""

    token = "ml-platform:bundles:Bundle"  # noqa: S105 - a type token

    namespace: str
    kinds: Sequence[pulumi.Resource]
    """The CRDs: the dependency of a resource that only watches their objects."""
    ready: pulumi.Resource
    """The workloads run and the webhooks answer. A resource that depends on it is deleted before any of these."""
    complete: pulumi.Resource
    """`ready`, and the custom resources exist: the whole bundle as one resource to depend on."""

    def __init__(self, name: str, args: BundleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = args.bundle, args  # so that an error of the engine names the bundle
        self._installation = args.installation
        self._entry = args.installation.entry(args.bundle)
        self.namespace = self._entry.namespace
        phases = self._objects_by_phase()
        ready = self._namespaces(phases[Phase.NAMESPACES], self._other_namespaces(phases))
        self.kinds = self._define(phases[Phase.DEFINITIONS], ready)
        ready = self._joined("start", [*ready, *args.after])
        configured = [*self._declare(phases[Phase.CONFIGURATION], ready), *self.kinds]
        ready = self._joined("configured", configured or ready)
        ready = self._joined("running", self._declare(phases[Phase.WORKLOADS], ready) or ready)
        ready = self._declare(phases[Phase.WEBHOOKS], ready) or ready
        gate = self._gate(phases[Phase.WORKLOADS] + phases[Phase.WEBHOOKS], ready)
        if self._entry.own_definitions:
            self.kinds = gate
        self.ready = self._drain(phases[Phase.DEFINITIONS], [*(gate or ready), *args.over])
        custom = self._declare(phases[Phase.CUSTOM], [self.ready])
        (self.complete,) = self._joined("complete", custom or [self.ready])
        self.register_outputs({"namespace": self.namespace})

    def _objects_by_phase(self) -> dict[Phase, list[Object]]:
        """The transformed objects of the release and the extra ones, by phase. A certificate of the release that
        cert-manager does not issue is issued here."""
        entry, args = self._entry, self._args
        objects = certificates.adapted_to_issuer(
            [*load(entry, self._installation.mirror), *args.extra], cert_manager=self._installation.cert_manager
        )
        transforms = [*_common_transforms(entry, args), *args.transforms]
        for wanted in certificates.missing(entry.certificates, objects):
            issued = certificates.WebhookCertificate(
                f"{self._name}-{wanted.service}",
                dns_names=certificates.dns_names(wanted, entry.namespace),
                days=certificates.FOR_API_SERVERS,
                opts=self.child(),
            )
            objects = certificates.with_secret(objects, wanted, entry.namespace, issued)
            transforms += certificates.trust(wanted, issued)
        if missing := missing_targets(transforms, objects):
            raise BundleError(
                f"Bundle {entry.title} has no {', no '.join(missing)}: a setting for it would have no effect. "
                f"Choose another version, or leave the setting out."
            )
        transform = compose(transforms)
        phases = {
            phase: [transform(item) for item in items] if phase is not Phase.DEFINITIONS else items
            for phase, items in by_phase(objects, entry.own_definitions).items()
        }
        namespace = pod_security(args.pod_security or entry.pod_security)(_namespace(entry.namespace))
        declared = [namespace, *(item for items in phases.values() for item in items)]
        self._installation.declared.claim(entry.name, declared)
        return phases

    def _other_namespaces(self, phases: dict[Phase, list[Object]]) -> list[pulumi.Resource]:
        """The namespaces declared by other bundles that objects of this bundle are in."""
        used = {item["metadata"].get("namespace") for items in phases.values() for item in items}
        named = {item["metadata"]["name"] for item in phases[Phase.NAMESPACES]}
        known = self._installation.declared.namespaces
        return [known[name].resource for name in sorted(filter(None, used | named)) if name in known]

    def _namespaces(self, items: Sequence[Object], others: list[pulumi.Resource]) -> list[pulumi.Resource]:
        """The bundle's namespaces, except those that another bundle has declared. Namespaces and CRDs depend on nothing
        else of other bundles: those of all bundles are created, and deleted, in parallel."""
        known = self._installation.declared.namespaces
        before = self._joined("before", [*self._installation.after, *others])
        own = [item for item in items if item["metadata"]["name"] not in known]
        resources = self._declare(own, before)
        self._declare_logins(own, resources)
        for item, resource in zip(own, resources, strict=True):
            metadata, retained = item["metadata"], self._args.retain_namespace
            known[metadata["name"]] = SharedNamespace(self._entry.name, metadata["labels"], resource, retained)
        return self._joined("namespaces", resources or before)

    def _declare_logins(self, namespaces: Sequence[Object], after: Sequence[pulumi.Resource]) -> None:
        login, labels = self._installation.login, self._installation.labels
        if login is not None:
            names = [item["metadata"]["name"] for item in namespaces]
            self._declare([pods.registry_login(name, labels, login) for name in names], after)

    def _joined(self, name: str, resources: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        return self.joined(f"{self._name}-{name}", resources)

    def _declare(self, items: Sequence[Object], after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        return [
            KubernetesObject(self._child_name(item), item, self.child(depends_on=after, **self._removal_options(item)))
            for item in items
        ]

    def _child_name(self, item: Object) -> str:
        namespace = item["metadata"].get("namespace", self.namespace)
        middle = "" if namespace == self.namespace else f"{namespace}-"
        return f"{self._name}-{middle}{item['metadata']['name']}"

    def _removal_options(self, item: Object) -> dict[str, Any]:
        """The resource options for the object's removal: a passive object is deleted with its namespace, if the stack
        deletes that; a Namespace stays on the cluster if the settings retain it."""
        if item["kind"] == "Namespace":
            return {"retain_on_delete": self._args.retain_namespace}
        namespace = self._installation.declared.namespaces.get(item["metadata"].get("namespace", ""))
        if item["kind"] in PASSIVE and namespace is not None and not namespace.retained:
            return {"deleted_with": namespace.resource}
        return {}

    def _define(self, items: Sequence[Object], after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        if not items and not self._entry.own_definitions:
            return []
        definitions = Definitions(
            f"{self._name}-definitions",
            bundle=self._entry.name,
            version=self._entry.version,
            mirror=self._installation.mirror,
            definitions=items,
            own=self._entry.own_definitions,
            labels=self._installation.labels,
            retain=self._installation.retain_definitions,
            kubeconfig=self._installation.kubeconfig,
            opts=self.child(depends_on=after),
        )
        return [definitions]

    def _drain(self, items: Sequence[Object], after: Sequence[pulumi.Resource]) -> Drain:
        return Drain(
            f"{self._name}-drain",
            bundle=self._entry.name,
            definitions=[*(item["metadata"]["name"] for item in items), *self._entry.own_definitions],
            retain=self._installation.retain_definitions,
            kubeconfig=self._installation.kubeconfig,
            opts=self.child(depends_on=after),
        )

    def _gate(self, served: Sequence[Object], after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        if not self._entry.probes and not self._entry.own_definitions:
            return []
        gate = Gate(
            f"{self._name}-gate",
            bundle=self._entry.name,
            namespace=self.namespace,
            probes=self._probes(),
            definitions=self._entry.own_definitions,
            trigger=derived(_digest, [derived(json.dumps, item) for item in served]),
            kubeconfig=self._installation.kubeconfig,
            opts=self.child(depends_on=after),
        )
        return [gate]

    def _probes(self) -> list[Probe]:
        """The probes, with manifests changed by the caller's transforms: what these move to another namespace is probed
        there."""
        change = compose(self._args.transforms)
        return [probe.model_copy(update={"manifest": change(probe.manifest)}) for probe in self._entry.probes]


def _common_transforms(entry: Entry, args: BundleArgs) -> list[Transform]:
    """The transforms that every bundle gets."""
    installation = args.installation
    others = (each.image for each in entry.runtime_images)
    return [
        image_map(entry.images, installation.images, installation.registry, others),
        labels(installation.labels),
        pod_security(args.pod_security or entry.pod_security),
        resource_sizes(entry.sizes.get(installation.size, {})),
        *([pull_secret(pods.REGISTRY)] if installation.login is not None else []),
    ]


def _namespace(name: str) -> Object:
    """A Namespace with nothing but its name."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()
