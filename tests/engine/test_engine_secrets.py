"""What is secret stays secret: in the state, in the outputs, on the screen."""

import base64
import json
from typing import Any

import pytest
from ml_platform.kube import Client

pytestmark = pytest.mark.engine

SECRET = "4dabf18193072939515e22adb298388d"
PLAIN = "correct-horse-battery"
ENCODED = base64.b64encode(PLAIN.encode()).decode()


def test_the_payload_of_a_secret_is_always_secret(stack: Any, kube: Client, namespace: str) -> None:
    declared = stack.object("Secret", "s", stringData={"password": PLAIN}, metadata={"labels": {"a": "1"}})
    stack.declare({**declared, "export": "data"})
    made = stack.up()
    assert made.ok, made.text
    state = stack.state("s")
    text = json.dumps(state)
    assert PLAIN not in text
    assert ENCODED not in text
    for part in (state["inputs"], state["outputs"], state["outputs"]["__inputs"]):
        assert SECRET in part["data"]
    assert state["outputs"]["metadata"]["labels"] == {"a": "1"}
    assert "[secret]" in made.text
    assert kube.get("v1", "Secret", "s", namespace)["data"] == {"password": ENCODED}

    assert stack.up().changed == {}
    stack.refresh()
    assert stack.up().changed == {}
    assert ENCODED not in json.dumps(stack.state("s"))


def test_a_secret_value_elsewhere_is_secret_where_it_ends_up(stack: Any) -> None:
    stack.declare(stack.object("ConfigMap", "c", data={"secret": {"$secret": PLAIN}, "public": "seen"}))
    made = stack.up()
    assert PLAIN not in made.text
    state = stack.state("c")
    assert PLAIN not in json.dumps(state)
    assert state["outputs"]["data"]["public"] == "seen"


def test_the_kubeconfig_is_not_in_the_state_in_clear(stack: Any, kube: Client) -> None:
    stack.declare(stack.object("ConfigMap", "c"))
    stack.up()
    exported = stack.run("stack", "export").stdout
    assert "client-key-data" not in exported
