"""KubeRay: the operator that runs RayJobs and RayClusters. The clusters themselves belong to the workloads."""

from ml_platform.components.foreign import Single


class Ray(Single):
    token = "ml-platform:ray:Ray"  # noqa: S105 - a type token
    bundle = "kuberay"
