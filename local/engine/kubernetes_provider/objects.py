"""The life of one object as the engine asks for it: check, diff, create, read, update, delete.

It speaks plain Python on both sides; `server` translates to the protocol.
"""

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubernetes_provider import check, kinds, state
from kubernetes_provider.check import annotation
from kubernetes_provider.diff import Change, changes
from kubernetes_provider.messages import Messages
from kubernetes_provider.settings import Settings
from kubernetes_provider.values import UNKNOWN, has_unknown

if TYPE_CHECKING:
    from ml_platform.kube import Client

    from kubernetes_provider.waiting import Waiter
    from kubernetes_provider.write import Writer

Object = dict[str, Any]

TIMEOUT = "pulumi.com/timeoutSeconds"
FIELD_MANAGER = "pulumi.com/patchFieldManager"
PROPAGATION = "pulumi.com/deletionPropagationPolicy"
REPLACE_UNREADY = "pulumi.com/replaceUnready"

# Kinds whose skipAwait also skips the wait for their deletion.
_SKIPS_DELETE = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)
# Kinds that a refresh asks whether they are ready.
_READY_ON_READ = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "Pod", "Service", "Ingress"})


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What the engine keeps: an identity, the state, and the inputs where they are read anew."""

    id: str
    state: Object
    inputs: Object = field(default_factory=dict)
    reasons: tuple[str, ...] = ()  # why the object is there but not as wanted


@dataclass(frozen=True, kw_only=True)
class Difference:
    changes: list[Change]
    replaces: list[str]
    delete_first: bool


class Objects:
    """All calls of one provider. The cluster is not asked before the first call that needs it."""

    def __init__(self, settings: Settings, messages: Messages) -> None:
        self.settings = settings
        self.messages = messages
        self.cancelled = threading.Event()
        self._client: Client | None = None
        self._lock = threading.Lock()

    @property
    def client(self) -> "Client":
        from ml_platform.kube import Client, Unreachable

        with self._lock:
            if self.settings.connection is None:
                raise Unreachable(self.settings.unusable)
            if self._client is None:
                self._client = Client(
                    self.settings.connection, timeout=self.settings.timeout, warn=self.messages.warning
                )
            return self._client

    def reachable(self) -> str:
        """Empty, or why the cluster cannot be asked."""
        from ml_platform.kube import KubeError

        try:
            self.client.request("GET", "/version", timeout=5.0)
        except KubeError as error:
            return error.message
        return ""

    def check(self, request: check.Request) -> Object:
        return check.inputs(request, self.settings, self._namespaced)

    def diff(self, token: str, old_state: Object, old: Object, news: Object, ignored: list[str]) -> Difference:
        kept, live = state.parse(old_state)
        old, new = state.normalise(state.to_object(old) or kept), state.to_object(news)
        if not has_unknown(new):
            new = state.normalise(new)
        for obj in (old, new):
            self._canonical_namespace(obj)
        before, after = _metadata(old), _metadata(new)
        if after.get("name") and _metadata(live).get("name"):
            before["name"] = live["metadata"]["name"]
        if kinds.is_patch(token, new.get("kind", "")):
            replaced_for: tuple[str, ...] = ("metadata.name", "metadata.namespace")
        else:
            replaced_for = kinds.replaced_for(
                new,
                config_map_mutable=self.settings.config_map_mutable,
                secret_mutable=self.settings.secret_mutable,
            )
        found = changes(old, new, replaced_for, ignored)
        replaces = [change.name for change in found if change.replaces]
        if annotation(new, REPLACE_UNREADY) == "true" and new["kind"] == "Job" and not self._is_ready(new, live):
            replaces.append(f'metadata.annotations["{REPLACE_UNREADY}"]')
        same_place = all((after.get(key) or "") == (before.get(key) or "") for key in ("name", "namespace"))
        delete_first = bool(replaces) and same_place and not check.is_autonamed(new)
        return Difference(changes=found, replaces=replaces, delete_first=delete_first)

    def create(self, token: str, properties: Object, timeout: float, *, preview: bool) -> Saved:
        from kubernetes_provider.write import Write

        obj = state.to_object(properties)
        patch = kinds.is_patch(token, obj["kind"])
        if preview and (has_unknown(obj) or patch or not self.settings.server_side_apply):
            return Saved(id="", state=properties)
        manager = self._manager(obj, {})
        write = Write(obj=obj, manager=manager, patch=patch, preview=preview)
        if preview:
            return self._preview(properties, lambda: self._foreseen(self._writer().create(write), obj), manager)
        live = self._writer().create(write)
        live, reasons = self._until_ready(obj, live, timeout)
        saved = state.checkpoint(obj, live, properties, obj["apiVersion"], manager)
        return Saved(id=identity(live), state=saved, reasons=reasons)

    def update(
        self, token: str, old_state: Object, news: Object, timeout: float, ignored: list[str], *, preview: bool
    ) -> Saved:
        from kubernetes_provider.write import Write

        old_inputs, old_live = state.parse(old_state)
        obj = state.normalise(state.to_object(news))
        if preview and has_unknown(obj):
            return Saved(id="", state=news)
        manager = self._manager(obj, old_state)
        patch = kinds.is_patch(token, obj["kind"])
        write = Write(obj=obj, manager=manager, patch=patch, preview=preview, ignored=tuple(ignored))
        name = old_live["metadata"]["name"]
        if preview:
            return self._preview(news, lambda: self._writer().update(write, old_inputs, name), manager)
        live = self._writer().update(write, old_inputs, name)
        former = self._manager(old_inputs, old_state)
        if former != manager:
            self._writer().relinquish(live, former)
        live, reasons = self._until_ready(obj, live, timeout)
        api_version = old_state.get(state.API_VERSION) or obj["apiVersion"]
        return Saved(
            id=identity(live),
            state=state.checkpoint(obj, live, news, api_version, manager),
            reasons=reasons,
        )

    def read(self, token: str, object_id: str, old_state: Object, old: Object) -> Saved | None:
        """The object as it is now; None where it, or its kind, is gone."""
        from ml_platform.kube import NotFound

        namespace, _, name = object_id.rpartition("/")
        _, known = state.parse(old_state)
        inputs = state.normalise(state.to_object(old))
        first = not inputs.get("kind")
        identified = inputs if not first else known
        api_version, kind = kinds.from_type(token)
        try:
            live = self.client.get(
                identified.get("apiVersion", api_version), identified.get("kind", kind), name, namespace or None
            )
        except NotFound:
            return None
        read = state.as_inputs(live) if first else state.prune(live, inputs)
        reasons: tuple[str, ...] = ()
        if not first and kind in _READY_ON_READ and (why := self._not_ready(inputs, live)):
            reasons = (why,)
        manager = self._manager(inputs, old_state)
        version = old_state.get(state.API_VERSION) or live["apiVersion"]
        return Saved(
            id=object_id,
            state=state.checkpoint(read, live, old, version, manager),
            inputs=state.to_properties(read, old),
            reasons=reasons,
        )

    def delete(self, token: str, object_id: str, old_state: Object, timeout: float) -> Saved | None:
        """None when it is gone; else what is left of it, with the reasons."""
        from ml_platform.kube import NotFound

        from kubernetes_provider.readiness import SKIP_AWAIT
        from kubernetes_provider.waiting import Incomplete

        inputs, live = state.parse(old_state)
        if kinds.is_patch(token, live["kind"]) and self.settings.server_side_apply:
            self._writer().relinquish(live, self._manager(inputs, old_state))
            return None
        policy = annotation(inputs, PROPAGATION).capitalize()
        propagation = policy if policy in ("Orphan", "Background") else "Foreground"
        namespace, _, name = object_id.rpartition("/")
        where = (live["apiVersion"], live["kind"], name, namespace or None)
        self.client.delete(*where, propagation=propagation)
        if annotation(inputs, SKIP_AWAIT) == "true" and live["kind"] in _SKIPS_DELETE:
            return None
        try:
            current = self.client.get(*where)
            self._waiter(inputs, timeout).until_gone(current)
        except NotFound:
            return None
        except Incomplete as left:
            saved = state.checkpoint(inputs, left.live, old_state.get(state.INPUTS, {}), live["apiVersion"], "")
            saved[state.MANAGER] = old_state.get(state.MANAGER, "")
            return Saved(id=object_id, state=saved, reasons=tuple(left.reasons))
        return None

    def _preview(self, properties: Object, dry_run: Any, manager: str) -> Saved:
        """What the server would make of it; as declared where the server cannot tell (yet)."""
        from ml_platform.kube import KubeError

        try:
            live = dry_run()
        except KubeError as error:
            if error.status in (400, 422) and "dry run" not in error.message and "immutable" not in error.message:
                raise
            return Saved(id="", state=properties)
        obj = state.to_object(properties)
        return Saved(id="", state=state.checkpoint(obj, live, properties, obj["apiVersion"], manager))

    def _foreseen(self, live: Object, obj: Object) -> Object:
        """A dry run makes up what only the real create can know."""
        live.pop("status", None)
        metadata = live["metadata"]
        for key in ("uid", "resourceVersion", "creationTimestamp"):
            metadata[key] = UNKNOWN
        spec = live.get("spec")
        if live["kind"] == "Service" and isinstance(spec, dict) and "clusterIP" not in obj.get("spec", {}):
            spec.update(dict.fromkeys(spec.keys() & {"clusterIP", "clusterIPs"}, UNKNOWN))
        return live

    def _until_ready(self, inputs: Object, live: Object, timeout: float) -> tuple[Object, tuple[str, ...]]:
        from kubernetes_provider.readiness import rule
        from kubernetes_provider.waiting import Incomplete

        wanted = rule(inputs, live, await_all=self.settings.await_all)
        if wanted is None:
            return live, ()
        try:
            return self._waiter(inputs, timeout).until_ready(live, wanted), ()
        except Incomplete as incomplete:
            return incomplete.live, tuple(incomplete.reasons)

    def _is_ready(self, inputs: Object, old_live: Object) -> bool:
        from ml_platform.kube import KubeError

        metadata = old_live["metadata"]
        try:
            live = self.client.get(
                old_live["apiVersion"], old_live["kind"], metadata["name"], metadata.get("namespace")
            )
        except KubeError:
            return True
        return not self._not_ready(inputs, live)

    def _not_ready(self, inputs: Object, live: Object) -> str:
        from kubernetes_provider.readiness import rule
        from kubernetes_provider.waiting import name

        wanted = rule(inputs, live, await_all=False)
        answer = wanted(live, self.client) if wanted else None
        return "" if answer is None or answer.done else f"{name(live)} is not ready: {answer.message}"

    def _namespaced(self, api_version: str, kind: str) -> bool:
        """A kind that nobody serves yet counts as namespaced; the create corrects it."""
        from ml_platform.kube import KubeError

        try:
            return self.client.resource(api_version, kind).namespaced
        except KubeError:
            return True

    def _canonical_namespace(self, obj: Object) -> None:
        metadata = _metadata(obj)
        if kinds.scope(obj.get("apiVersion", ""), obj.get("kind", "")) is False:
            metadata.pop("namespace", None)
        else:
            metadata["namespace"] = metadata.get("namespace") or "default"

    def _manager(self, inputs: Object, old_state: Object) -> str:
        if not self.settings.server_side_apply:
            return "pulumi-kubernetes"
        chosen = annotation(inputs, FIELD_MANAGER) or old_state.get(state.MANAGER)
        return str(chosen or f"pulumi-kubernetes-{secrets.token_hex(4)}")

    def _writer(self) -> "Writer":
        from kubernetes_provider.write import Writer

        return Writer(self.client, self.settings, self.messages.status, self.cancelled)

    def _waiter(self, inputs: Object, timeout: float) -> "Waiter":
        from kubernetes_provider.waiting import Waiter

        text = annotation(inputs, TIMEOUT)
        seconds = timeout or (float(text) if text.isdigit() else None)
        return Waiter(self.client, self.cancelled, self.messages.status, seconds)


def _metadata(obj: Object) -> Object:
    """For reading and writing; a scratch map where the metadata is not known yet."""
    metadata = obj.setdefault("metadata", {})
    return metadata if isinstance(metadata, dict) else {}


def identity(obj: Object) -> str:
    metadata = obj["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])
