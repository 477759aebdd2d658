"""KubeRay: the operator that runs RayJobs and RayClusters. The clusters themselves belong to the workloads."""

import pulumi
from ml_platform.bundles.bundle import BundleArgs
from ml_platform.components.foreign import Foreign, ForeignArgs


class Ray(Foreign):
    token = "ml-platform:ray:Ray"  # noqa: S105 - a type token

    def __init__(self, name: str, args: ForeignArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.install(name, BundleArgs(installation=args.installation, bundle="kuberay", after=args.after))
        self.register_outputs({})
