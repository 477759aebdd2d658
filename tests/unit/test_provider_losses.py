"""An object that the stand-in made is never lost: whatever goes wrong afterwards, the engine hears that it is there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from kubernetes_provider import state, write
from kubernetes_provider.messages import Messages
from kubernetes_provider.objects import Objects
from kubernetes_provider.session import Session
from kubernetes_provider.settings import Settings
from ml_platform.kube import Connection, KubeError

pytestmark = pytest.mark.unit

KINDS = {
    "/api/v1": [{"kind": "ConfigMap", "name": "configmaps", "namespaced": True}],
    "/apis/apps/v1": [{"kind": "Deployment", "name": "deployments", "namespaced": True}],
}


class Server:
    """An API server of two kinds that keeps what is written, and may answer otherwise than it should."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.after_write: int | None = None  # the status instead of the object; 0 cuts the connection
        self.keeps = True
        self.taken = 0  # so many of the next requests to create are answered by 409
        self.busy = 0  # so many of the next requests that change something are answered by 504, and not done
        self.watches = 200
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def objects(self, **settings: Any) -> Objects:
        server = f"http://127.0.0.1:{self.http.server_port}"
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x", "namespace": "of-the-kubeconfig"}}],
            "clusters": [{"name": "x", "cluster": {"server": server}}],
            "users": [{"name": "x", "user": {}}],
        }
        connection = Connection.from_kubeconfig(json.dumps(kubeconfig))
        return Objects(Session(Settings(connection=connection, **settings), Messages("")))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                if url.path in KINDS:
                    self._answer(200, {"resources": KINDS[url.path]})
                elif "watch" in parse_qs(url.query):
                    self._answer(server.watches, {} if server.watches == 200 else _failure(server.watches))
                elif url.path in server.kept:
                    self._answer(200, server.kept[url.path])
                elif url.path.endswith(("configmaps", "deployments")):
                    items = [each for path, each in server.kept.items() if path.startswith(url.path)]
                    self._answer(200, {"items": items, "metadata": {}})
                else:
                    self._answer(404, _failure(404))

            def do_POST(self) -> None:
                obj = self._body()
                if server.taken:
                    server.taken -= 1
                    self._answer(409, {**_failure(409), "reason": "AlreadyExists"})
                    return
                self._write(f"{urlsplit(self.path).path}/{obj['metadata']['name']}", obj, "Update")

            def do_PATCH(self) -> None:
                self._write(urlsplit(self.path).path, self._body(), "Apply")

            def do_DELETE(self) -> None:
                self._body()
                if not self._is_busy():
                    server.kept.pop(urlsplit(self.path).path, None)
                    self._answer(200, {})

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

            def _body(self) -> dict[str, Any]:
                body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                return body

            def _is_busy(self) -> bool:
                if busy := server.busy > 0:
                    server.busy -= 1
                    self._answer(504, _failure(504))
                return busy

            def _write(self, path: str, obj: dict[str, Any], operation: str) -> None:
                if self._is_busy():
                    return
                manager = parse_qs(urlsplit(self.path).query)["fieldManager"][0]
                obj["metadata"]["managedFields"] = [{"manager": manager, "operation": operation, "fieldsV1": {}}]
                if server.keeps:
                    server.kept[path] = obj
                if server.after_write == 0:
                    self.close_connection = True
                    return
                self._answer(server.after_write or 200, _failure(500) if server.after_write else obj)

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        return Handler


def _failure(status: int) -> dict[str, Any]:
    return {"kind": "Status", "reason": "NotFound" if status == 404 else "Failed", "message": f"failed with {status}"}


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


def config_map(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n", **metadata}}


def deployment() -> dict[str, Any]:
    metadata = {"name": "d", "namespace": "n"}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "d"}}, "template": {}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def create(objects: Objects, obj: dict[str, Any], seconds: float = 0) -> Any:
    group = "core/v1" if obj["apiVersion"] == "v1" else obj["apiVersion"]
    return objects.create(f"kubernetes:{group}:{obj['kind']}", obj, seconds, preview=False)


def test_a_wait_that_nobody_can_understand_is_told_with_the_object(server: Server) -> None:
    made = create(server.objects(), config_map(annotations={"pulumi.com/waitFor": "something"}))
    assert made.id == "n/c"
    assert 'expects a "jsonpath=" or "condition=" prefix' in made.reasons[0]
    assert state.parse(made.state)[1]["metadata"]["name"] == "c"


def test_a_wait_that_the_server_refuses_ends_in_time_and_with_the_object(server: Server) -> None:
    server.watches = 403
    made = create(server.objects(), deployment(), seconds=0.5)
    assert made.id == "n/d"
    assert "is not ready" in made.reasons[0]


@pytest.mark.parametrize("upsert", [False, True])
@pytest.mark.parametrize("answer", [0, 500, 504])
def test_a_create_that_got_no_answer_is_looked_for(server: Server, answer: int, upsert: bool) -> None:
    server.after_write = answer
    made = create(server.objects(upsert=upsert), config_map())
    assert (made.id, made.reasons) == ("n/c", ())


@pytest.mark.parametrize("upsert", [False, True])
@pytest.mark.parametrize("pauses", [1, 2])
def test_what_a_server_with_too_much_to_do_did_not_do_is_asked_again(
    server: Server, upsert: bool, pauses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "UNANSWERED_SECONDS", (0,) * pauses)
    objects, token = server.objects(upsert=upsert), "kubernetes:core/v1:ConfigMap"
    server.busy = pauses
    made = create(objects, config_map())
    assert (made.id, server.busy, [*server.kept]) == ("n/c", 0, ["/api/v1/namespaces/n/configmaps/c"])
    server.busy = pauses
    assert objects.delete(token, made.id, made.state, 1) is None
    assert (server.busy, server.kept) == (0, {})
    server.busy = pauses + 1
    with pytest.raises(KubeError, match="failed with 504"):
        create(objects, config_map())


def test_a_name_that_was_taken_a_moment_ago_is_asked_for_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "RETRY_SECONDS", (0,))
    server.taken = 1
    assert create(server.objects(), config_map()).id == "n/c"
    server.taken = 1
    with pytest.raises(KubeError, match="in the cluster but not in this stack's state"):
        create(server.objects(), config_map())


@pytest.mark.parametrize("upsert", [False, True])
def test_a_create_that_was_not_done_is_an_error(server: Server, upsert: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "UNANSWERED_SECONDS", (0,))
    server.after_write, server.keeps = 500, False
    with pytest.raises(KubeError, match="failed with 500"):
        create(server.objects(upsert=upsert), config_map())


def test_what_somebody_else_made_meanwhile_is_not_taken_for_ours(server: Server) -> None:
    theirs = config_map(managedFields=[{"manager": "pulumi-kubernetes", "operation": "Update"}])
    server.kept["/api/v1/namespaces/n/configmaps/c"] = theirs
    server.after_write, server.keeps = 0, False
    with pytest.raises(KubeError):
        create(server.objects(), config_map())


def test_an_id_without_a_namespace_means_the_providers(server: Server) -> None:
    for namespace in ("of-the-provider", "of-the-kubeconfig"):
        obj = {**config_map(), "data": {"in": namespace}}
        server.kept[f"/api/v1/namespaces/{namespace}/configmaps/c"] = obj
    objects = server.objects(namespace="of-the-provider")
    imported = objects.read("kubernetes:core/v1:ConfigMap", "c", {}, {})
    assert imported is not None
    assert imported.state["data"] == {"in": "of-the-provider"}
