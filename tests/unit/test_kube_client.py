"""The Kubernetes client against a scripted HTTP server: what it sends and how it reads answers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ml_platform.kube import AlreadyExists, Client, Conflict, KubeError, NoMatch, NotFound, Unreachable
from support.api_server import Server, kubeconfig, serving

pytestmark = pytest.mark.unit


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def client(server: Server) -> Client:
    return Client.from_kubeconfig(kubeconfig(server.url))


def status(reason: str, message: str = "said the server") -> dict[str, Any]:
    return {"kind": "Status", "reason": reason, "message": message, "details": {"name": "x"}}


CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "n"}}


def test_get_reads_a_namespaced_object_with_the_users_token(server: Server, client: Client) -> None:
    server.on("GET", "/api/v1/namespaces/n/configmaps/x", CONFIG_MAP)
    assert client.get("v1", "ConfigMap", "x", "n") == CONFIG_MAP
    assert server.last[3]["Authorization"] == "Bearer t0ken"


def test_a_namespaced_object_without_a_namespace_is_in_the_contexts_own(server: Server, client: Client) -> None:
    server.on("GET", "/api/v1/namespaces/default/configmaps/x", CONFIG_MAP)
    assert client.get("v1", "ConfigMap", "x") == CONFIG_MAP


def test_a_cluster_scoped_object_ignores_the_namespace(server: Server, client: Client) -> None:
    server.on("GET", "/api/v1/namespaces/x", {"kind": "Namespace"})
    assert client.get("v1", "Namespace", "x", "n") == {"kind": "Namespace"}


def test_discovery_asks_once_for_a_group_version(server: Server, client: Client) -> None:
    assert client.resource("v1", "ConfigMap").plural == "configmaps"
    assert client.resource("v1", "Namespace").namespaced is False
    assert [request[1] for request in server.requests] == ["/api/v1"]


def test_an_absent_kind_is_no_match_until_somebody_installs_it(server: Server, client: Client) -> None:
    with pytest.raises(NoMatch, match=r'no matches for kind "Widget" in version "example.com/v1"'):
        client.resource("example.com/v1", "Widget")
    widget = {"name": "widgets", "kind": "Widget", "namespaced": True}
    server.on("GET", "/apis/example.com/v1", {"resources": [widget]})
    assert client.resource("example.com/v1", "Widget").path("n", "w") == ("/apis/example.com/v1/namespaces/n/widgets/w")


def test_list_follows_pages_and_gives_each_item_its_kind(server: Server, client: Client) -> None:
    pages = iter(
        [
            {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "more"}},
            {"items": [{"metadata": {"name": "b"}}], "metadata": {}},
        ]
    )
    server.routes["GET", "/api/v1/pods"] = lambda: (200, next(pages))
    found = client.list("v1", "Pod", labels="app=x")
    assert [(item["kind"], item["metadata"]["name"]) for item in found] == [("Pod", "a"), ("Pod", "b")]
    assert server.last[2] == {"limit": "500", "labelSelector": "app=x", "continue": "more"}


def test_create_posts_to_the_collection(server: Server, client: Client) -> None:
    server.on("POST", "/api/v1/namespaces/n/configmaps", CONFIG_MAP, 201)
    client.create(CONFIG_MAP, field_manager="me", dry_run=True)
    assert server.last[2] == {"fieldManager": "me", "dryRun": "All"}
    assert server.last[4] == CONFIG_MAP


def test_apply_is_a_server_side_apply(server: Server, client: Client) -> None:
    server.on("PATCH", "/api/v1/namespaces/n/configmaps/x", CONFIG_MAP)
    client.apply(CONFIG_MAP, field_manager="me", force=True)
    assert server.last[2] == {"fieldManager": "me", "force": "true"}
    assert server.last[3]["Content-Type"] == "application/apply-patch+yaml"


def test_patch_is_a_merge_patch_unless_told_otherwise(server: Server, client: Client) -> None:
    server.on("PATCH", "/api/v1/namespaces/n/configmaps/x", CONFIG_MAP)
    client.patch("v1", "ConfigMap", "x", "n", {"data": {"a": None}})
    assert server.last[3]["Content-Type"] == "application/merge-patch+json"
    assert server.last[4] == {"data": {"a": None}}


def test_delete_names_propagation_and_precondition(server: Server, client: Client) -> None:
    server.on("DELETE", "/api/v1/namespaces/n/configmaps/x", {"kind": "Status", "status": "Success"})
    client.delete("v1", "ConfigMap", "x", "n", propagation="Foreground", uid="u1")
    assert server.last[4]["propagationPolicy"] == "Foreground"
    assert server.last[4]["preconditions"] == {"uid": "u1"}


def test_deleting_what_is_absent_is_fine(client: Client) -> None:
    client.delete("v1", "ConfigMap", "gone", "n")
    client.delete("example.com/v1", "Widget", "of-no-kind")


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (422, "Invalid", KubeError),
        (403, "Forbidden", KubeError),
    ],
)
def test_refusals_keep_what_the_server_said(
    server: Server, client: Client, code: int, reason: str, error: type[KubeError]
) -> None:
    server.on("GET", "/api/v1/namespaces/n/configmaps/x", status(reason), code)
    with pytest.raises(error, match="said the server") as caught:
        client.get("v1", "ConfigMap", "x", "n")
    assert (caught.value.status, caught.value.reason) == (code, reason)
    assert caught.value.details == {"name": "x"}


def test_an_answer_that_is_no_status_names_the_request(server: Server, client: Client) -> None:
    server.on("GET", "/api/v1/namespaces/n/configmaps/x", b"upstream away", 502)
    with pytest.raises(KubeError, match="GET /api/v1/namespaces/n/configmaps/x: HTTP 502: upstream away"):
        client.get("v1", "ConfigMap", "x", "n")


def test_no_server_is_unreachable_and_names_the_address() -> None:
    client = Client.from_kubeconfig(kubeconfig("http://127.0.0.1:9"))
    with pytest.raises(Unreachable, match=r"http://127.0.0.1:9/api/v1"):
        client.get("v1", "ConfigMap", "x")


def test_too_many_requests_is_tried_again(server: Server, client: Client) -> None:
    answers = iter([(429, status("TooManyRequests")), (200, CONFIG_MAP)])
    server.routes["GET", "/api/v1/namespaces/n/configmaps/x"] = lambda: next(answers)
    assert client.get("v1", "ConfigMap", "x", "n") == CONFIG_MAP


def test_warnings_of_the_server_reach_the_caller(server: Server) -> None:
    heard: list[str] = []
    client = Client(Client.from_kubeconfig(kubeconfig(server.url)).connection, warn=heard.append)
    server.on("GET", "/api/v1/namespaces/n/configmaps/x", CONFIG_MAP)
    server.headers["Warning"] = '299 - "unknown field \\"dta\\""'
    client.resource("v1", "ConfigMap")
    heard.clear()
    client.get("v1", "ConfigMap", "x", "n")
    assert heard == ['unknown field "dta"']


def test_watch_yields_events_and_goes_on_after_a_version_that_is_too_old(server: Server, client: Client) -> None:
    def events(*pairs: tuple[str, dict[str, Any]]) -> bytes:
        return b"".join(json.dumps({"type": kind, "object": obj}).encode() + b"\n" for kind, obj in pairs)

    def pod(version: str) -> dict[str, Any]:
        return {"metadata": {"name": "p", "resourceVersion": version}}

    answers = iter(
        [
            events(("MODIFIED", pod("7"))),
            events(("ERROR", status("Expired"))),
            events(("ADDED", pod("9")), ("DELETED", pod("10"))),
        ]
    )
    server.routes["GET", "/api/v1/namespaces/n/pods"] = lambda: (200, next(answers, b""))
    seen = []
    for kind, obj in client.watch("v1", "Pod", namespace="n", name="p", resource_version="6", timeout=5):
        seen.append((kind, obj["metadata"]["resourceVersion"]))
        if kind == "DELETED":
            break
    assert seen == [("MODIFIED", "7"), ("ADDED", "9"), ("DELETED", "10")]
    versions = [request[2].get("resourceVersion") for request in server.requests if request[2].get("watch")]
    assert versions == ["6", "7", None]
    assert server.last[2]["fieldSelector"] == "metadata.name=p"


def test_watch_ends_by_its_timeout(server: Server, client: Client) -> None:
    server.on("GET", "/api/v1/pods", b"")
    assert list(client.watch("v1", "Pod", timeout=0.2)) == []


def test_logs_are_text(server: Server, client: Client) -> None:
    server.on("GET", "/api/v1/namespaces/n/pods/p/log", b"line 1\nline 2\n")
    assert client.logs("n", "p", container="main", tail=2) == "line 1\nline 2\n"
    assert server.last[2] == {"container": "main", "tailLines": "2"}


LOG = "/api/v1/namespaces/n/pods/p/log"
REMOVED = b"unable to retrieve container logs for containerd://9d12"
NONE_BEFORE = (400, {"message": "previous terminated container not found"})


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        pytest.param((200, b"it runs"), [NONE_BEFORE], "it runs", id="one that never ended"),
        pytest.param((200, b"it starts"), [(200, b"it broke")], "it broke", id="one that was started again"),
        pytest.param((400, {"message": "waits"}), [(200, b"it broke")], "it broke", id="one that waits to be"),
        pytest.param((200, b"it broke"), [(200, b"")], "it broke", id="one that said nothing before"),
        pytest.param((200, b"it broke"), [(200, REMOVED)] * 4, "it broke", id="one that ended twice"),
        pytest.param((200, b"it starts"), [(200, REMOVED), (200, b"it broke")], "it broke", id="one that goes"),
        pytest.param((200, REMOVED), [NONE_BEFORE] * 4, "", id="one that is removed"),
    ],
)
def test_the_last_words_of_a_container_are_of_before_it_ended(
    server: Server, client: Client, now: tuple[int, Any], before: list[Any], words: str
) -> None:
    server.routes["GET", LOG] = lambda: before.pop(0) if "previous" in server.last[2] else now
    assert client.last_words("n", "p", container="main") == words


def test_a_container_that_restarts_while_it_is_asked_does_not_hide_its_end(server: Server, client: Client) -> None:
    server.routes["GET", LOG] = lambda: NONE_BEFORE if "previous" in server.last[2] else (200, b"it broke")
    assert client.last_words("n", "p") == "it broke"
    order = ["previous" in request[2] for request in server.requests if request[1] == LOG]
    assert order == [False, True], "the other way round, a new container's log would be taken for that of the first"


def test_a_container_without_a_log_says_why(server: Server, client: Client) -> None:
    server.routes["GET", LOG] = lambda: NONE_BEFORE if "previous" in server.last[2] else (400, {"message": "it waits"})
    with pytest.raises(KubeError, match="it waits"):
        client.last_words("n", "p")
