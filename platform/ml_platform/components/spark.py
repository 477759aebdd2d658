"""Spark: the operator that runs SparkApplications, Kubeflow's or Stackable's, and a namespace for them.

It owns what the operators need, and what their jobs need of the namespace. The jobs themselves belong to the workloads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.bundles.bundle import BundleArgs
from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms import Transform, arguments
from ml_platform.components.foreign import Foreign, ForeignArgs
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.configuration import Quota
from ml_platform.handle import SparkOperator
from ml_platform.objects import KubernetesObject

STACKABLE = ("stackable-commons", "stackable-secret", "stackable-listener", "stackable-spark")
RELEASED = "default"
"""The namespace of jobs in the release."""
OPERATORS = ("spark-operator-controller", "spark-operator-webhook")


@dataclass(frozen=True, kw_only=True)
class SparkArgs(ForeignArgs):
    operator: SparkOperator
    namespace: str
    """Where the jobs are."""
    quota: Quota
    ownership: Mapping[str, str]
    """Labels that say whose it is."""


class Spark(Foreign):
    token = "ml-platform:spark:Spark"  # noqa: S105 - a type token

    jobs: list[pulumi.Resource]
    """Their namespace, and its walls."""

    def __init__(self, name: str, args: SparkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.jobs = self._namespace(args)
        if args.operator == "kubeflow":
            flags = {"--namespaces": args.namespace}
            self.install(
                "spark-operator",
                BundleArgs(
                    installation=args.installation,
                    bundle="spark-operator",
                    transforms=[_moved(args.namespace), *(arguments("Deployment", each, flags) for each in OPERATORS)],
                    after=[*args.after, *self.jobs],
                ),
            )
        for bundle in STACKABLE if args.operator == "stackable" else ():
            self.install(
                bundle,
                BundleArgs(
                    installation=args.installation,
                    bundle=bundle,
                    after=[*args.after, *self.ready[-1:]],
                ),
            )
        self.register_outputs({"namespace": args.namespace})

    def _namespace(self, args: SparkArgs) -> list[pulumi.Resource]:
        name, labels = args.namespace, args.installation.labels
        marks = {**labels, **args.ownership, pods.WORKLOADS_LABEL: "true"}
        # Pods of Spark itself say nothing about their security.
        space = NamespaceArgs(labels=marks, pod_security="baseline", login=args.installation.login)
        namespace = Namespace(name, space, self.child()).resource
        meta, passive = pods.metadata("spark", name, labels), self.child(deleted_with=namespace)
        return [
            namespace,
            KubernetesObject(f"{name}-quota", pods.quota(meta, args.quota), passive),
            KubernetesObject(f"{name}-entry", pods.closed(meta), passive),
        ]


def _moved(namespace: str) -> Transform:
    """What the release puts into the namespace of jobs, or selects by it, as one for `namespace`."""

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
