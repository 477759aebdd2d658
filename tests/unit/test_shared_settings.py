"""What a stack says of another one whose cluster or platform it uses, and what others find of a stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform.clusters import connect
from ml_platform.configuration import SettingsError, validate
from ml_platform.settings import ClusterSettings, OwnershipSettings, SharedPlatform, platform_model
from support import recorder, stacks
from support.other_platform import CLUSTER, EXPORTS, OTHER, PLATFORM, SECRETS


def test_the_load_balancer_is_as_the_other_stack_knows_it() -> None:
    found: dict[str, Any] = {}

    def program() -> None:
        balancer = connect(validate("cluster", CLUSTER, ClusterSettings).root, OwnershipSettings()).load_balancer
        pulumi.Output.all(balancer.annotated({"own": "1"}), balancer.address).apply(
            lambda values: found.update(annotations=values[0], address=values[1])
        )

    recorder.record(program, world=recorder.Outputs({OTHER: recorder.OtherStack(EXPORTS)}))
    assert found == {"annotations": {"own": "1", "balancer": "nlb"}, "address": "192.0.2.9"}


@pytest.mark.parametrize("name", ["production", "ml-platform/production", "acme/ml-platform/", "a/b/c/d"])
def test_a_stack_is_named_in_full(name: str) -> None:
    with pytest.raises(SettingsError, match=r"ml-platform:platform\.stack is .*<organization>|pattern"):
        validate("platform", {**PLATFORM, "stack": name}, SharedPlatform)


@pytest.mark.parametrize(("bucket", "fine"), [("2026-data", True), ("ab", False), ("Data", False)])
def test_a_bucket_is_named_as_s3_has_them(bucket: str, fine: bool) -> None:
    block = {**PLATFORM, "object_store": {"buckets": [bucket]}}
    if fine:
        assert validate("platform", block, SharedPlatform).object_store.buckets == (bucket,)
    else:
        with pytest.raises(SettingsError, match=r"platform\.object_store\.buckets\[0\] is .*should match pattern"):
            validate("platform", block, SharedPlatform)


def test_work_without_a_bucket_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"platform\.object_store\.buckets is \[\].*at least 1 item"):
        validate("platform", {**PLATFORM, "object_store": {"buckets": []}}, SharedPlatform)


@pytest.mark.parametrize(
    ("block", "model"), [({}, platform_model(None)), (PLATFORM, SharedPlatform), ({"source": "x"}, SharedPlatform)]
)
def test_a_source_says_whose_platform_it_is(block: dict[str, Any], model: type[Any]) -> None:
    assert platform_model(block) is model


def test_a_stack_without_work_has_a_platform_and_no_namespace_for_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    monkeypatch.setattr(stacks, "blocks", _idle(stacks.blocks("local")))
    found = stacks.record("local")
    assert not [request.name for request in found.requests.values() if ":workloads:" in request.type]
    assert {"platform", *SECRETS} <= set(found.exports)
    assert set(SECRETS) <= found.secrets
    assert "platform" not in found.secrets


def _idle(config: dict[str, Any]) -> Any:
    return lambda _stack: {name: dict(block) for name, block in config.items() if name != "ml-platform:workloads"}
