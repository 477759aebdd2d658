"""The one-machine Kubernetes of `make up`, which the node describes in its state directory."""

import json
import os
from pathlib import Path
from typing import Any

import pulumi

from ml_platform.clusters.cluster import Cluster
from ml_platform.configuration import SettingsError
from ml_platform.settings import LocalCluster

# A killed run leaves objects outside of the stack's state: the next run adopts them, and takes over the fields of other
# field managers. The identifier is fixed, since renewed certificates leave it the same cluster.
OPTIONS: dict[str, Any] = {
    "cluster_identifier": "local",
    "upsert_existing_objects": True,
    "enable_patch_force": True,
    "kube_client_settings": {"qps": 400, "burst": 800},
}
# All volumes ask for the same size: they are folders of one disk, which sizes don't limit. A stack file with a smaller
# size would otherwise be refused, since volumes don't shrink.
VOLUME_SIZE = "10Gi"


def connect(settings: LocalCluster) -> Cluster:
    """The node's cluster.

    Raises:
        SettingsError: no node was started with this state directory.
    """
    state = Path(os.environ.get("ML_PLATFORM_STATE") or settings.state_dir)
    node = json.loads(_read(state / "cluster.json"))
    kubeconfig = pulumi.Output.secret(_read(Path(node["kubeconfig"])))
    images: dict[str, str] = json.loads(_read(Path(node["images"])))
    return Cluster(
        kubeconfig=kubeconfig,
        options=OPTIONS,
        seed=pulumi.Output.secret(_read(Path(node["seed"])).strip()),
        images=images,
        storage_class="local-path",
        volume_size=VOLUME_SIZE,
        disposable=True,
        protected=False,
        pulls=False,
    )


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as missing:
        raise SettingsError(
            f"The node's {path} can't be read: {missing.strerror}. Start the node with `make up`, or name its state "
            f"directory: pulumi config set --path 'ml-platform:cluster.state_dir' <directory>"
        ) from missing
