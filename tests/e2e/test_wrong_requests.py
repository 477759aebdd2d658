"""What the served model says of requests that are wrong: a 4xx with a sentence for each, and a 5xx for none."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from support import asked, gateway
from support.flowers import FLOWERS

pytestmark = pytest.mark.usefixtures("platform")
Connection = tuple[http.client.HTTPConnection, str, dict[str, str]]


@pytest.fixture(scope="module")
def url(platform: dict[str, Any]) -> str:
    return str(platform["prediction_urls"]["iris"])


@pytest.fixture(scope="module")
def connection(url: str) -> Iterator[Connection]:
    """One connection for thousands of requests."""
    place = urlsplit(url)
    opened = http.client.HTTPConnection(gateway.LOOPBACK, place.port or 80, timeout=30)
    yield opened, place.path, {"Host": place.netloc, "Content-Type": "application/json"}
    opened.close()


def sent(connection: Connection, body: Any, path: str = "") -> tuple[int, dict[str, Any]]:
    opened, infer, headers = connection
    opened.request("POST", path or infer, body=json.dumps(body), headers=headers)
    response = opened.getresponse()
    return response.status, json.loads(response.read())


def is_answered_or_refused_in_a_sentence(connection: Connection, body: Any) -> None:
    status, content = sent(connection, body)
    if status == http.client.OK:
        assert set(content["outputs"][0]["data"]) <= {"setosa", "versicolor", "virginica"}
        return
    assert status in (400, 422), content
    assert len(content["error"]) > 20
    assert "\n" not in content["error"]


@pytest.mark.parametrize("name", asked.RIGHT)
def test_a_right_request_names_the_species(name: str, connection: Connection) -> None:
    status, content = sent(connection, asked.RIGHT[name])
    assert status == 200, content
    (output,) = content["outputs"]
    assert output["data"][0] == "setosa"
    assert output["data"][2] == "virginica"
    assert output["shape"] == [3, 1]


@pytest.mark.parametrize("name", asked.WRONG)
def test_a_wrong_request_is_refused_with_what_is_wrong(name: str, connection: Connection) -> None:
    body, says = asked.WRONG[name]
    status, content = sent(connection, body)
    assert status == 400, content
    assert says in content["error"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "the body is no request of protocol v2, which is like {"),
        ({}, "inputs is missing; a request is like {"),
        ({"inputs": [{"name": "x", "datatype": "FP64", "data": [1]}]}, 'inputs[0].shape (of "x") is missing'),
        ({"inputs": [asked.tensor("x", [1], "FP8")]}, 'inputs[0].datatype (of "x") is "FP8", which is no datatype'),
        ({"inputs": [asked.tensor("x", [float("nan")])]}, "the body is no JSON: "),
    ],
)
def test_what_is_no_request_of_the_protocol_is_told_what_is_one(body: Any, says: str, url: str) -> None:
    answer = gateway.ask(url, body=body)
    assert answer.status == 422, answer.text
    assert says in json.loads(answer.text)["error"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v1/models/iris:explain", "models are asked by protocol v2, POST /v2/models/iris/infer"),
        ("/v1/models/irs:predict", "Model irs not found"),
        ("/v2/models/irs/infer", "Model irs not found"),
        ("/v2/models/iris/versions/999/infer", "Model iris with version 999 not found"),
    ],
)
def test_a_path_without_a_model_is_told_apart(path: str, says: str, url: str) -> None:
    place = urlsplit(url)
    answer = gateway.ask(f"{place.scheme}://{place.netloc}{path}", body=asked.flowers())
    assert answer.status == 404, answer.text
    assert says in json.loads(answer.text)["error"]


def test_protocol_v1_is_answered_as_protocol_v2_is(url: str) -> None:
    place = urlsplit(url)
    v1 = f"{place.scheme}://{place.netloc}/v1/models/iris"
    flowers = [*FLOWERS.values()]
    for instances in (flowers, [[*each.values()] for each in flowers]):
        answer = gateway.ask(f"{v1}:predict", body={"instances": instances})
        assert json.loads(answer.text) == {"predictions": ["setosa", "versicolor", "virginica"]}
    wrong = gateway.ask(f"{v1}:predict", body={"instances": [{**flowers[0], asked.FIRST: "long"}]})
    assert (wrong.status, asked.FIRST in json.loads(wrong.text)["error"]) == (400, True)
    assert json.loads(gateway.ask(v1).text) == {"name": "iris", "ready": True}


def test_an_id_that_no_header_can_have_is_refused(connection: Connection) -> None:
    status, content = sent(connection, {**asked.flowers(), "id": "Blüte\n1"})
    assert (status, content["error"].partition(":")[0]) == (400, 'the request\'s id is "Blüte\\n1"')


def test_probabilities_come_where_they_are_asked_for(connection: Connection) -> None:
    status, content = sent(connection, {**asked.flowers(), "outputs": [{"name": "probabilities"}]})
    assert status == 200, content
    (output,) = content["outputs"]
    assert output["shape"] == [3, len(output["parameters"]["classes"])] == [3, 3]
    assert sum(output["data"]) == pytest.approx(3)
    status, content = sent(connection, {**asked.flowers(), "outputs": [{"name": "x"}]})
    assert (status, content["error"].partition(";")[0]) == (400, "there is no output x")


@asked.many(2000)
@given(body=asked.drawn | asked.spoilt)
def test_no_drawn_request_is_the_fault_of_the_server(body: Any, connection: Connection) -> None:
    is_answered_or_refused_in_a_sentence(connection, body)


@asked.many(500)
@given(body=asked.instances | asked.json_values)
def test_no_drawn_request_of_protocol_v1_is_the_fault_of_the_server(body: Any, connection: Connection) -> None:
    status, content = sent(connection, body, "/v1/models/iris:predict")
    if status == http.client.OK:
        assert len(content["predictions"]) == len(body["instances"])
        return
    assert status == http.client.BAD_REQUEST, content
    assert len(content["error"]) > 20


@pytest.mark.long
@asked.many(10_000)
@given(body=asked.drawn | asked.spoilt)
def test_no_request_of_ten_thousand_is_the_fault_of_the_server(body: Any, connection: Connection) -> None:
    is_answered_or_refused_in_a_sentence(connection, body)
