"""The base of add-ons: components that a block of their own in the settings chooses and that need only the site."""

from typing import Any, ClassVar

from ml_platform.components.foreign import Foreign
from ml_platform.configuration import Settings
from ml_platform.settings.platform import PlatformSettings
from ml_platform.settings.stack import SharedPlatform
from ml_platform.site import Site


class AddOn(Foreign):
    """A component that is declared, under the name `<block>`, where ml-platform:platform has that block."""

    block: ClassVar[str]
    """The key of the block in ml-platform:platform."""
    settings: ClassVar[type[Settings]]
    """The model of the block."""
    access: Any = None
    """The part of the platform's outputs that is about the add-on; its Outputs resolve when its objects are
    accepted."""

    def __init__(self, site: Site) -> None:
        super().__init__(self.block, site)

    @classmethod
    def of(cls, settings: PlatformSettings | SharedPlatform) -> Any:
        """The block of this add-on in the settings; None where the settings have none."""
        return settings.add_on(cls.block)

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return cls.of(settings) is not None
