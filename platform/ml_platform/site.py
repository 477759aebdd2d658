"""What every component needs of its surroundings: one cluster, as this stack has it.

It owns the preflight, which all that goes to the cluster waits for, and what is the same for all components: provider,
labels, images, login, seed, and how releases are installed. It knows no component.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pulumi

from ml_platform import fit, pods, registry_login
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.preflight import Preflight
from ml_platform.clusters import Cluster
from ml_platform.component import Component
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.configuration import require_secret
from ml_platform.labels import of_stack
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings

SEED = "a long random text that all passwords are derived from"


@dataclass(frozen=True, kw_only=True)
class Site:
    """All of it is plain but for what the cluster and the stack's secrets give."""

    owner: Component
    """The platform, whose children the components are."""
    cluster: Cluster
    settings: PlatformSettings
    identity: pulumi.Output[str]
    """Which cluster it is, however it is reached."""
    provider: pulumi.ProviderResource
    labels: Mapping[str, str]
    """Of each object: by which the stack knows its own."""
    ownership: Mapping[str, str]
    """Labels that say whose it is."""
    images: Mapping[str, str]
    """References by digest, by our short names."""
    login: pulumi.Output[str] | None
    """To the registry of the images, if they need one."""
    seed: pulumi.Output[str]
    """What passwords are derived from."""
    releases: Installation
    """How bundles are installed, and what they wait for."""
    pools: Mapping[str, pods.Placement]
    """Node pools that work may be put on."""

    @classmethod
    def open(
        cls,
        owner: Component,
        cluster: Cluster,
        settings: PlatformSettings,
        *,
        needs: Needs,
        ownership: Mapping[str, str],
        pools: Mapping[str, pods.Placement],
    ) -> Self:
        """A cluster that `settings` fit, with all that the parts of the stack need.

        Raises:
            SettingsError: they do not, or a secret is missing.
        """
        images = {**cluster.images, **settings.images}
        fit.check(settings, needs, images=images, pulls=cluster.pulls, version=cluster.version)
        labels = of_stack()
        preflight = _preflight(owner, cluster, settings, needs, labels)
        login = registry_login.chosen(settings.registry_login, cluster.registry_login)
        return cls(
            owner=owner,
            cluster=cluster,
            settings=settings,
            identity=preflight.cluster,
            provider=cluster.provider([preflight]),
            labels=labels,
            ownership=ownership,
            images=images,
            login=login,
            seed=cluster.seed or require_secret(pulumi.Config(), "seed", SEED),
            releases=_releases(cluster, settings, labels, images, login, preflight),
            pools=pools,
        )

    def after(self, resources: Sequence[pulumi.Resource]) -> Self:
        """The same, on which releases wait for `resources` as well."""
        releases = dataclasses.replace(self.releases, after=[*self.releases.after, *resources])
        return dataclasses.replace(self, releases=releases)

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options for a component of the platform, whose objects go to the cluster."""
        return pulumi.ResourceOptions(parent=self.owner, provider=self.provider, **options)

    def namespace(self, name: str) -> Namespace:
        """One that holds data: it stays where the cluster's data are protected."""
        args = NamespaceArgs(labels=self.labels, login=self.login)
        return Namespace(name, args, self.child(protect=self.cluster.protected))


def _preflight(
    owner: Component, cluster: Cluster, settings: PlatformSettings, needs: Needs, labels: Mapping[str, str]
) -> Preflight:
    return Preflight(
        "preflight",
        entries=needs.installed(settings.bundles),
        existing=needs.existing(settings.bundles),
        own=needs.outside_of_namespaces(),
        mirror=settings.bundles.folder,
        labels=labels,
        adopt=cluster.disposable,
        storage_class=cluster.storage_class,
        volumes=[{**each, "size": cluster.volume_size or each["size"]} for each in needs.volumes],
        load_balancer=settings.gateway.host_port is None and not cluster.load_balancer.assumed,
        kubeconfig=cluster.kubeconfig,
        opts=owner.child(),
    )


def _releases(
    cluster: Cluster,
    settings: PlatformSettings,
    labels: Mapping[str, str],
    images: Mapping[str, str],
    login: pulumi.Output[str] | None,
    preflight: Preflight,
) -> Installation:
    return Installation(
        kubeconfig=cluster.kubeconfig,
        labels=labels,
        images=images,
        registry=settings.bundles.registry,
        login=login,
        versions=settings.bundles.versions,
        existing=frozenset(settings.bundles.existing),
        mirror=settings.bundles.folder,
        size=settings.size,
        cert_manager=settings.certificates == "cert-manager",
        retain_definitions=not cluster.disposable,
        after=[preflight],
    )
