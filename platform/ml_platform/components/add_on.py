"""The base of add-ons: what stands on the cluster by a block of its own in the settings, and needs only its site."""

from typing import Any, ClassVar

from ml_platform.components.foreign import Foreign
from ml_platform.configuration import Settings
from ml_platform.settings.platform import PlatformSettings
from ml_platform.settings.stack import SharedPlatform
from ml_platform.site import Site


class AddOn(Foreign):
    """Declared as `<block>` where ml-platform:platform has that block."""

    block: ClassVar[str]
    """The key in ml-platform:platform."""
    settings: ClassVar[type[Settings]]
    """What may stand there."""
    access: Any = None
    """What workloads have to know of it; an Output in it resolves when its objects are accepted."""

    def __init__(self, site: Site) -> None:
        super().__init__(self.block, site)

    @classmethod
    def of(cls, settings: PlatformSettings | SharedPlatform) -> Any:
        """Its block in the settings; None where there is none."""
        return getattr(settings, cls.block, None)

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return cls.of(settings) is not None
