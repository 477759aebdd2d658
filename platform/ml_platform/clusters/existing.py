"""Any Kubernetes that a kubeconfig leads to: kind, k3d, minikube, or one that somebody else runs.

It brings no images along (settings name them) and adopts nothing: an object that is there already is an error.
"""

import json
from pathlib import Path
from typing import Any

import pulumi
import yaml

from ml_platform.clusters.cluster import Cluster
from ml_platform.configuration import SettingsError, require_secret
from ml_platform.settings import ExistingCluster

FILE_KEYS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


def connect(settings: ExistingCluster, config: pulumi.Config) -> Cluster:
    """The cluster of the kubeconfig.

    Raises:
        SettingsError: a secret is missing, or the file can't be used.
    """
    kubeconfig = pulumi.Output.secret(_text(settings, config))
    return Cluster(
        kubeconfig=kubeconfig,
        # Another text is not another cluster: the preflight asks which one it is.
        options={"cluster_identifier": "existing", "kube_client_settings": {"qps": 100, "burst": 200}},
        seed=require_secret(config, "seed", "a long random text that all passwords are derived from"),
        images={},
        storage_class=settings.storage_class,
        disposable=False,
    )


def _text(settings: ExistingCluster, config: pulumi.Config) -> pulumi.Input[str]:
    if settings.kubeconfig is None:
        secret = require_secret(config, "kubeconfig", "the text of a kubeconfig, as cluster.kubeconfig names no file")
        return secret.apply(lambda text: complete(text, Path.cwd(), settings.context))
    path = Path(settings.kubeconfig).expanduser()
    try:
        return complete(path.read_text(), path.parent.resolve(), settings.context)
    except OSError as missing:
        raise SettingsError(
            f"ml-platform:cluster.kubeconfig is {str(path)!r}, which can't be read: {missing.strerror}. Set it with:\n"
            f"  pulumi config set --path 'ml-platform:cluster.kubeconfig' <path>"
        ) from missing


def complete(text: str, folder: Path, context: str | None) -> str:
    """A kubeconfig that means the same from anywhere: absolute paths, and `context` as the current one.

    Raises:
        SettingsError: it is no kubeconfig, or has no such context.
    """
    document: Any = yaml.safe_load(text)
    if not isinstance(document, dict) or "clusters" not in document:
        raise SettingsError("The kubeconfig has no clusters: give the text that `kubectl config view --raw` prints.")
    contexts = [each["name"] for each in document.get("contexts") or []]
    wanted = context or document.get("current-context")
    if wanted not in contexts:
        raise SettingsError(
            f"ml-platform:cluster.context is {wanted!r}; the kubeconfig has {', '.join(contexts) or 'none'}. Set it "
            f"with:\n  pulumi config set --path 'ml-platform:cluster.context' <context>"
        )
    for entry in [*(document["clusters"] or []), *(document.get("users") or [])]:
        for part in (entry.get("cluster"), entry.get("user")):
            for key in set(FILE_KEYS) & set(part or {}):
                part[key] = str(folder / part[key])
    return json.dumps({**document, "current-context": wanted})
