"""Metrics of the real node: every query of every panel and alert gives a number, and nothing else is reached. Its
requests are kept, whatever ends meanwhile, and a look at its model sees what they show."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from ml_load.load import Load
from ml_platform.components import monitoring
from ml_platform.metrics.alerts import alerts
from ml_platform.metrics.dashboards import dashboards
from ml_platform.metrics.targets import targets
from support import asked_flowers, chosen, gateway, machine, store, versions
from support.flowers import FLOWERS
from support.until import until

pytestmark = pytest.mark.usefixtures("platform")

URL = "http://iris.models.localhost:8080/v2/models/iris/infer"
METRICS = "http://metrics.localhost:8080"
OPINIONS = "http://iris.models.localhost:8080/opinions"
INTERVAL = "5s"
TOKEN = f"asked-{uuid.uuid4().hex[:8]}-"
"""What the ids of the requests begin with that are looked for."""
IDS = [f"{TOKEN}{number}" for number in range(2000)]
QUALITY = {"labels": f"s3://datasets/labels/{TOKEN}/", "metric": "accuracy", "at_least": 0.5}
KEPT = {
    "requests": {"uri": "s3://datasets/requests/", "every": 2},
    "models": {"iris": {"monitor": {"quality": QUALITY}}},
    "serving": {"iris": {"requests": {}}},
}
TARGETS = targets(chosen.platform(monitoring={}))
VALUES = {f"alert {each.name}": each.value for each in alerts(TARGETS)}
LINES = {
    f"{board.title}: {panel.title}, {line}": query
    for board in dashboards(TARGETS)
    for panel in board.panels
    for line, query in panel.queries.items()
}
TEXTS = re.compile(r'"[^"]*"')
WORDS = re.compile(r"(?<![\w\"{])([a-z][a-z0-9]*(?:_[a-z0-9]+)+)(?![\w(])")
"""Names of metrics, of which each has more than one word."""


@pytest.fixture(scope="module", autouse=True)
def monitored(platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The platform with metrics, and a model that is asked and looked at; afterwards it is as it was."""
    folder = tmp_path_factory.mktemp("monitored")
    file = machine.settings("platform", {"monitoring": {"interval": INTERVAL}}, folder)
    file = machine.settings("workloads", KEPT, folder, file)
    done = machine.make("up", f"CONFIG={file}")
    assert done.returncode == 0, done.stdout
    with Load(URL, gateway.rows(FLOWERS["Iris-setosa"]), 10.0) as load:
        until(lambda: not unanswered({**LINES, **VALUES}), "not every query gives a number", seconds=120)
        yield
    assert load.problems == []
    done = machine.make("up")
    assert done.returncode == 0, done.stdout


def asked(path: str, **parameters: str) -> Any:
    return json.loads(gateway.ask(f"{METRICS}{path}?{urlencode(parameters, quote_via=quote)}").text)


def series(query: str) -> list[Any]:
    found = asked("/api/v1/query", query=query)
    assert found["status"] == "success", f"{query}: {found}"
    return [each for each in found["data"]["result"] if each["value"][1] not in ("NaN", "+Inf")]


def unanswered(queries: Mapping[str, str]) -> list[str]:
    return [name for name, query in queries.items() if not series(query)]


@pytest.mark.parametrize("name", [*LINES, *VALUES])
def test_each_query_of_a_panel_or_an_alert_gives_a_number(name: str) -> None:
    assert series({**LINES, **VALUES}[name])


def test_each_metric_that_is_asked_for_exists() -> None:
    known = {each["metric"]["__name__"] for each in series('group by (__name__) ({__name__!=""})')}
    queries = [TEXTS.sub("", query) for query in (*LINES.values(), *VALUES.values())]
    wanted = {word for query in queries for word in WORDS.findall(query)}
    assert "rest_server_requests_total" in wanted
    assert wanted - known - {"status_code", "histogram_quantile"} == set()


def test_each_job_answers_and_no_alert_fires() -> None:
    down = [each["metric"] for each in series("up == 0")]
    assert down == []
    found = asked("/vmalert/api/v1/alerts")["data"]["alerts"]
    assert [each["name"] for each in found if each["state"] == "firing"] == []


def test_alerts_are_looked_for() -> None:
    rules = asked("/vmalert/api/v1/rules")["data"]["groups"][0]["rules"]
    assert [each["name"] for each in rules] == [each.name for each in alerts(TARGETS)]
    assert [each.get("lastError") for each in rules if each.get("lastError")] == []


def test_the_page_has_the_dashboards() -> None:
    assert machine.outputs()["dashboards_url"] == f"{METRICS}/vmui/#/dashboards"
    assert "<title>" in gateway.ask(f"{METRICS}/vmui/").text
    drawn = asked("/vmui/custom-dashboards")["dashboardsSettings"]
    assert {each["title"] for each in drawn} == {each.title for each in dashboards(TARGETS)}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/admin/tsdb/delete_series",
        "/api/v1/import",
        "/api/v1/write",
        "/snapshot/create",
        "/metrics",
        "/targets",
        "/",
    ],
)
def test_what_writes_or_manages_is_not_reached_from_outside(path: str) -> None:
    assert "Nobody serves" in gateway.ask(f"{METRICS}{path}").text


def test_what_manages_needs_a_key_in_the_cluster_too() -> None:
    pod = machine.client().get("v1", "Pod", "metrics-0", monitoring.NAMESPACE)
    url = f"http://{pod['status']['podIP']}:{monitoring.PORT}/api/v1/admin/tsdb/delete_series?match[]=up"
    words = ("curl", "--silent", "--request", "POST", "--output", "/dev/null", "--write-out", "%{http_code}", url)
    assert machine.tool(*words).stdout == "401"


@pytest.fixture(scope="module")
def answers(monitored: None) -> dict[str, str]:
    """What the model says of flowers that it has never seen, by the ids of the requests; midway, the collector of
    requests is killed."""
    return asked_flowers.ask(URL, IDS, asked_flowers.kill_collector)


def test_of_all_requests_none_is_lost_or_there_twice_where_their_collector_is_killed(answers: dict[str, str]) -> None:
    assert len(answers) == len(IDS)
    until(lambda: len(asked_flowers.kept(TOKEN)) >= len(IDS), "not all requests are kept", seconds=60)
    found = asked_flowers.kept(TOKEN)
    assert (set(found), set(found.values())) == (set(IDS), {1})


def test_a_look_at_the_model_sees_the_drift_the_labels_and_what_people_say(answers: dict[str, str]) -> None:
    said = gateway.ask(OPINIONS, body={"id": IDS[0], "good": False, "comment": "no flower has such petals"})
    assert said.status == 200, said.text
    until(lambda: asked_flowers.kept(TOKEN)[IDS[0]] == 2, "the opinion is not kept", seconds=30)
    right = {name: answers[name] if place % 4 else "none" for place, name in enumerate(IDS[:100])}
    rows = "".join(f"{name},{label}\n" for name, label in {**right, "nobody": "none"}.items())
    store.client().put_object(Bucket="datasets", Key=f"labels/{TOKEN}/1.csv", Body=f"id,species\n{rows}".encode())
    found = asked_flowers.look()
    assert (found["accepted"], found["rule"], found["outputs"]["degraded"]) == (False, "drift", "true"), found
    numbers = found["numbers"]
    assert numbers["rows"] >= len(IDS), found
    assert (numbers["labels"], numbers["labels_elsewhere"], numbers["accuracy"]) == (100, 1, 0.75), found
    assert (numbers["bad"], numbers["drift_share"] >= 0.5) == (1, True), found
    version, client = versions.champion(), versions.tracking()
    assert (version.tags["ml-platform.degraded"], version.version) == ("true", found["outputs"]["version"])
    assert {each.path for each in client.list_artifacts(found["outputs"]["report"])} == {"drift.html", "opinions.json"}
