"""The base of components that consist of bundles."""

from typing import Any

import pulumi

from ml_platform.bundles.bundle import Bundle, BundleArgs
from ml_platform.components.platform_component import PlatformComponent
from ml_platform.site import Site


class Foreign(PlatformComponent):
    """A component of foreign software. A bundle that the cluster already has (bundles.existing) is left out."""

    kinds: list[pulumi.Resource]
    """The CRDs of the component, for dependents that only watch its objects."""
    ready: list[pulumi.Resource]
    """The resources that are done when everything of the component runs and answers. Dependents are deleted before any
    part of the component."""

    def __init__(self, name: str, site: Site) -> None:
        super().__init__(name, site)
        self.kinds, self.ready = [], []

    def install(self, bundle: str, *, name: str | None = None, **args: Any) -> None:
        """Declares the bundle under `name`, which is its own name by default; `args` are further fields of BundleArgs.
        A bundle that the cluster already has (bundles.existing) is left out."""
        releases = self.site.releases
        if bundle in releases.existing:
            return
        made = Bundle(name or bundle, BundleArgs(installation=releases, bundle=bundle, **args), self.child())
        self.kinds += made.kinds
        self.ready.append(made.ready)
