"""The verbs of the Kubernetes API over pooled HTTP."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import urllib3

from ml_platform.kube import errors
from ml_platform.kube.kubeconfig import Connection
from ml_platform.kube.transport import Transport

Object = dict[str, Any]

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PAGE = 500  # objects in one answer to a list request
LOGS = 30.0  # seconds that a request for a log may take
LOG_RETRIES, LOG_PAUSE = 3, 0.8  # seconds; longer than a kubelet takes to remove a container
LOG_REMOVED = "unable to retrieve container logs for "  # a kubelet's answer, status 200, for a removed container


@dataclass(frozen=True)
class ResourceKind:
    """A kind as the cluster serves it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        root = "/apis/" if "/" in self.api_version else "/api/"
        middle = f"/namespaces/{quote(namespace)}" if self.namespaced and namespace else ""
        return f"{root}{self.api_version}{middle}/{self.plural}" + (f"/{quote(name)}" if name else "")


class Client:
    """A client of one cluster as one user, safe to share between threads. `warn` receives the API server's warnings.
    For `patience` seconds from its start, a request waits for a server that is away, so that no caller has to."""

    def __init__(
        self,
        connection: Connection,
        *,
        connections: int = 32,
        timeout: float = 30.0,
        patience: float = 0.0,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.connection = connection
        self.namespace = connection.namespace
        self._warn = warn
        self._kinds: dict[str, dict[str, ResourceKind]] = {}
        self._transport = Transport(connection, connections=connections, timeout=timeout, patience=patience)

    @classmethod
    def from_kubeconfig(cls, kubeconfig: str, *, timeout: float = 30.0, patience: float = 0.0) -> "Client":
        """`kubeconfig` is the text (YAML or JSON) or a path."""
        return cls(Connection.from_kubeconfig(kubeconfig), timeout=timeout, patience=patience)

    def resource(self, api_version: str, kind: str) -> ResourceKind:
        """The kind as the cluster serves it; raises `NoMatch` if it is absent, which is never cached."""
        found = self._kinds.get(api_version, {}).get(kind)
        if found is None:
            self._kinds[api_version] = self._discover(api_version)
            found = self._kinds[api_version].get(kind)
        if found is None:
            raise errors.NoMatch(404, "NoMatch", f'no matches for kind "{kind}" in version "{api_version}"')
        return found

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        return self.request("GET", self.resource(api_version, kind).path(self._or_default(namespace), name))

    def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object; None if it or its kind is absent."""
        try:
            return self.get(api_version, kind, name, namespace)
        except errors.NotFound:
            return None

    def metadata(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The metadata of an object, without the rest (a CRD can be a megabyte); None if it or its kind is absent."""
        try:
            path = self.resource(api_version, kind).path(self._or_default(namespace), name)
            found: Object = self.request("GET", path, headers={"Accept": METADATA})["metadata"]
        except errors.NotFound:
            return None
        return found

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
    ) -> list[Object]:
        """All objects that the selectors match, in all namespaces unless one is named."""
        path = self.resource(api_version, kind).path(namespace)
        params = {"limit": str(PAGE), "labelSelector": labels, "fieldSelector": fields}
        found: list[Object] = []
        while True:
            page = self.request("GET", path, params=params)
            # The items of a list have neither apiVersion nor kind.
            found += [{"apiVersion": api_version, "kind": kind, **item} for item in page.get("items") or []]
            params["continue"] = page.get("metadata", {}).get("continue")
            if not params["continue"]:
                return found

    def create(self, obj: Object, *, field_manager: str, dry_run: bool = False) -> Object:
        kind, namespace, _ = self._address(obj)
        return self.request("POST", kind.path(namespace), params=_write_parameters(field_manager, dry_run), body=obj)

    def apply(self, obj: Object, *, field_manager: str, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply; raises `Conflict` for a field of another manager unless `force`."""
        kind, namespace, name = self._address(obj)
        params = _write_parameters(field_manager, dry_run) | {"force": "true" if force else None}
        return self.request(
            "PATCH", kind.path(namespace, name), params=params, body=obj, headers={"Content-Type": APPLY}
        )

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        body: Any,
        *,
        content_type: str = MERGE,
        field_manager: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        return self.request(
            "PATCH",
            self.resource(api_version, kind).path(self._or_default(namespace), name),
            params=_write_parameters(field_manager, dry_run),
            body=body,
            headers={"Content-Type": content_type},
        )

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str = "Background",
        uid: str | None = None,
    ) -> None:
        """Requests the deletion; an absent object is no error. Raises `Conflict` if the object has another `uid`."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            path = self.resource(api_version, kind).path(self._or_default(namespace), name)
            self.request("DELETE", path, body=options)
        except errors.NotFound:
            return

    def watch(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        labels: str | None = None,
        resource_version: str | None = None,
        timeout: float = 60.0,
    ) -> Iterator[tuple[str, Object]]:
        """Yields (ADDED | MODIFIED | DELETED, object) for `timeout` seconds; without a version, first all that exists.

        The watch starts over from a version that is too old: objects then come again as ADDED.
        """
        path = self.resource(api_version, kind).path(namespace)
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            params = {
                "watch": "true",
                "labelSelector": labels,
                "fieldSelector": f"metadata.name={name}" if name else None,
                "resourceVersion": resource_version,
                "timeoutSeconds": str(max(1, int(left))),
            }
            for event, obj in self._events(path, params, left):
                if event == "ERROR":
                    resource_version = None
                    break
                resource_version = obj.get("metadata", {}).get("resourceVersion")
                yield event, obj

    def logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str | None = None,
        tail: int = 50,
        previous: bool = False,
    ) -> str:
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/log"
        params = {"container": container, "tailLines": str(tail), "previous": "true" if previous else None}
        return self._transport.send("GET", path, params=params, timeout=LOGS).data.decode(errors="replace")

    def last_words(self, namespace: str, pod: str, *, container: str | None = None, tail: int = 50) -> str:
        """The log of a container's last ended run, or of the current run if none has ended. Raises `KubeError` if there
        is no log. The current log is read first: the container may restart between the two requests. While a kubelet
        removes the ended container, its log is missing for a moment, and the log of the next one is still empty."""
        said = _both_logs(self, namespace, pod, container, tail)
        for _ in range(LOG_RETRIES):
            if not any(each.startswith(LOG_REMOVED) for each in said):
                break
            time.sleep(LOG_PAUSE)
            said = _both_logs(self, namespace, pod, container, tail)
        return next((each for each in reversed(said) if each and not each.startswith(LOG_REMOVED)), "")

    def request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str | None] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> Object:
        """Any request that is answered with an object. Parameters that are None are left out."""
        response = self._transport.send(method, path, params=params, body=body, headers=headers, timeout=timeout)
        if self._warn:
            for warning in response.headers.getlist("Warning"):
                self._warn(warning.partition('"')[2].rpartition('"')[0].replace('\\"', '"'))
        answer: Object = json.loads(response.data) if response.data else {}
        return answer

    def _events(self, path: str, params: dict[str, str | None], left: float) -> Iterator[tuple[str, Object]]:
        response = None
        try:
            # The server ends the watch in time; a reader that gave up first would lose the connection.
            response = self._transport.send("GET", path, params=params, timeout=left + 5.0, stream=True)
            pending = b""
            for chunk in response.stream(65536):
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    yield event["type"], event["object"]
        except (errors.Unreachable, urllib3.exceptions.HTTPError):
            time.sleep(min(0.5, left))  # the server went away, or the time is over: the caller's loop decides
        except errors.KubeError as error:
            if error.status != 410:
                raise
            yield "ERROR", {}
        finally:
            if response is not None:
                response.close()

    def _discover(self, api_version: str) -> dict[str, ResourceKind]:
        root = "/apis/" if "/" in api_version else "/api/"
        try:
            served = self.request("GET", root + api_version)["resources"]
        except errors.NotFound:
            return {}
        return {
            entry["kind"]: ResourceKind(api_version, entry["kind"], entry["name"], entry["namespaced"])
            for entry in served
            if "/" not in entry["name"]
        }

    def _or_default(self, namespace: str | None) -> str:
        return namespace or self.namespace

    def _address(self, obj: Object) -> tuple[ResourceKind, str, str]:
        metadata = obj.get("metadata") or {}
        kind = self.resource(obj["apiVersion"], obj["kind"])
        return kind, self._or_default(metadata.get("namespace")), metadata.get("name", "")


def _write_parameters(field_manager: str | None, dry_run: bool) -> dict[str, str | None]:
    return {"fieldManager": field_manager, "dryRun": "All" if dry_run else None}


def _both_logs(client: Client, namespace: str, pod: str, container: str | None, tail: int) -> list[str]:
    """The logs of a container's current and last ended run, as far as they exist; `KubeError` if neither does."""
    found: list[str] = []
    refused: list[errors.KubeError] = []
    for previous in (False, True):
        try:
            found.append(client.logs(namespace, pod, container=container, tail=tail, previous=previous))
        except errors.KubeError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return found
