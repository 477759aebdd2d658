"""KubeRay, the operator that runs RayJobs and RayClusters. The RayClusters themselves belong to the workloads."""

from ml_platform.bundles.transforms import arguments
from ml_platform.component import after
from ml_platform.components.add_on import AddOn
from ml_platform.configuration import Settings
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

BUNDLE = "kuberay"
GATES = ("RayClusterStatusConditions", "RayJobDeletionPolicy", "RayMultiHostIndexing", "RayServiceIncrementalUpgrade")
"""The release's feature gates that are open. It names closed ones as well, which are closed anyhow, and an operator
that is older than a gate refuses its name."""


class RaySettings(Settings):
    """The KubeRay operator, which runs RayJobs and RayClusters."""


class Ray(AddOn):
    token = "ml-platform:ray:Ray"  # noqa: S105 - a type token
    block = "ray"
    settings = RaySettings

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        flags = {"--feature-gates": ",".join(f"{gate}=true" for gate in GATES)}
        self.install(BUNDLE, name=self.block, transforms=[arguments("Deployment", "kuberay-operator", flags)])
        self.access = after(site.releases.entry(BUNDLE).namespace, *self.ready)
        self.register_outputs({})

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        return Needs(bundles=(BUNDLE,))
