"""The check that cert-manager may edit the DNS zone in which it proves to an authority who owns the domain.

Without that right the certificate would never be issued, and no resource would report it. All values are plain.
"""

from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.settings import AnyCluster, EksCluster, PlatformSettings, SharedPlatform


def check(cluster: AnyCluster, settings: PlatformSettings | SharedPlatform) -> None:
    """Refuses the DNS challenge of Route 53 on an EKS cluster that gives cert-manager no zone.

    Raises:
        SettingsError: the cluster is on EKS, and its settings name no zone that cert-manager may edit.
    """
    if not isinstance(cluster, EksCluster) or isinstance(settings, SharedPlatform) or cluster.dns_zones:
        return
    acme = settings.gateway.https.acme if settings.gateway.https else None
    if acme and acme.dns01 and acme.dns01.provider == "route53":
        path = f"{PROJECT}:cluster.dns_zones"
        raise SettingsError(
            f"{path} is empty, and {PROJECT}:platform.gateway.tls.acme.dns01 has cert-manager edit a zone of Route 53: "
            "on EKS its pods may do so only if the cluster gives them that right before they are made. Name the zone "
            "by its id, as `aws route53 list-hosted-zones` prints it:\n"
            f"  pulumi config set --path '{path}[0]' <id>"
        )
