"""The life of one object as the engine asks for it: check, diff, create, read, update, delete.

It speaks plain Python on both sides; `server` translates to the protocol.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubernetes_provider import check, kinds, ownership, state
from kubernetes_provider.check import annotation
from kubernetes_provider.diff import Change, changes
from kubernetes_provider.session import Session
from kubernetes_provider.values import UNKNOWN, has_unknown

Object = dict[str, Any]

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
    """`replaces` names the paths for which a new object is made, `delete_first` whether the old one goes before."""

    changes: list[Change]
    replaces: list[str]
    delete_first: bool


class Objects:
    """The objects of one provider."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def check(self, request: check.Request) -> Object:
        return check.inputs(request, self.session.settings, self.session.is_namespaced)

    def diff(self, token: str, old_state: Object, old: Object, news: Object, ignored: list[str]) -> Difference:
        kept, live = state.parse(old_state)
        old, new = state.normalise(state.to_object(old) or kept), state.to_object(news)
        if not has_unknown(new):
            new = state.normalise(new)
        for obj in (old, new):
            _name_namespace(obj)
        before, after = _metadata(old), _metadata(new)
        if after.get("name") and _metadata(live).get("name"):
            before["name"] = live["metadata"]["name"]
        found = changes(old, new, self._replaced_for(token, new), ignored)
        replaces = [change.name for change in found if change.replaces]
        if annotation(new, REPLACE_UNREADY) == "true" and new["kind"] == "Job" and self._failed(new, live):
            replaces.append(f'metadata.annotations["{REPLACE_UNREADY}"]')
        same_place = all((after.get(key) or "") == (before.get(key) or "") for key in ("name", "namespace"))
        delete_first = bool(replaces) and same_place and not check.is_autonamed(new)
        return Difference(changes=found, replaces=replaces, delete_first=delete_first)

    def create(self, token: str, properties: Object, timeout: float, *, preview: bool) -> Saved:
        from kubernetes_provider.write import Write

        session, obj = self.session, state.to_object(properties)
        patch = kinds.is_patch(token, obj["kind"])
        if preview and (has_unknown(obj) or patch or not session.settings.server_side_apply):
            return Saved(id="", state=properties)
        manager = session.manager(obj, {})
        write = Write(obj=obj, manager=manager, patch=patch, preview=preview)
        if preview:
            return _preview(properties, lambda: _foreseen(session.writer().create(write), obj), manager)
        live, reasons = session.until_ready(obj, session.writer().create(write), timeout)
        saved = state.checkpoint(obj, live, properties, obj["apiVersion"], manager)
        return Saved(id=identity(live), state=saved, reasons=reasons)

    def update(
        self, token: str, old_state: Object, news: Object, timeout: float, ignored: list[str], *, preview: bool
    ) -> Saved:
        from kubernetes_provider.write import Write

        session = self.session
        old_inputs, old_live = state.parse(old_state)
        obj = state.normalise(state.to_object(news))
        if preview and has_unknown(obj):
            return Saved(id="", state=news)
        manager = session.manager(obj, old_state)
        patch = kinds.is_patch(token, obj["kind"])
        write = Write(obj=obj, manager=manager, patch=patch, preview=preview, ignored=tuple(ignored))
        name = old_live["metadata"]["name"]
        if preview:
            return _preview(news, lambda: session.writer().update(write, old_inputs, name), manager)
        live = session.writer().update(write, old_inputs, name)
        former = session.manager(old_inputs, old_state)
        if former != manager:
            session.writer().relinquish(live, former)
        live, reasons = session.until_ready(obj, live, timeout)
        api_version = old_state.get(state.API_VERSION) or obj["apiVersion"]
        saved = state.checkpoint(obj, live, news, api_version, manager)
        return Saved(id=identity(live), state=saved, reasons=reasons)

    def read(self, token: str, object_id: str, old_state: Object, old: Object) -> Saved | None:
        """The object as it is now; None where it, or its kind, is gone."""
        from ml_platform.kube import NotFound

        name, namespace = self._address(object_id)
        _, known = state.parse(old_state)
        inputs = state.normalise(state.to_object(old))
        first = not inputs.get("kind")  # an import, or a read of what is not ours
        identified = known if first else inputs
        api_version, kind = kinds.from_type(token)
        api_version, kind = identified.get("apiVersion", api_version), identified.get("kind", kind)
        try:
            live = self.session.client.get(api_version, kind, name, namespace)
        except NotFound:
            return None
        read = state.as_inputs(live) if first else state.prune(live, inputs)
        why = "" if first or kind not in _READY_ON_READ else self._unready(inputs, live)
        manager = self.session.manager(inputs, old_state)
        version = old_state.get(state.API_VERSION) or live["apiVersion"]
        return Saved(
            id=object_id,
            state=state.checkpoint(read, live, old, version, manager),
            inputs=state.to_properties(read, old),
            reasons=(why,) if why else (),
        )

    def delete(self, token: str, object_id: str, old_state: Object, timeout: float) -> Saved | None:
        """None when it is gone, or another resource's; else what is left of it, with the reasons."""
        from ml_platform.kube import NotFound

        from kubernetes_provider.readiness import SKIP_AWAIT
        from kubernetes_provider.waiting import Incomplete

        session = self.session
        inputs, live = state.parse(old_state)
        if kinds.is_patch(token, live["kind"]) and session.settings.server_side_apply:
            session.writer().relinquish(live, session.manager(inputs, old_state))
            return None
        policy = annotation(inputs, PROPAGATION).capitalize()
        propagation = policy if policy in ("Orphan", "Background") else "Foreground"
        where = (live["apiVersion"], live["kind"], *self._address(object_id))
        if session.settings.upsert and self._taken_up(where, old_state.get(state.MANAGER, "")):
            return None
        session.writer().insist(lambda: session.client.delete(*where, propagation=propagation))
        if annotation(inputs, SKIP_AWAIT) == "true" and live["kind"] in _SKIPS_DELETE:
            return None
        try:
            session.waiter(inputs, timeout).until_gone(session.client.get(*where))
        except NotFound:
            return None
        except Incomplete as left:
            marked, manager = old_state.get(state.INPUTS, {}), old_state.get(state.MANAGER, "")
            saved = state.checkpoint(inputs, left.live, marked, live["apiVersion"], manager)
            return Saved(id=object_id, state=saved, reasons=tuple(left.reasons))
        return None

    def _taken_up(self, where: tuple[str, str, str, str], manager: str) -> bool:
        """Whether a resource of another URN, or a later one of the same, has adopted the object."""
        from ml_platform.kube import NotFound

        try:
            return ownership.taken_up(self.session.client.get(*where), manager)
        except NotFound:
            return False

    def _replaced_for(self, token: str, obj: Object) -> tuple[str, ...]:
        """A Patch resource changes everything but its identity in place."""
        if kinds.is_patch(token, obj.get("kind", "")):
            return ("metadata.name", "metadata.namespace")
        settings = self.session.settings
        return kinds.replaced_for(
            obj, config_map_mutable=settings.config_map_mutable, secret_mutable=settings.secret_mutable
        )

    def _address(self, object_id: str) -> tuple[str, str]:
        """(name, namespace) of an id; one without a namespace means the provider's, where the kind has any."""
        namespace, _, name = object_id.rpartition("/")
        return name, namespace or self.session.settings.namespace

    def _unready(self, inputs: Object, live: Object) -> str:
        """Why a read object is not ready: that nobody can tell is a reason, and no error of the read."""
        from ml_platform.kube import KubeError

        try:
            return self.session.not_ready(inputs, live)
        except (KubeError, ValueError) as error:
            return str(error)

    def _failed(self, inputs: Object, old_live: Object) -> bool:
        """Whether the object is there and not ready; where nobody can tell, it is not."""
        from ml_platform.kube import KubeError

        metadata = old_live["metadata"]
        where = (old_live["apiVersion"], old_live["kind"], metadata["name"], metadata.get("namespace"))
        try:
            return bool(self.session.not_ready(inputs, self.session.client.get(*where)))
        except KubeError:
            return False


def identity(obj: Object) -> str:
    metadata = obj["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def _preview(properties: Object, dry_run: Callable[[], Object], manager: str) -> Saved:
    """What the server would make of it; as declared where the server cannot tell (yet)."""
    from ml_platform.kube import KubeError

    try:
        live = dry_run()
    except KubeError as error:
        refused = error.status in (400, 422)
        if refused and "dry run" not in error.message and "immutable" not in error.message:
            raise
        return Saved(id="", state=properties)
    obj = state.to_object(properties)
    return Saved(id="", state=state.checkpoint(obj, live, properties, obj["apiVersion"], manager))


def _foreseen(live: Object, obj: Object) -> Object:
    """A dry run makes up what only the real create can know."""
    live.pop("status", None)
    for key in ("uid", "resourceVersion", "creationTimestamp"):
        live["metadata"][key] = UNKNOWN
    spec = live.get("spec")
    if live["kind"] == "Service" and isinstance(spec, dict) and "clusterIP" not in (obj.get("spec") or {}):
        spec.update(dict.fromkeys(spec.keys() & {"clusterIP", "clusterIPs"}, UNKNOWN))
    return live


def _name_namespace(obj: Object) -> None:
    """So that a namespace left out and `default` are the same, and one too many does not count."""
    metadata = _metadata(obj)
    if kinds.scope(obj.get("apiVersion", ""), obj.get("kind", "")) is False:
        metadata.pop("namespace", None)
    else:
        metadata["namespace"] = metadata.get("namespace") or "default"


def _metadata(obj: Object) -> Object:
    """For reading and writing; a scratch map where the metadata is not known yet."""
    metadata = obj.setdefault("metadata", {})
    return metadata if isinstance(metadata, dict) else {}
