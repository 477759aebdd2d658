"""The base of the platform's components: the settings choose them, they state their needs, and they get the site."""

import pulumi

from ml_platform.component import Component
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site


class PlatformComponent(Component):
    """One noun of the platform, a child of the platform itself."""

    site: Site

    def __init__(self, name: str, site: Site) -> None:
        super().__init__(name, site.child())
        self.site = site

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        """Whether the settings ask for it."""
        return True

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        """The needs of this component where the settings choose it."""
        return Needs()

    def passive(self, namespace: pulumi.Resource) -> pulumi.ResourceOptions:
        """The options of a passive object, such as a ConfigMap or a Role, which the deletion of its namespace removes:
        the engine does not delete it separately."""
        return self.child(deleted_with=namespace)
