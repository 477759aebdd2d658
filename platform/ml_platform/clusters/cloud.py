"""The parts that the clouds have in common: checks of credentials, kubeconfigs without any, and the protection of data.

Credentials come from the environment and the files that each cloud's own tools use. The checks only see whether they
exist; the cloud itself says whether they are valid.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Generic, TypedDict, TypeVar

import pulumi

from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.settings import OwnershipSettings
from ml_platform.settings.clouds import BucketAccount, BucketSettings, CloudCluster, Data

S = TypeVar("S", bound=CloudCluster)
DOCUMENTATION = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


@dataclass(frozen=True, kw_only=True)
class CloudArgs(Generic[S]):
    """The arguments of a cluster that the stack makes, and of its storage."""

    settings: S
    ownership: OwnershipSettings


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The places where a cloud's SDK looks for credentials, and the way to get some."""

    cloud: str
    """The cloud's name in messages."""
    variables: Sequence[tuple[str, ...]]
    """Sets of environment variables, each of which is enough."""
    files: Sequence[str] = ()
    """Paths of files, each of which is enough if it exists."""
    vendor: str | None = None
    """The vendor in the DMI data of this cloud's machines, which have an identity of their own."""
    way_out: str
    """The advice of the error: how to get credentials."""

    def require(self) -> None:
        """Checks that there are credentials.

        Raises:
            SettingsError: there are none.
        """
        if any(all(map(os.environ.get, names)) for names in self.variables):
            return
        if any(Path(os.path.expandvars(file)).expanduser().is_file() for file in self.files):
            return
        if self.vendor and self.vendor in _vendor():
            return
        variables = " or ".join(" and ".join(names) for names in self.variables)
        files = f"; {' and '.join(self.files)} are not there" if self.files else ""
        raise SettingsError(f"No credentials for {self.cloud}: {variables} is not set{files}. {self.way_out}")


def _vendor() -> str:
    try:
        return Path("/sys/class/dmi/id/sys_vendor").read_text()
    except OSError:
        return ""


def require_command(name: str, way_out: str) -> None:
    """Checks that a command which the kubeconfig calls is installed.

    Raises:
        SettingsError: it is not on PATH.
    """
    if shutil.which(name) is None:
        raise SettingsError(f"The command {name} is not on PATH: the kubeconfig asks it for credentials. {way_out}")


def require_access(settings: CloudCluster) -> None:
    """Refuses networks for documentation in `api_access`, which the stack files of this repository have as examples:
    with them, nobody could reach the cluster's API.

    Raises:
        SettingsError: a network is one for documentation.
    """
    for index, each in enumerate(settings.api_access):
        if any(IPv4Network(each).subnet_of(network) for network in DOCUMENTATION):
            path = f"{PROJECT}:cluster.api_access[{index}]"
            raise SettingsError(
                f"{path} is {each!r}, a network for documentation (RFC 5737) that nobody comes from: the Kubernetes "
                f"API would let nobody in. Name the network or the public address that you come from:\n"
                f"  pulumi config set --path '{path}' <address>/32"
            )


def kubeconfig(
    *, server: pulumi.Input[str], authority: pulumi.Input[str], command: Sequence[pulumi.Input[str]], api: str
) -> pulumi.Output[str]:
    """A kubeconfig without credentials: clients run `command` to get some.

    Args:
        server: the URL of the API server.
        authority: the certificate of its authority, as base64.
        command: the command and its arguments.
        api: the API version of the command's answer.
    """
    name, *arguments = command
    run = {"apiVersion": api, "command": name, "args": arguments, "interactiveMode": "Never"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "cluster",
        "clusters": [{"name": "cluster", "cluster": {"server": server, "certificate-authority-data": authority}}],
        "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": "user"}}],
        "users": [{"name": "user", "user": {"exec": {**run, "provideClusterInfo": True}}}],
    }
    return pulumi.Output.secret(pulumi.Output.json_dumps(document))


def when(value: pulumi.Output[str], resources: Sequence[pulumi.Resource]) -> pulumi.Output[str]:
    """`value` as an Output that resolves when all `resources` exist."""
    waited = pulumi.Output.all(value, *(each.urn for each in resources))
    return waited.apply(lambda each: str(each[0]))


class Kept(TypedDict):
    """The resource options of a resource that holds data."""

    protect: bool
    retain_on_delete: bool


def kept(data: Data) -> Kept:
    """The resource options for the setting `data`. Pulumi refuses to remove or replace a protected resource; a retained
    one stays in the cloud after its stack."""
    return {"protect": data == "protect", "retain_on_delete": data == "retain"}


def versioning(versions: bool) -> str:
    """The status of a bucket's versioning. Every bucket declares it, so that a change of the setting is an update.
    Removing the resource would suspend versioning, so it has the same options as its bucket."""
    return "Enabled" if versions else "Suspended"


def buckets_by_account(buckets: Mapping[str, BucketSettings]) -> dict[BucketAccount, list[str]]:
    """The buckets of each account of a platform's object store."""
    found: dict[BucketAccount, list[str]] = {}
    for name, bucket in buckets.items():
        if bucket.account:
            found.setdefault(bucket.account, []).append(name)
    return found
