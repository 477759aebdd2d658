"""The base of components that are made of bundles, as far as this stack installs them."""

from typing import Any

import pulumi

from ml_platform.bundles.bundle import Bundle, BundleArgs
from ml_platform.components.platform_component import PlatformComponent
from ml_platform.site import Site


class Foreign(PlatformComponent):
    """What somebody else made. Where somebody else runs it as well, it declares nothing and nothing waits for it."""

    kinds: list[pulumi.Resource]
    """Its CRDs: what only watches its objects needs no more of it."""
    ready: list[pulumi.Resource]
    """Everything runs and answers; what depends on it is gone before anything of it goes."""

    def __init__(self, name: str, site: Site) -> None:
        super().__init__(name, site)
        self.kinds, self.ready = [], []

    def install(self, bundle: str, *, name: str | None = None, **args: Any) -> None:
        """Declare a bundle, with further fields of BundleArgs, under its own name or another one."""
        releases = self.site.releases
        if bundle in releases.existing:
            return
        made = Bundle(name or bundle, BundleArgs(installation=releases, bundle=bundle, **args), self.child())
        self.kinds += made.kinds
        self.ready.append(made.ready)
