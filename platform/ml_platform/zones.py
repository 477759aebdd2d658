"""Whether cert-manager may edit the zone in which it is to prove that names are the stack's.

Plain values alone: without the right its certificate would be waited for by nobody, and never come.
"""

from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.settings import AnyCluster, EksCluster, PlatformSettings, SharedPlatform


def check(cluster: AnyCluster, settings: PlatformSettings | SharedPlatform) -> None:
    """Compares the platform's zone with what the cluster lets cert-manager edit.

    Raises:
        SettingsError: the cluster is on EKS and lets it edit none.
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
