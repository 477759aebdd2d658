"""The site: what every component needs of its surroundings.

It holds what is the same for all components: provider, labels, images, login, seed, and how bundles are installed. It
also owns the preflight, for which every object waits.
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
    """One cluster and the settings for it. Its Outputs come from the cluster and the stack's secrets."""

    owner: Component
    """The platform, which is the parent of the components."""
    cluster: Cluster
    settings: PlatformSettings
    needs: Needs
    """The sum of what all parts of the stack need."""
    identity: pulumi.Output[str]
    """The identity of the cluster, the same for every kubeconfig that leads to it."""
    provider: pulumi.ProviderResource
    labels: Mapping[str, str]
    """The labels of every object, by which the stack finds its own."""
    ownership: Mapping[str, str]
    """Labels with the owner, the team and the cost centre of the stack."""
    images: Mapping[str, str]
    """Image references by digest, by our short names."""
    login: pulumi.Output[str] | None
    """The Docker configuration that pods pull images with, where they need a login."""
    seed: pulumi.Output[str]
    """The secret that passwords are derived from."""
    releases: Installation
    """How bundles are installed, and the resources that they wait for."""
    pools: Mapping[str, pods.Placement]
    """The placement of work on each node pool, by the pool's name."""

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
        """The site of `cluster`, checked against `settings` and the `needs` of all parts of the stack.

        Raises:
            SettingsError: the settings can't work on the cluster, or a secret is missing.
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
            needs=needs,
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
        """The same site, on which bundles wait for `resources` too."""
        releases = dataclasses.replace(self.releases, after=[*self.releases.after, *resources])
        return dataclasses.replace(self, releases=releases)

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """The options of a component of the platform: the platform as parent, and the cluster's provider."""
        return pulumi.ResourceOptions(parent=self.owner, provider=self.provider, **options)

    def namespace(self, name: str) -> Namespace:
        """A namespace that holds data; it is protected where the cluster's data are."""
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
        volumes=[{**each, "size": cluster.size_of(each["size"])} for each in needs.volumes],
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
