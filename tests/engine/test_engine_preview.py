"""What a preview shows and refuses, and that it never needs what the update itself will make."""

from typing import Any

import pytest
from ml_platform.kube import Client
from pulumi_project import Project

pytestmark = pytest.mark.engine


def test_a_preview_changes_nothing_and_shows_what_the_server_would_make(
    stack: Any, kube: Client, namespace: str
) -> None:
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    shown = stack.preview()
    assert shown.changed == {"c": "create"}
    assert kube.list("v1", "ConfigMap", namespace, fields="metadata.name=c") == []


def test_a_preview_refuses_what_the_server_would_refuse(stack: Any) -> None:
    stack.declare(stack.object("Service", "s", spec={"ports": [{"port": 99999}]}))
    shown = stack.preview()
    assert not shown.ok
    assert "spec.ports[0].port" in shown.text
    assert "99999" in shown.text


def test_kinds_and_namespaces_of_the_same_program_need_not_exist_yet(stack: Any) -> None:
    group = f"{stack.namespace}.example.com/v1"
    other = f"{stack.namespace}-other"
    stack.declare(
        stack.object("Namespace", other, metadata={"namespace": None}),
        stack.object("ConfigMap", "c", metadata={"namespace": other}, data={"a": "1"}),
        stack.object("Widget", "namespaced", group, spec={"size": 1}),
        stack.object("Gadget", "cluster", group, metadata={"namespace": None}, spec={"size": 1}),
    )
    shown = stack.preview()
    assert shown.ok, shown.text
    assert set(shown.changed.values()) == {"create"}
    assert len(shown.changed) == 4


def test_values_that_are_not_known_yet_are_previewed(stack: Any) -> None:
    stack.declare(
        stack.object("ConfigMap", "a", metadata={"name": None}),
        stack.object("ConfigMap", "b", data={"uid": {"$ref": ["a", "metadata", "uid"]}}),
    )
    shown = stack.preview()
    assert shown.ok, shown.text
    assert stack.up().ok
    assert stack.state("b")["outputs"]["data"]["uid"] == stack.state("a")["outputs"]["metadata"]["uid"]


def test_an_update_is_previewed_on_the_server(stack: Any) -> None:
    stack.declare(stack.object("Service", "s", spec={"ports": [{"port": 80}]}))
    stack.up()
    stack.declare(stack.object("Service", "s", spec={"ports": [{"port": 81}]}))
    assert stack.preview().changed == {"s": "update"}
    stack.declare(stack.object("Service", "s", spec={"ports": [{"port": 99999}]}))
    assert not stack.preview().ok


def test_a_cluster_that_is_away_can_be_previewed_but_not_changed(stack: Project, namespace: str) -> None:
    away = '{"clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:9"}}],"contexts":[{"name":"c","context":{"cluster":"c"}}],"current-context":"c"}'
    stack.provider = {"kubeconfig": away}  # type: ignore[attr-defined]
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))  # type: ignore[attr-defined]
    assert stack.preview().ok
    failed = stack.up()
    assert not failed.ok
    assert "127.0.0.1:9" in failed.text
