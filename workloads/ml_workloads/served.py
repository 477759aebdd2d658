"""From a block of `serving` to what its InferenceServices serve: the source in use, and that of a canary.

It owns the Secret that such a source may need beside the InferenceService.
"""

from collections.abc import Mapping, Sequence

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.configuration import require_secret
from ml_platform.objects import KubernetesObject

from ml_workloads.packages import NONE, SERVING, Packages
from ml_workloads.recorded import Recorded
from ml_workloads.source_settings import AnySource, ImageSettings, RegisteredSettings, StoredSettings
from ml_workloads.sources import Custom, Registered, Source, Stored, secret_of
from ml_workloads.storage import content_version, opened
from ml_workloads.workspace import Workspace

Sources = tuple[Source, Source | None]


def sources(
    block: str,
    settings: AnySource,
    workspace: Workspace,
    champions: Mapping[str, pulumi.Output[str]],
    packages: Mapping[str, Packages],
    exported: Mapping[str, pulumi.Output[str]],
    recorded: Recorded | None,
    parent: Component,
) -> Sources:
    """What is in use, and what is tried. `champions` and `packages` are those of the stack's models, `exported` are the
    files that its runs leave on volumes."""
    if isinstance(settings, RegisteredSettings):
        return _registered(settings, workspace, champions, packages.get(settings.model, NONE), recorded)
    read = [opened(block, settings, workspace, parent)] if settings.locked else []
    if isinstance(settings, StoredSettings):
        return _stored(block, settings, read, recorded)
    if settings.secrets:
        read.append(content_version(_secret(block, settings, workspace, parent)))
    return _custom(block, settings, read, exported[settings.exported] if settings.exported else None)


def _registered(
    settings: RegisteredSettings,
    workspace: Workspace,
    champions: Mapping[str, pulumi.Output[str]],
    packages: Packages,
    recorded: Recorded | None,
) -> Sources:
    platform, image = workspace.platform, packages.image(SERVING)

    def of(version: pulumi.Input[str]) -> Registered:
        return Registered(
            settings=settings,
            version=version,
            registry=platform.mlflow_url,
            image=None if image == SERVING else platform.image(image),
            recorded=recorded,
        )

    version = champions[settings.model] if settings.version == "champion" else str(settings.version)
    return of(version), of(str(settings.canary.version)) if settings.canary else None


def _stored(
    block: str, settings: StoredSettings, read: Sequence[pulumi.Output[str]], recorded: Recorded | None
) -> Sources:
    def of(uri: str) -> Stored:
        return Stored(block=block, settings=settings, uri=uri, read=read, recorded=recorded)

    return of(settings.uri), of(settings.canary.uri) if settings.canary else None


def _custom(
    block: str, settings: ImageSettings, read: Sequence[pulumi.Output[str]], exported: pulumi.Output[str] | None
) -> Sources:
    read = [*read, exported] if exported is not None else read

    def of(image: str) -> Custom:
        return Custom(block=block, settings=settings, image=image, read=read, exported=exported)

    return of(settings.image), of(settings.canary.image) if settings.canary else None


def _secret(block: str, settings: ImageSettings, workspace: Workspace, parent: Component) -> KubernetesObject:
    """The secrets of an image's environment, by its variables."""
    config = pulumi.Config()
    values = {
        variable: require_secret(config, name, f"the variable {variable} of serving.{block}")
        for variable, name in settings.secrets.items()
    }
    meta = pods.metadata(secret_of(block), workspace.name, workspace.labels)
    options = parent.child(deleted_with=workspace.namespace, depends_on=[workspace.namespace])
    return KubernetesObject(secret_of(block), pods.secret(meta, values), options)
