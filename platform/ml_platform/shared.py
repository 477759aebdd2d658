"""The platform of another stack, for the work of this one.

What this stack declares is decided by its own settings alone, so that a preview shows all of it; what it is wired with
comes from the other stack, once the two agree. It declares nothing of the platform's, and changes nothing of it.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pulumi

from ml_platform import missing_images, names, registry_login, selection
from ml_platform.bundles.preflight import Preflight
from ml_platform.clusters import Cluster
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.handle import ObjectStoreAccess, PlatformHandle, PlatformOutputs, SparkAccess
from ml_platform.other_stack import OtherStack
from ml_platform.pods import Placement
from ml_platform.settings import SharedPlatform
from ml_platform.settings.stack import SharedObjectStore
from ml_platform.store import Pod

SECRET_KEY = "object_store_secret_key"  # noqa: S105 - the name of an output


def handle(
    cluster: Cluster,
    settings: SharedPlatform,
    *,
    tenants: Sequence[str],
    pools: Mapping[str, Placement] | None = None,
    accounts: Collection[Pod] = (),
    images: Collection[str] = (),
) -> PlatformHandle:
    """That platform, for work in the namespaces `tenants` of its cluster, some of it on `pools` of it, and some with
    service accounts that use the object store. `images` are our short names of the images that it runs.

    An Output of it fails with a SettingsError where the other stack has no platform, or another one than is asked for.

    Raises:
        SettingsError: the settings name no reference of an image that the work runs.
    """
    missing_images.check(images, settings.images)
    other = OtherStack("platform.stack", settings.stack)
    agreed = other.output("platform").apply(lambda found: _agreed(found, settings, tenants, pools or {}, accounts))
    wired = partial(_wired, agreed)
    of_platform, spark = other.output("platform_cluster"), settings.spark
    preflight = _preflight(cluster, tenants, {"stack": settings.stack, "cluster": of_platform}, agreed)
    return PlatformHandle(
        provider=cluster.provider([preflight]),
        login=registry_login.chosen(settings.registry_login, None),
        outputs=PlatformOutputs(
            mlflow_url=wired("mlflow_url"),
            object_store=_object_store(other, agreed, settings.object_store),
            serving_mode=settings.serving.mode,
            serving=wired("serving_mode"),
            url_template=wired("url_template"),
            gateway=wired("gateway"),
            object_store_url=wired("object_store_url"),
            entry_namespaces=wired("entry_namespaces"),
            namespaces=wired("namespaces"),
            images=settings.images,
            kubeconfig=cluster.kubeconfig,
            cluster=of_platform,
            spark=(
                SparkAccess(
                    **spark.model_dump(), jobs=wired("spark", "namespace"), repository=wired("spark", "repository")
                )
                if spark
                else None
            ),
            ray=wired("ray") if settings.ray else None,
            pools=pools or {},
        ),
    )


def _object_store(other: OtherStack, agreed: pulumi.Output[Any], settings: SharedObjectStore) -> ObjectStoreAccess:
    """As pods reach it; for a key is asked only where they need one."""
    wired, keyed = partial(_wired, agreed, "object_store"), settings.access == "key"
    own = pulumi.Config().get_secret(SECRET_KEY)
    return ObjectStoreAccess(
        endpoint=wired("endpoint"),
        region=wired("region"),
        access_key=wired("access_key") if keyed else None,
        secret_key=(own or agreed.apply(lambda _: other.secret(SECRET_KEY))) if keyed else None,
        buckets=settings.buckets,
        checksums=wired("checksums"),
    )


def _wired(agreed: pulumi.Output[Any], *path: str) -> pulumi.Output[Any]:
    return agreed.apply(lambda found: _at(found, *path))


def _preflight(
    cluster: Cluster, tenants: Sequence[str], platform: Mapping[str, Any], agreed: pulumi.Output[Any]
) -> Preflight:
    """Once the two stacks have agreed: all that goes to the cluster waits for it."""
    return Preflight(
        "preflight",
        entries=(),
        own=[*map(selection.namespace, tenants)],
        mirror=None,
        labels=names.stack_labels(),
        adopt=cluster.disposable,
        storage_class=cluster.storage_class,
        platform=platform,
        kubeconfig=pulumi.Output.all(cluster.kubeconfig, agreed).apply(lambda both: str(both[0])),
    )


def _agreed(
    found: Mapping[str, Any],
    settings: SharedPlatform,
    tenants: Sequence[str],
    pools: Mapping[str, Placement],
    accounts: Collection[Pod],
) -> Mapping[str, Any]:
    """`found`, if it is what the settings say.

    Raises:
        SettingsError: naming each key that differs, both values and the way out.
    """
    problems = [
        *_differences(found, settings),
        *_other_pools(found, settings, pools),
        *_taken(found, settings, tenants),
        *_shut(found, settings, accounts),
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
        "serving.mode": _at(found, "serving_mode"),
        "images.mlserver": _at(found, "images", "mlserver"),
        "object_store.access": "key" if _at(found, "object_store", "users") is None else "identity",
    }
    if settings.spark:
        for key, value in settings.spark.model_dump().items():
            wanted[f"spark.{key}"], theirs[f"spark.{key}"] = value, _at(found, "spark", key)
    if settings.ray:
        wanted["ray"], theirs["ray"] = "{}", "{}" if _at(found, "ray") else None
    for key, mine in wanted.items():
        if mine is not None and mine != theirs[key]:
            yield _differs(settings.stack, key, mine, theirs[key])
    for index, bucket in enumerate(settings.object_store.buckets):
        buckets = _at(found, "object_store", "buckets") or []
        if bucket not in buckets:
            yield _differs(settings.stack, f"object_store.buckets[{index}]", bucket, " or ".join(buckets))


def _differs(stack: str, key: str, mine: str, theirs: str | None) -> str:
    block = f"{PROJECT}:platform.{key if theirs else key.partition('.')[0]}"
    change = f"pulumi config set --path '{block}' {theirs}" if theirs else f"pulumi config rm --path '{block}'"
    return (
        f"{PROJECT}:platform.{key} is {mine!r}, and the platform of stack {stack} has {theirs or 'none'}. Follow it "
        f"with:\n  {change}\nor have those who run that stack change it there"
    )


def _other_pools(found: Mapping[str, Any], settings: SharedPlatform, pools: Mapping[str, Placement]) -> Iterator[str]:
    theirs = _at(found, "pools") or {}
    for name, mine in pools.items():
        if name not in theirs:
            yield (
                f"{PROJECT}:cluster.pools.{name} is none of the pools that stack {settings.stack} has: "
                f"{', '.join(sorted(theirs)) or 'there are none'}. Describe one of those, or remove it with:\n"
                f"  pulumi config rm --path '{PROJECT}:cluster.pools.{name}'"
            )
        elif mine != theirs[name]:
            yield (
                f"{PROJECT}:cluster.pools.{name} makes pods say {json.dumps(mine)}, and in stack {settings.stack} they "
                f"say {json.dumps(theirs[name])}. Give it the labels and taints of that stack"
            )


def _taken(found: Mapping[str, Any], settings: SharedPlatform, tenants: Sequence[str]) -> Iterator[str]:
    taken, certified = _at(found, "namespaces") or [], _at(found, "certified")
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


def _shut(found: Mapping[str, Any], settings: SharedPlatform, accounts: Collection[Pod]) -> Iterator[str]:
    """Buckets that let nobody in by a key, and are not open for service accounts of this stack."""
    users = _at(found, "object_store", "users") if settings.object_store.access == "identity" else None
    for bucket in settings.object_store.buckets:
        known = _at(users, bucket)
        strangers = [] if known is None else [user for user in map("/".join, accounts) if user not in known]
        if strangers:
            path, first = f"{PROJECT}:cluster.buckets.{bucket}.used_by", len(known)
            yield (
                f"{PROJECT}:platform.object_store.buckets names {bucket}, which stack {settings.stack} does not open "
                f"for service account {', '.join(strangers)}. Have those who run it let them in, and bring it up:"
            ) + "".join(
                f"\n  pulumi config set --path '{path}[{index}]' {user}" for index, user in enumerate(strangers, first)
            )


def _at(found: Any, *path: str) -> Any:
    """What is there; None where nothing is: a stack's outputs don't keep what is None."""
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
