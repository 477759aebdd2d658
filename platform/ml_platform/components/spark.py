"""Spark: the operator that runs SparkApplications, Kubeflow's or Stackable's, and the namespace for them.

This component owns the operator's bundles and the namespace with its quota and network policy. SparkApplications belong
to the workloads.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from ml_platform import network, pods
from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms import Transform, arguments
from ml_platform.component import after
from ml_platform.components.add_on import AddOn
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.configuration import Name, Quota, Settings
from ml_platform.handle import SparkAccess, SparkOperator
from ml_platform.labels import WORKLOADS
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

STACKABLE = ("stackable-commons", "stackable-secret", "stackable-listener", "stackable-spark")
RELEASED = "default"
"""The namespace of jobs in Kubeflow's bundle."""
OPERATORS = ("spark-operator-controller", "spark-operator-webhook")


class SparkSettings(Settings):
    """The operator that runs SparkApplications."""

    operator: SparkOperator = "kubeflow"
    namespace: Name = "spark-jobs"
    """The namespace in which SparkApplications run; the platform makes it. Stackable's operator watches all others
    too."""
    quota: Quota = Quota()


class Spark(AddOn):
    token = "ml-platform:spark:Spark"  # noqa: S105 - a type token
    block = "spark"
    settings = SparkSettings

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        settings: SparkSettings = self.of(site.settings)
        jobs = self._namespace(settings)
        if settings.operator == "kubeflow":
            flags = {"--namespaces": settings.namespace}
            transforms = [
                _into_namespace(settings.namespace),
                *(arguments("Deployment", each, flags) for each in OPERATORS),
            ]
            self.install("spark-operator", transforms=transforms, after=jobs)
        for bundle in STACKABLE if settings.operator == "stackable" else ():
            self.install(bundle, after=self.ready[-1:])
        self.access = SparkAccess(
            operator=settings.operator,
            namespace=settings.namespace,
            jobs=after(settings.namespace, *jobs, *self.ready),
            repository=self._repository(settings.operator),
        )
        self.register_outputs({"namespace": settings.namespace})

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        chosen: SparkSettings = cls.of(settings)
        return Needs(
            bundles=STACKABLE if chosen.operator == "stackable" else ("spark-operator",),
            images_of_work=("spark",),
            namespaces=(chosen.namespace,),
        )

    def _repository(self, operator: SparkOperator) -> pulumi.Output[str | None] | None:
        """The mirror of Stackable's images; None for Kubeflow's operator, which has no Spark image of its own."""
        if operator != "stackable":
            return None
        return pulumi.Output.from_input(self.site.releases.mirrored(STACKABLE[-1]))

    def _namespace(self, settings: SparkSettings) -> list[pulumi.Resource]:
        """The namespace of the jobs, its quota and its network policy."""
        name, labels = settings.namespace, self.site.labels
        marks = {**labels, **self.site.ownership, WORKLOADS: "true"}
        # The operators' driver and executor pods have no security context, which the restricted standard demands.
        space = NamespaceArgs(labels=marks, pod_security="baseline", login=self.site.login)
        namespace = Namespace(name, space, self.child()).resource
        meta, passive = pods.metadata("spark", name, labels), self.passive(namespace)
        return [
            namespace,
            KubernetesObject(f"{name}-quota", pods.quota(meta, settings.quota), passive),
            KubernetesObject(f"{name}-entry", network.closed(meta), passive),
        ]


def _into_namespace(namespace: str) -> Transform:
    """A transform: objects in the bundle's namespace of jobs, and webhooks that select it, get `namespace` instead."""

    def transform(item: Object) -> Object:
        moved: Object = _renamed(item, namespace)
        if item["kind"].endswith("WebhookConfiguration"):
            moved["webhooks"] = [_selecting(webhook, namespace) for webhook in item["webhooks"]]
        return moved

    return transform


def _renamed(value: Any, namespace: str) -> Any:
    if isinstance(value, list):
        return [_renamed(each, namespace) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: namespace if (key, each) == ("namespace", RELEASED) else _renamed(each, namespace)
        for key, each in value.items()
    }


def _selecting(webhook: Object, namespace: str) -> Object:
    selector = webhook["namespaceSelector"]
    terms = [
        {**term, "values": [namespace if value == RELEASED else value for value in term["values"]]}
        for term in selector["matchExpressions"]
    ]
    return {**webhook, "namespaceSelector": {**selector, "matchExpressions": terms}}
