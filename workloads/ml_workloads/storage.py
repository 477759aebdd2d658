"""What opens the files of a served model: a Secret as KServe reads it, the service account that lists it, and KServe's
right to read that Secret alone.

KServe hands the key to the container that fetches the files, and to no other one.
"""

from typing import Any
from urllib.parse import urlsplit

import pulumi
from ml_platform import pods
from ml_platform.component import Component, after
from ml_platform.configuration import require_secret
from ml_platform.handle import KSERVE, KSERVE_MANAGER
from ml_platform.objects import KubernetesObject

from ml_workloads.place import RBAC
from ml_workloads.source_settings import FilesSettings, account_of
from ml_workloads.workspace import Workspace

GROUP = "serving.kserve.io"
KEYS = {"gs": "gcloud-application-credentials.json", "hf": "HF_TOKEN"}
"""KServe's names for what the Secret holds, by the scheme of a URI."""


def opened(block: str, settings: FilesSettings, workspace: Workspace, parent: Component) -> pulumi.Output[str]:
    """Declares all of it as children of `parent`: the account, and the Secret where pods need a key. The result is
    another one whenever the key is; it resolves when all is there."""
    name = account_of(block)
    meta = pods.metadata(name, workspace.name, workspace.labels)
    options = parent.child(deleted_with=workspace.namespace, depends_on=[workspace.namespace])
    manifest = _secret(meta, block, settings, workspace)
    account = workspace.account(name)
    if manifest is None:
        return after("", KubernetesObject(name, account, options))
    objects = (manifest, {**account, "secrets": [{"name": name}]}, *_right(meta, name))
    secret, *others = [KubernetesObject(f"{name}-{each['kind'].lower()}", each, options) for each in objects]
    return pulumi.Output.concat(content_version(secret), after("", *others))


def content_version(secret: KubernetesObject) -> pulumi.Output[str]:
    """Another one whenever the Secret has another content: pods that read it at their start are told by it."""
    return secret.metadata.apply(lambda found: str(found.get("resourceVersion", "")))


def _secret(meta: dict[str, Any], block: str, settings: FilesSettings, workspace: Workspace) -> dict[str, Any] | None:
    """None where pods are known to the object store by their account."""
    if settings.scheme != "s3":
        purpose = f"what opens {settings.files} for serving.{block}"
        return pods.secret(
            meta, {KEYS[settings.scheme]: require_secret(pulumi.Config(), str(settings.secret), purpose)}
        )
    store = workspace.platform.object_store
    if store.secret_key is None:
        return None
    marks = {
        f"{GROUP}/s3-endpoint": store.endpoint.apply(lambda url: urlsplit(url).netloc),
        f"{GROUP}/s3-usehttps": store.endpoint.apply(lambda url: "0" if url.startswith("http:") else "1"),
        f"{GROUP}/s3-region": store.region,
    }
    key = {"AWS_ACCESS_KEY_ID": store.access_key, "AWS_SECRET_ACCESS_KEY": store.secret_key}
    return pods.secret({**meta, "annotations": marks}, key)


def _right(meta: dict[str, Any], secret: str) -> list[dict[str, Any]]:
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [secret], "verbs": ["get"]}
    return [
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": meta, "rules": [rule]},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": meta["name"]},
            "subjects": [{"kind": "ServiceAccount", "name": KSERVE_MANAGER, "namespace": KSERVE}],
        },
    ]
