"""Existing volumes of the stack: they grow where their storage class allows it, and never shrink."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

from ml_platform.configuration import PROJECT, amount
from ml_platform.kube import Client, Object


class Volume(TypedDict):
    """A volume as the settings want it."""

    setting: str
    """The path of its size in ml-platform:platform."""
    namespace: str
    claim: str
    size: str


def findings(client: Client, wanted: Sequence[Volume]) -> Iterator[str]:
    """Findings about sizes that existing volumes can't be changed to."""
    for volume in wanted:
        claim = client.find("v1", "PersistentVolumeClaim", volume["claim"], volume["namespace"])
        if claim is not None:
            yield from _finding(client, volume, claim)


def _finding(client: Client, volume: Volume, claim: Object) -> Iterator[str]:
    path, there = f"{PROJECT}:platform.{volume['setting']}", str(claim["spec"]["resources"]["requests"]["storage"])
    says = f"{path} is {volume['size']!r}, and volume {volume['namespace']}/{volume['claim']} has {there}"
    way_out = f"pulumi config set --path '{path}' {there}"
    if amount(volume["size"]) < amount(there):
        yield f"{says}: a volume grows and never shrinks. Set it to what is there, or to more: {way_out}"
    elif amount(volume["size"]) > amount(there) and (name := _class_of_fixed_size(client, claim)):
        yield (
            f"{says}: volumes of storage class {name} have a fixed size, since its allowVolumeExpansion is not true. "
            f"Set that, where its driver can resize (kubectl patch storageclass {name} --patch "
            f"'{{\"allowVolumeExpansion\": true}}'), or set the size to what is there: {way_out}"
        )


def _class_of_fixed_size(client: Client, claim: Object) -> str:
    """The storage class of the claim if its volumes can't grow, else an empty string."""
    name = str(claim["spec"].get("storageClassName") or "")
    found = client.find("storage.k8s.io/v1", "StorageClass", name) if name else None
    return "" if found and found.get("allowVolumeExpansion") else name or "(none)"
