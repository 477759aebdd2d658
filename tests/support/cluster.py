"""A Kubernetes API of plain dicts, for what asks it by ml_platform.kube."""

from __future__ import annotations

from collections.abc import Callable

from ml_platform.kube import AlreadyExists, Client, KubeError, NotFound, Object

Key = tuple[str, str, str]


class FakeClient:
    """Objects by kind, namespace and name. `on_get` may change the cluster whenever an object is asked for."""

    def __init__(
        self, *objects: Object, logs: dict[str, str] | None = None, refused: dict[str, Exception] | None = None
    ) -> None:
        """`refused` are the paths that are answered with an error, by how they end."""
        self._refused = refused or {}
        self.objects: dict[Key, Object] = {}
        self._logs = logs or {}
        self.on_get: Callable[[FakeClient, Key], None] = lambda _client, _key: None
        self.requests: list[str] = []
        for each in objects:
            self.put(each)

    def put(self, item: Object) -> None:
        self.objects[item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]] = item

    def get(self, _api_version: str, kind: str, name: str, namespace: str = "") -> Object:
        key = (kind, namespace, name)
        self.on_get(self, key)
        if key not in self.objects:
            raise NotFound(404, "NotFound", f"{kind} {name} not found")
        return self.objects[key]

    def find(self, api_version: str, kind: str, name: str, namespace: str = "") -> Object | None:
        try:
            return self.get(api_version, kind, name, namespace)
        except NotFound:
            return None

    def list(
        self, _api_version: str, kind: str, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> list[Object]:
        wanted = _pairs(labels)
        return [
            item
            for (found, place, _), item in self.objects.items()
            if (found, place) == (kind, namespace)
            and wanted.items() <= item["metadata"].get("labels", {}).items()
            and all(_field(item, path) == value for path, value in _pairs(fields).items())
        ]

    def create(self, item: Object, *, field_manager: str) -> Object:
        assert field_manager
        key = (item["kind"], item["metadata"]["namespace"], item["metadata"]["name"])
        if key in self.objects:
            raise AlreadyExists(409, "AlreadyExists", "it is being deleted")
        self.put(item)
        return item

    def delete(self, _api_version: str, kind: str, name: str, namespace: str, *, uid: str) -> None:
        assert self.objects[kind, namespace, name]["metadata"]["uid"] == uid
        del self.objects[kind, namespace, name]

    def logs(self, _namespace: str, pod: str, *, container: str = "", tail: int, previous: bool) -> str:
        key = (f"{pod}/{container}" if container else pod) + (" before" if previous else "")
        if key not in self._logs:
            raise KubeError(400, "BadRequest", "no log yet")
        return "\n".join(self._logs[key].splitlines()[-tail:])

    last_words = Client.last_words

    def request(self, method: str, path: str, *, timeout: float) -> Object:
        self.requests.append(f"{method} {path}")
        assert timeout
        for end, error in self._refused.items():
            if path.endswith(end):
                raise error
        return {}


def _pairs(selector: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in selector.split(",") if pair)


def _field(item: Object, path: str) -> object:
    for step in path.split("."):
        item = item.get(step, {})
    return item
