"""The platform's components: one noun, one file. Every `PlatformComponent` in a module of this package is found.

A new component takes one new file: the needs of the platform are the sum over the components that the settings choose,
and an `AddOn` brings its block of settings along.
"""

from functools import cache as memoize
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from ml_platform.needs import Needs, together
from ml_platform.settings.platform import PlatformSettings

if TYPE_CHECKING:
    from ml_platform.components.add_on import AddOn
    from ml_platform.components.platform_component import PlatformComponent


def add_ons() -> tuple[type["AddOn"], ...]:
    """The components that a block of their own in the settings chooses."""
    from ml_platform.components.add_on import AddOn

    return tuple(each for each in _all(tuple(__path__)) if issubclass(each, AddOn))


def needs(settings: PlatformSettings) -> Needs:
    """The sum of the needs of all components that the settings choose.

    Raises:
        SettingsError: two of them claim one namespace or host.
    """
    chosen = {each.__name__: each.needs(settings) for each in _all(tuple(__path__)) if each.chosen(settings)}
    return together(chosen, settings.bundles)


@memoize
def _all(folders: tuple[str, ...]) -> tuple[type["PlatformComponent"], ...]:
    from ml_platform.components.platform_component import PlatformComponent

    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(folders)]
    return tuple(
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, PlatformComponent) and each.__module__ == module.__name__
        if "token" in vars(each)
    )
