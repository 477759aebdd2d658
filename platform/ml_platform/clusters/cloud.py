"""What the clouds have in common: the command line's side of credentials, kubeconfigs that hold none, and safety.

Each cloud's own environment is the only source of credentials. They are looked for, never read: what they are worth is
the cloud's to say.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Generic, TypedDict, TypeVar

import pulumi

from ml_platform import placement
from ml_platform.clusters.cluster import NodePool
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.settings import OwnershipSettings
from ml_platform.settings.clouds import CloudCluster, Data, NodePoolSettings
from ml_platform.store import Account

S = TypeVar("S", bound=CloudCluster)
DOCUMENTATION = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


@dataclass(frozen=True, kw_only=True)
class CloudArgs(Generic[S]):
    """What a cluster that the stack makes takes, and its storage too."""

    settings: S
    ownership: OwnershipSettings
    accounts: Mapping[str, Account]
    """Who its buckets are open for."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Where a cloud's SDK looks for credentials, and where people get them."""

    cloud: str
    variables: Sequence[tuple[str, ...]]
    """Each a set of environment variables that is enough."""
    files: Sequence[str] = ()
    """Each enough, if it is there."""
    vendor: str | None = None
    """The maker of machines in this cloud, which have an identity of their own."""
    way_out: str

    def require(self) -> None:
        """Looks for them.

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
    """Looks for a command that a kubeconfig is going to call.

    Raises:
        SettingsError: it is not on PATH.
    """
    if shutil.which(name) is None:
        raise SettingsError(f"The command {name} is not on PATH: the kubeconfig asks it for credentials. {way_out}")


def require_access(settings: CloudCluster) -> None:
    """Looks for networks in `api_access` that nobody comes from, as a stack file has before somebody decides: with
    them, the cluster would be made and then let nobody in.

    Raises:
        SettingsError: there is one.
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
    """A kubeconfig without any credential: `command` is asked for one, each time."""
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
    """`value`, once all `resources` are there."""
    waited = pulumi.Output.all(value, *(each.urn for each in resources))
    return waited.apply(lambda each: str(each[0]))


class Kept(TypedDict):
    """Resource options for what holds data."""

    protect: bool
    retain_on_delete: bool


def kept(data: Data) -> Kept:
    """A protected resource is neither removed nor replaced; a retained one outlives its stack."""
    return {"protect": data == "protect", "retain_on_delete": data == "retain"}


def versioning(versions: bool) -> str:
    """The status of a bucket's versions. It is declared of every bucket: a change of the setting is then an update,
    and the removal of the resource, which would end the versions of a bucket that stays, is held as the bucket is."""
    return "Enabled" if versions else "Suspended"


def pools(settings: Mapping[str, NodePoolSettings]) -> tuple[NodePool, ...]:
    return tuple(
        NodePool(name=name, purpose=placement.purpose(pool), minimum=pool.minimum, maximum=pool.maximum)
        for name, pool in settings.items()
    )
