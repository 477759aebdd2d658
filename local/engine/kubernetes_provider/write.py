"""Creating and updating one object: which verb, which owner, what is tried again."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from ml_platform.kube import AlreadyExists, Client, Conflict, KubeError, NoMatch, NotFound

from kubernetes_provider import ownership
from kubernetes_provider.check import annotation
from kubernetes_provider.settings import Settings

Object = dict[str, Any]
T = TypeVar("T")

PATCH_FORCE = "pulumi.com/patchForce"
RETRY_SECONDS = (1, 2, 4, 8, 16)
UNANSWERED_SECONDS = (1, 2, 4, 8)
JSON_PATCH = "application/json-patch+json"

_LEAVING = "object is being deleted"
"""What an API server says of a name whose object is going."""
_EXISTS = """{message}
The object is in the cluster but not in this stack's state. Either
  - import it (`pulumi import`, or the resource option import_), or
  - manage only some of its fields with a Patch resource, or
  - set upsertExistingObjects on the provider to adopt whatever exists, or
  - if a resource was renamed: give it an alias, or deleteBeforeReplace."""

_GONE = """{message}
The object was deleted outside of Pulumi. `pulumi refresh` drops it from the state; the next update makes it again."""

_NO_KIND = """{message}
The cluster serves no such kind: install its CRD, or let this resource depend on what installs it."""

_CONFLICT = """{message}
Another field manager set these fields to other values. Leave them out of the program, or take them over with
the annotation pulumi.com/patchForce: "true" (for all objects: enablePatchForce on the provider)."""


@dataclass(frozen=True, kw_only=True)
class Write:
    """One object on its way to the cluster."""

    obj: Object
    manager: str
    patch: bool
    preview: bool
    ignored: tuple[str, ...] = ()


class Writer:
    """Sends objects as the settings say."""

    def __init__(
        self, client: Client, settings: Settings, say: Callable[[str], None], cancelled: threading.Event
    ) -> None:
        self._client = client
        self._settings = settings
        self._say = say
        self._cancelled = cancelled

    def create(self, write: Write) -> Object:
        """A kind or namespace that is not there yet may be on its way, and an object of that name may still be going.
        Both are asked for again, not in a preview."""
        for delay in (*RETRY_SECONDS, None):
            try:
                return self.insist(lambda: self._create(write))
            except (AlreadyExists, NotFound) as error:
                over = write.preview or delay is None or self._cancelled.is_set()
                if over or (isinstance(error, AlreadyExists) and not self._leaves(write.obj, error)):
                    raise _explained(error, _way_out(error)) from error
                self._pause(delay, error)
            except Conflict as error:
                raise _explained(error, _CONFLICT) from error
        raise AssertionError("unreachable")

    def _pause(self, delay: float | None, error: KubeError) -> None:
        self._say(f"trying again in {delay} s: {error.message}")
        self._cancelled.wait(delay)

    def _leaves(self, obj: Object, error: AlreadyExists) -> bool:
        """Whether the object in the way is going. One that goes while the server looks after it is said to exist."""
        if _LEAVING in error.message:
            return True
        metadata = obj["metadata"]
        live = self._client.find(obj["apiVersion"], obj["kind"], metadata.get("name", ""), metadata.get("namespace"))
        return live is None or "deletionTimestamp" in live["metadata"]

    def insist(self, action: Callable[[], T]) -> T:
        """What `action` gives, which is done again where the API server answers that it can't answer now: it, etcd or a
        webhook has too much to do."""
        for delay in UNANSWERED_SECONDS:
            try:
                return action()
            except KubeError as error:
                if error.status < 500 or self._cancelled.is_set():
                    raise
                self._pause(delay, error)
        return action()

    def update(self, write: Write, old_inputs: Object, name: str) -> Object:
        """What comes of the object; it is written again where the server can't answer."""
        return self.insist(lambda: self._update(write, old_inputs, name))

    def _update(self, write: Write, old_inputs: Object, name: str) -> Object:
        obj = self._scoped(write.obj)
        namespace = obj["metadata"].get("namespace")
        try:
            live = self._client.get(obj["apiVersion"], obj["kind"], name, namespace)
        except NotFound as error:
            raise _explained(error, _GONE) from error
        if obj["kind"] == "CustomResourceDefinition" and not write.patch:
            return self._replace(obj, live, write)
        if not self._settings.server_side_apply:
            body = merge_patch(old_inputs, obj)
            return self._client.patch(
                obj["apiVersion"], obj["kind"], name, namespace, body,
                field_manager=ownership.CREATOR, dry_run=write.preview,
            )  # fmt: skip
        if not write.preview and not write.patch:
            live = self._take_over(live, write.manager)
        ownership.settle_ignored(obj, live, list(write.ignored), write.manager)
        force = self._force(obj) or not ownership.entries(live)
        force = force or (write.preview and ownership.created_by_us(live))
        try:
            return self._client.apply(obj, field_manager=write.manager, force=force, dry_run=write.preview)
        except Conflict as error:
            raise _explained(error, _CONFLICT) from error

    def relinquish(self, obj: Object, manager: str) -> None:
        """Own nothing of the object any more; what nobody else owns goes with it.

        Its uid goes along: without, applying to an object that is gone would make an empty one.
        """
        kept = ("name", "namespace", "uid")
        metadata = {key: obj["metadata"][key] for key in kept if obj["metadata"].get(key)}
        identity = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}
        with suppress(NotFound, Conflict):
            self._client.apply(self._scoped(identity), field_manager=manager)

    def _create(self, write: Write) -> Object:
        obj = self._scoped(write.obj)
        apply = self._settings.server_side_apply and (self._settings.upsert or write.patch)
        manager = write.manager if apply else ownership.new_manager()
        try:
            if not apply:
                return self._client.create(obj, field_manager=manager, dry_run=write.preview)
            force = self._force(obj) or write.preview
            live = self._client.apply(obj, field_manager=manager, force=force, dry_run=write.preview)
        except KubeError as error:
            answered = 0 < error.status < 500
            if write.preview or answered or (made := self._made(obj, manager)) is None:
                raise
            return made
        if not write.preview and not write.patch:
            for former in ownership.former(live, manager):
                self.relinquish(live, former)
        return live

    def _made(self, obj: Object, manager: str) -> Object | None:
        """What a create made of which no answer came: nobody else writes under its manager."""
        metadata = obj["metadata"]
        fields = f"metadata.name={metadata['name']}" if metadata.get("name") else None
        for delay in UNANSWERED_SECONDS:
            try:
                found = self._client.list(obj["apiVersion"], obj["kind"], metadata.get("namespace"), fields=fields)
                return next((each for each in found if ownership.written_by(each, manager)), None)
            except KubeError as error:
                self._say(f"looking in {delay} s whether it was made: {error.message}")
                self._cancelled.wait(delay)
        return None

    def _scoped(self, obj: Object) -> Object:
        """Without the namespace that `check` assumed, where the cluster says that the kind has none."""
        namespaced = self._client.resource(obj["apiVersion"], obj["kind"]).namespaced
        metadata = {key: value for key, value in obj["metadata"].items() if namespaced or key != "namespace"}
        return {**obj, "metadata": metadata}

    def _force(self, obj: Object) -> bool:
        return annotation(obj, PATCH_FORCE) == "true" or self._settings.patch_force

    def _replace(self, obj: Object, live: Object, write: Write) -> Object:
        """A CRD is put as a whole: a patch would keep versions and fields that are gone."""
        version = live["metadata"]["resourceVersion"]
        body = {**obj, "metadata": {**obj["metadata"], "resourceVersion": version}}
        path = self._client.resource(obj["apiVersion"], obj["kind"]).path(None, live["metadata"]["name"])
        params = {"fieldManager": write.manager, "dryRun": "All" if write.preview else None}
        return self._client.request("PUT", path, params=params, body=body)

    def _take_over(self, live: Object, manager: str) -> Object:
        """Inherit the fields of the create (and of kubectl), so that those left out from now on go."""
        metadata = live["metadata"]
        where = (live["apiVersion"], live["kind"], metadata["name"], metadata.get("namespace"))
        for _ in range(5):
            entries = ownership.taken_over(live, manager)
            if entries is None:
                return live
            body = [
                {"op": "replace", "path": "/metadata/managedFields", "value": entries},
                {
                    "op": "replace",
                    "path": "/metadata/resourceVersion",
                    "value": live["metadata"]["resourceVersion"],
                },
            ]
            try:
                return self._client.patch(*where, body, content_type=JSON_PATCH)
            except Conflict:
                live = self._client.get(*where)
        return live


def merge_patch(old: Any, new: Any) -> Any:
    """RFC 7386: what turns `old` into `new`."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    patch = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old or old[key] != value:
            patch[key] = merge_patch(old.get(key), value)
    return patch


def _way_out(error: KubeError) -> str:
    """What to say of a create that failed at what is there, or is not."""
    if isinstance(error, AlreadyExists):
        return _EXISTS
    return _NO_KIND if isinstance(error, NoMatch) else "{message}"


def _explained(error: KubeError, text: str) -> KubeError:
    message = text.format(message=error.message)
    return type(error)(error.status, error.reason, message, error.details)
