"""The storage class of volumes: the one that the settings name, or the cluster's default."""

from collections.abc import Collection, Iterator, Sequence

from ml_platform.kube import Client, Object

SETTING = "ml-platform:cluster.storage_class"
_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
# Provisioner -> the CSI driver that Kubernetes calls in its place, which is installed separately.
_DRIVERS = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
}


def read(client: Client) -> tuple[list[Object], set[str]]:
    """The storage classes, and the names of the installed CSI drivers."""
    drivers = {each["metadata"]["name"] for each in client.list("storage.k8s.io/v1", "CSIDriver")}
    return client.list("storage.k8s.io/v1", "StorageClass"), drivers


def findings(classes: Sequence[Object], drivers: Collection[str], wanted: str) -> Iterator[str]:
    """A finding if volumes would wait for ever."""
    names = sorted(each["metadata"]["name"] for each in classes)
    if not names:
        yield "The cluster has no storage class, so volumes would wait for ever. Install the CSI driver of its disks."
    elif wanted and wanted not in names:
        yield f"{SETTING} is {wanted!r}, and the cluster has {', '.join(names)}. {_choose(names)}"
    elif not (chosen := [each for each in classes if wanted == each["metadata"]["name"] or _is_default(wanted, each)]):
        yield (
            f"The cluster has no default storage class, so volumes would wait for ever; it has {', '.join(names)}. "
            f"{_choose(names)}"
        )
    elif (driver := _DRIVERS.get(chosen[0]["provisioner"])) and driver not in drivers:
        yield (
            f"Volumes of storage class {chosen[0]['metadata']['name']} would wait for ever: it wants the CSI driver "
            f"{driver}, which the cluster has not. Install that driver, or choose another class with {SETTING}."
        )


def _is_default(wanted: str, candidate: Object) -> bool:
    annotations = candidate["metadata"].get("annotations") or {}
    return not wanted and any(annotations.get(key) == "true" for key in _DEFAULT)


def _choose(names: Sequence[str]) -> str:
    return f"Choose one: pulumi config set --path '{SETTING}' {names[0]}"
