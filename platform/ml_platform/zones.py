"""The check that cert-manager may edit the DNS zone in which it proves to an authority who owns the domain.

Without that right the certificate would never be issued, and no resource would report it. All values are plain.
"""

from collections.abc import Iterator

from ml_platform.configuration import PROJECT
from ml_platform.offered import Offered
from ml_platform.settings import PlatformSettings


def misfits(settings: PlatformSettings, offered: Offered, to: str = "") -> Iterator[str]:
    """A message about the DNS challenge of Route 53 on an EKS cluster that gives cert-manager no zone. `to` is the part
    of a command that names the stack whose settings are the cluster's; it is empty for this one."""
    acme = settings.gateway.https.acme if settings.gateway.https else None
    if offered.dns_zones is None or offered.dns_zones or not (acme and acme.dns01 and acme.dns01.provider == "route53"):
        return
    path = f"{PROJECT}:cluster.dns_zones"
    yield (
        f"{path} is empty, and {PROJECT}:platform.gateway.tls.acme.dns01 has cert-manager edit a zone of Route 53: "
        "on EKS its pods may do so only if the cluster gives them that right before they are made. Name the zone by "
        "its id, as `aws route53 list-hosted-zones` prints it, and bring the cluster up:\n"
        f"  pulumi config set{to} --path '{path}[0]' <id>"
    )
