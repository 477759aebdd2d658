"""The policies judge what the stack files ask for, as CI does."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_policies import POLICIES
from support import recorder, stacks


@pytest.mark.parametrize(
    "stack",
    [pytest.param(each, marks=[] if each in stacks.LEAN else pytest.mark.mirror) for each in sorted(stacks.FILES)],
)
def test_a_stack_keeps_the_policies(stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    found = [recorder.inputs(each) for each in stacks.record(stack).requests.values() if "kubernetes:" in each.type]
    problems = {
        f"{policy.name}: {problem}"
        for manifest in found
        if "kind" in manifest
        for policy in POLICIES
        for problem in policy.check(manifest)
    }
    # Upstream names images by tag: who wants digests names them in the setting `images`, as a node does.
    of_tags = {problem for problem in problems if problem.startswith("image-by-digest") and "can change" in problem}
    assert problems - of_tags == set()
    assert not of_tags or stack in ("everything", "existing")
