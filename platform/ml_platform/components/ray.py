"""KubeRay, the operator that runs RayJobs and RayClusters. The RayClusters themselves belong to the workloads."""

from ml_platform.component import after
from ml_platform.components.add_on import AddOn
from ml_platform.configuration import Settings
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

BUNDLE = "kuberay"


class RaySettings(Settings):
    """The KubeRay operator, which runs RayJobs and RayClusters."""


class Ray(AddOn):
    token = "ml-platform:ray:Ray"  # noqa: S105 - a type token
    block = "ray"
    settings = RaySettings

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.install(BUNDLE, name=self.block)
        self.access = after(site.releases.entry(BUNDLE).namespace, *self.ready)
        self.register_outputs({})

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        return Needs(bundles=(BUNDLE,))
