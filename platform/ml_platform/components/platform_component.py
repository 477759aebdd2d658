"""The base of the platform's components: chosen by the settings, open about their needs, declared on a site."""

from typing import Any

import pulumi

from ml_platform.component import Component
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site


class PlatformComponent(Component):
    """One noun of the platform, a child of the platform itself."""

    site: Site

    def __init__(self, name: str, site: Site, **options: Any) -> None:
        super().__init__(name, site.child(**options))
        self.site = site

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        """Whether the settings ask for it."""
        return True

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        """What it needs of the cluster where it is chosen."""
        return Needs()

    def passive(self, namespace: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options for what goes with its namespace: no controller of it is left to be told."""
        return self.child(deleted_with=namespace)
