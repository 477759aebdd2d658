"""A platform's settings as a test says them, what they need, and a site for them that asks no cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform import components
from ml_platform.bundles.installation import Installation
from ml_platform.clusters import Cluster
from ml_platform.component import Component
from ml_platform.configuration import validate
from ml_platform.needs import Needs
from ml_platform.settings import PlatformSettings, platform_model
from ml_platform.site import Site
from support.made_up import LABELS, MadeUp

LEAN = {"versions": {"knative-serving": "1.23.0-lean", "kserve": "0.20.0-lean"}}


def platform(**blocks: Any) -> PlatformSettings:
    """ml-platform:platform with these blocks."""
    found = validate("platform", blocks, platform_model(blocks))
    assert isinstance(found, PlatformSettings)
    return found


def needs(**blocks: Any) -> Needs:
    """What the components that they choose need."""
    return components.needs(platform(**blocks))


def all_images(settings: PlatformSettings) -> frozenset[str]:
    """Our short names of all images that such a platform, and the work on it, may run."""
    return components.needs(settings).all_images(settings.bundles)


def own_images() -> frozenset[str]:
    """Those of a platform about which nothing is said, whatever its gateway."""
    return frozenset(needs().images)


def cluster(images: Mapping[str, str], *, protected: bool = False) -> Cluster:
    """One that goes with its stack."""
    return Cluster(
        options={},
        kubeconfig=pulumi.Output.secret("{}"),
        seed=pulumi.Output.secret("a seed"),
        images=images,
        storage_class=None,
        disposable=True,
        protected=protected,
    )


def site(
    settings: PlatformSettings, releases: Installation | None = None, pools: Mapping[str, Any] | None = None
) -> Site:
    """A site on which components can be declared one by one, inside of a program."""
    images = dict(releases.images) if releases else {}
    return Site(
        owner=_Owner("platform"),
        cluster=cluster(images),
        settings=settings,
        needs=components.needs(settings),
        identity=pulumi.Output.from_input(""),
        provider=pulumi.ProviderResource("kubernetes", "cluster"),
        labels=LABELS,
        ownership={},
        images=images,
        login=None,
        seed=pulumi.Output.secret("a seed"),
        releases=releases or MadeUp(),
        pools=pools or {},
    )


class _Owner(Component):
    token = "test:test:Owner"
