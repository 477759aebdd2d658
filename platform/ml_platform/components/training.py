"""Distributed training: Kubeflow Trainer on JobSet (v2), the training operator (v1), or both side by side.

It owns the operators. Jobs, and the runtimes beside those that Trainer brings, belong to the workloads.
"""

from dataclasses import dataclass

import pulumi
from ml_platform.bundles.bundle import BundleArgs
from ml_platform.components.foreign import Foreign, ForeignArgs


@dataclass(frozen=True, kw_only=True)
class TrainingArgs(ForeignArgs):
    v1: bool
    v2: bool


class Training(Foreign):
    token = "ml-platform:training:Training"  # noqa: S105 - a type token

    def __init__(self, name: str, args: TrainingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        if args.v2:
            self.install("jobset", BundleArgs(installation=args.installation, bundle="jobset", after=args.after))
            # It watches JobSets from its start, and can't end a run without what makes their pods.
            self.install(
                "trainer",
                BundleArgs(
                    installation=args.installation, bundle="trainer", after=[*args.after, *self.kinds], over=self.ready
                ),
            )
        if args.v1:
            self.install(
                "training-operator",
                BundleArgs(installation=args.installation, bundle="training-operator", after=args.after),
            )
        self.register_outputs({})
