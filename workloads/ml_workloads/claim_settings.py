"""Volumes for work: the blocks of `claims`."""

from typing import Literal

from ml_platform.configuration import Name, Quantity, Settings


class ClaimSettings(Settings):
    """A PersistentVolumeClaim in the namespace of the work, which a URI names as pvc://<claim>/<path>."""

    size: Quantity = "1Gi"
    """A larger size is an update where the storage class allows expansion; a smaller one is refused by Kubernetes."""
    storage_class: Name | None = None
    """Without it, the cluster's default class. Another one is for a new claim alone."""
    access: Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"] = "ReadWriteOnce"
    """Who may have it at a time. ReadWriteOnce: all pods of one node. ReadWriteMany: those of all nodes, for servers on
    several of them; the storage class has to have that."""
    protect: bool = True
    """Whether Pulumi refuses to remove it with all that is on it."""
