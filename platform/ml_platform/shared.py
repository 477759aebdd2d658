"""The platform of another stack, as the work of this stack uses it.

This stack's own settings decide which resources it declares, so that a preview shows all of them; their inputs come
from the other stack, once both stacks agree. The platform itself stays the other stack's, unchanged.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pulumi

from ml_platform import agreement, missing_images, registry_login, store
from ml_platform.bundles.preflight import Preflight
from ml_platform.clusters import Cluster
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.handle import ObjectStoreAccess, PlatformHandle, PlatformOutputs, SparkAccess, TrainingAccess
from ml_platform.labels import of_stack
from ml_platform.other_stack import OtherStack
from ml_platform.settings import SharedPlatform
from ml_platform.settings.stack import SharedObjectStore, SharedSpark, SharedTraining
from ml_platform.store import Pod
from ml_platform.tenancy import Tenancy

SECRET_KEY = "object_store_secret_key"  # noqa: S105 - the name of an output


def handle(cluster: Cluster, settings: SharedPlatform, tenancy: Tenancy) -> PlatformHandle:
    """The handle of the other stack's platform, for this stack's work.

    An Output of it fails with a SettingsError where the other stack has no platform, or one that differs from the
    settings.

    Raises:
        SettingsError: the work runs images for which the settings have no reference.
    """
    missing_images.check(tenancy.needs.images, settings.images)
    other = OtherStack("platform.stack", settings.stack)
    agreed = other.output("platform").apply(lambda found: _agreed(found, settings, tenancy))
    from_platform = partial(_from_platform, agreed)
    of_platform = other.output("platform_cluster")
    preflight = _preflight(cluster, tenancy, {"stack": settings.stack, "cluster": of_platform}, agreed)
    outputs = PlatformOutputs(
        mlflow_url=from_platform("mlflow_url"),
        object_store=_object_store(other, agreed, settings.object_store),
        serving_mode=settings.serving.mode,
        serving=from_platform("serving_mode"),
        url_template=from_platform("url_template"),
        gateway=from_platform("gateway"),
        object_store_url=from_platform("object_store_url"),
        entry_namespaces=from_platform("entry_namespaces"),
        namespaces=from_platform("namespaces"),
        images=settings.images,
        kubeconfig=cluster.kubeconfig,
        cluster=of_platform,
        spark=_spark(agreed, settings.spark) if settings.spark else None,
        ray=from_platform("ray") if settings.ray else None,
        training=_training(agreed, settings.training) if settings.training else None,
        pools=tenancy.pools,
    )
    return PlatformHandle(
        provider=cluster.provider([preflight]),
        login=registry_login.chosen(settings.registry_login, None),
        outputs=outputs,
        exports=outputs.exports(),
    )


def _spark(agreed: pulumi.Output[Any], settings: SharedSpark) -> SparkAccess:
    """Spark as the settings choose it, once the two stacks have agreed."""
    from_platform = partial(_from_platform, agreed, "spark")
    return SparkAccess(**settings.model_dump(), jobs=from_platform("namespace"), repository=from_platform("repository"))


def _training(agreed: pulumi.Output[Any], settings: SharedTraining) -> TrainingAccess:
    return TrainingAccess(operator=settings.operator, accepts=_from_platform(agreed, "training", "accepts"))


def _object_store(other: OtherStack, agreed: pulumi.Output[Any], settings: SharedObjectStore) -> ObjectStoreAccess:
    """The object store as pods reach it; the secret key is read only where they need one."""
    from_platform, keyed = partial(_from_platform, agreed, "object_store"), settings.access == "key"
    own = pulumi.Config().get_secret(SECRET_KEY)
    return ObjectStoreAccess(
        endpoint=from_platform("endpoint"),
        region=from_platform("region"),
        access_key=from_platform("access_key") if keyed else None,
        secret_key=(own or agreed.apply(lambda _: other.secret(SECRET_KEY))) if keyed else None,
        buckets=settings.buckets,
        checksums=from_platform("checksums"),
    )


def _from_platform(agreed: pulumi.Output[Any], *path: str) -> pulumi.Output[Any]:
    return agreed.apply(lambda found: _value_at(found, *path))


def _preflight(
    cluster: Cluster, tenancy: Tenancy, platform: Mapping[str, Any], agreed: pulumi.Output[Any]
) -> Preflight:
    """The preflight, which runs once the two stacks agree; all that goes to the cluster waits for it."""
    return Preflight(
        "preflight",
        entries=(),
        own=tenancy.needs.outside_of_namespaces(),
        mirror=None,
        labels=of_stack(),
        adopt=cluster.disposable,
        storage_class=cluster.storage_class,
        platform=platform,
        kubeconfig=pulumi.Output.all(cluster.kubeconfig, agreed).apply(lambda both: str(both[0])),
    )


def _agreed(found: Mapping[str, Any], settings: SharedPlatform, tenancy: Tenancy) -> Mapping[str, Any]:
    """The other platform's outputs `found`, if they agree with the settings.

    Raises:
        SettingsError: keys differ; the message names each with both values and the command that corrects it.
    """
    problems = [
        *_differences(found, settings),
        *agreement.pool_differences(settings.stack, _value_at(found, "pools") or {}, tenancy.pools),
        *_namespace_problems(found, settings, tenancy.needs.namespaces),
        *_closed_buckets(found, settings, tenancy.accounts),
    ]
    if problems:
        raise SettingsError("\n".join(problems))
    return found


def _differences(found: Mapping[str, Any], settings: SharedPlatform) -> Iterator[str]:
    wanted = {
        "serving.mode": settings.serving.mode,
        "images.mlserver": settings.images.get("mlserver"),
        "object_store.access": settings.object_store.access,
    }
    theirs = {
        "serving.mode": _value_at(found, "serving_mode"),
        "images.mlserver": _value_at(found, "images", "mlserver"),
        "object_store.access": "key" if _value_at(found, "object_store", "users") is None else "identity",
    }
    for block, chosen in {"spark": settings.spark, "training": settings.training}.items():
        for key, value in chosen.model_dump().items() if chosen else ():
            wanted[f"{block}.{key}"], theirs[f"{block}.{key}"] = value, _value_at(found, block, key)
    if settings.ray:
        wanted["ray"], theirs["ray"] = "{}", "{}" if _value_at(found, "ray") else None
    for key, mine in wanted.items():
        if mine is not None and mine != theirs[key]:
            yield _differs(settings.stack, key, mine, theirs[key])
    for index, bucket in enumerate(settings.object_store.buckets):
        buckets = _value_at(found, "object_store", "buckets") or []
        if bucket not in buckets:
            yield _differs(settings.stack, f"object_store.buckets[{index}]", bucket, " or ".join(buckets))


def _differs(stack: str, key: str, mine: str, theirs: str | None) -> str:
    block = f"{PROJECT}:platform.{key if theirs else key.partition('.')[0]}"
    change = f"pulumi config set --path '{block}' {theirs}" if theirs else f"pulumi config rm --path '{block}'"
    return (
        f"{PROJECT}:platform.{key} is {mine!r}, and the platform of stack {stack} has {theirs or 'none'}. Follow it "
        f"with:\n  {change}\nor have those who run that stack change it there"
    )


def _namespace_problems(found: Mapping[str, Any], settings: SharedPlatform, tenants: Sequence[str]) -> Iterator[str]:
    taken, certified = _value_at(found, "namespaces") or [], _value_at(found, "certified")
    for namespace in set(taken).intersection(tenants):
        yield (
            f"{PROJECT}:workloads.namespace is {namespace!r}, and the platform of stack {settings.stack} has "
            f"{', '.join(taken)} itself. Choose a name of your own with:\n"
            f"  pulumi config set --path '{PROJECT}:workloads.namespace' <namespace>"
        )

    for namespace in tenants if certified is not None else ():
        if not any(name.endswith(f".{namespace}") for name in certified):
            yield (
                f"{PROJECT}:workloads.namespace is {namespace!r}, and the certificate of stack {settings.stack} is for "
                f"no name in it, but for {', '.join(certified) or 'none'}. Have those who run that stack add "
                f"'*.{namespace}' to {PROJECT}:platform.gateway.tls.hosts, or choose another namespace"
            )


def _closed_buckets(found: Mapping[str, Any], settings: SharedPlatform, accounts: Collection[Pod]) -> Iterator[str]:
    """One problem for each bucket that identifies pods by service account and is not open for those of this stack."""
    users = _value_at(found, "object_store", "users") if settings.object_store.access == "identity" else None
    for bucket in settings.object_store.buckets:
        known = _value_at(users, bucket)
        if known is not None:
            way_out = (
                "Have those who run the stack of its cluster open it, and bring up that one and then the platform's"
            )
            yield from store.closed(bucket, known, accounts, f"stack {settings.stack}", way_out)


def _value_at(found: Any, *path: str) -> Any:
    """The value at `path`; None where there is none, since a stack's outputs drop fields that are None."""
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
