"""Names that are put together of others fit where they are put, however long a block or a namespace is called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache as memoize
from typing import Any

import pytest
from ml_platform import names
from ml_platform.configuration import SettingsError, validate
from ml_platform.handle import ServingMode, SparkOperator, TrainingOperator
from ml_platform.settings import GatewaySettings
from ml_workloads.settings import WorkloadsSettings
from support import work as made
from support.recorder import Recorder, inputs

LONGEST = 40
LENGTHS = (1, 32, 33, 38, 39, LONGEST)
"""About the limits that were once missed."""
NAMESPACE = "s" * LONGEST
SCRIPT = "workloads/examples/digits/workers.py"
PIPELINE = {
    "operator": "kfp",
    "pipeline": "workloads/examples/retraining/pipeline.py",
    "output": "s3://datasets/pipelines/",
    "schedule": "0 3 * * *",
}
LABEL, SUBDOMAIN = 63, 253
LIMITS = {
    "ConfigMap": SUBDOMAIN,
    "CronJob": 52,  # its controller adds the time to the names of its Jobs
    "HTTPRoute": SUBDOMAIN,
    "InferenceService": LABEL - len("-predictor-00001"),  # KServe's Service, and Knative's first 99,999 revisions of it
    "Job": LABEL,
    "Namespace": LABEL,
    "NetworkPolicy": SUBDOMAIN,
    "PodDisruptionBudget": SUBDOMAIN,
    "PyTorchJob": LABEL - len("-worker-63"),
    "RayJob": 47,  # KubeRay refuses longer ones
    "ResourceQuota": SUBDOMAIN,
    "Role": SUBDOMAIN,
    "RoleBinding": SUBDOMAIN,
    "Route": LABEL - len("canary-"),  # Knative's Service for the tag
    "Secret": SUBDOMAIN,
    "ServiceAccount": SUBDOMAIN,
    "SparkApplication": LABEL - len("-driver-svc"),
    "TrainJob": LABEL - len("-node-0-63-xxxxx"),  # Trainer's JobSet has its name, and that names Job and pods
    "TrainingRuntime": SUBDOMAIN,
}
"""The longest name that each kind may have, or its operator takes."""


def blocks(first: str) -> list[str]:
    """A name of each length."""
    return [f"{first}{'x' * (length - 1)}" for length in LENGTHS]


def work() -> dict[str, Any]:
    """A block of each kind for each length of name."""
    model = "m" * LONGEST
    learning = {"data": "d", "model": model}
    served = {"model": model, "version": 3, "min_replicas": 2}
    return {
        "namespace": NAMESPACE,
        "data": {name: {"uri": f"s3://datasets/{name}.csv", "target": "species"} for name in blocks("d")},
        "runs": {
            **{name: {"operator": "spark", "data": "d"} for name in blocks("e")},
            **dict.fromkeys(blocks("t"), learning),
            **{name: {**learning, "operator": "ray", "runner": "ray-job"} for name in blocks("u")},
            **{name: {**learning, "operator": "torch", "script": SCRIPT} for name in blocks("w")},
            **{name: {**PIPELINE, "data": "d", "model": model} for name in blocks("k")},
        },
        "models": {model: {}},
        "serving": {
            **dict.fromkeys(blocks("p"), served),
            "f": {"model": model},
            **{name: {**served, "canary": {"version": 4}} for name in blocks("c")},
        },
    }


def objects(found: Recorder) -> Iterator[dict[str, Any]]:
    for request in found.requests.values():
        if request.type.startswith("kubernetes:"):
            yield inputs(request)


def labels(item: Any) -> Iterator[Mapping[str, str]]:
    """All labels and selectors in it."""
    if isinstance(item, list):
        for each in item:
            yield from labels(each)
    if isinstance(item, dict):
        for key, value in item.items():
            if key in ("labels", "matchLabels"):
                yield value
            else:
                yield from labels(value)


@memoize
def declared(mode: ServingMode, operator: SparkOperator) -> list[dict[str, Any]]:
    training: TrainingOperator = "trainer" if mode == "knative" else "training-operator"
    return list(objects(made.declare(work(), operator=operator, mode=mode, training=training)))


WAYS = pytest.mark.parametrize(("mode", "operator"), [("knative", "kubeflow"), ("standard", "stackable")])


@WAYS
def test_every_object_of_every_block_has_a_name_that_fits(mode: ServingMode, operator: SparkOperator) -> None:
    named = {(each["kind"], each["metadata"]["name"]) for each in declared(mode, operator)}
    assert len(named) > len(LENGTHS) * 20
    assert [name for kind, name in named if len(name) > LIMITS[kind]] == []


@WAYS
def test_every_label_and_selector_of_every_object_fits(mode: ServingMode, operator: SparkOperator) -> None:
    values = {value for each in declared(mode, operator) for found in labels(each) for value in found.values()}
    assert [value for value in values if not names.KUBERNETES.fullmatch(value)] == []


def test_blocks_whose_names_are_shortened_still_have_runs_of_their_own() -> None:
    runs = [each["metadata"]["name"] for each in declared("knative", "kubeflow") if each["kind"] == "RayJob"]
    assert len(set(runs)) == len(LENGTHS)
    assert all(re.fullmatch(r"ux*(-[0-9a-f]{8}){1,2}", each) for each in runs)


def test_a_block_with_a_longer_name_is_refused() -> None:
    name = "m" * (LONGEST + 1)
    with pytest.raises(SettingsError, match=rf"ml-platform:workloads\.serving\.{name} .*at most {LONGEST} characters"):
        validate("workloads", {"serving": {name: {"model": "m", "version": 3}}}, WorkloadsSettings)


LAST = f"canary-{'m' * LONGEST}.{NAMESPACE}."
"""The longest name below the domain: the host of a canary."""


@pytest.mark.parametrize("domain", ["a" * 63 + ".example", ".".join(["a" * 60, "b" * 60, "c" * 20, "de"]), "1.test"])
def test_every_host_below_a_domain_is_one_that_dns_has(domain: str) -> None:
    host = LAST + validate("platform.gateway", {"domain": domain}, GatewaySettings).domain
    assert len(host) <= SUBDOMAIN
    assert all(len(each) <= LABEL for each in host.split("."))


@pytest.mark.parametrize("domain", ["a" * 64 + ".example", "a..b", "a.-b", "a-.b", ".".join(["a" * 60] * 3), "A.test"])
def test_a_domain_that_dns_has_not_or_that_leaves_no_room_is_refused(domain: str) -> None:
    with pytest.raises(SettingsError, match=r"gateway\.domain is "):
        validate("platform.gateway", {"domain": domain}, GatewaySettings)
