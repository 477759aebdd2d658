"""What CI says on GitHub and on GitLab: once, in place, and as itself; against their APIs on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ml_ci import forge
from ml_ci.errors import CiError
from support import forges

JOB = ("CI_", "GITHUB_", "GITLAB_")


@pytest.fixture(params=[forges.GitHub, forges.GitLab])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[forges.Forge]:
    for name in [name for name in os.environ if name.startswith(JOB)]:
        monkeypatch.delenv(name)
    running: forges.Forge = request.param()
    for name, value in running.variables.items():
        monkeypatch.setenv(name, value)
    yield running
    running.close()


def test_a_comment_is_made_once_and_then_written_anew(world: forges.Forge) -> None:
    for text in ("first", "second"):
        forge.here().comment("preview", text)
    (only,) = world.comments
    assert only["body"].endswith("second")


def test_a_comment_is_found_again_behind_many_others(world: forges.Forge) -> None:
    world.comments += [world.written(f"talk {number}") for number in range(250)]
    for text in ("first", "second"):
        forge.here().comment("preview", text)
    assert len(world.comments) == 251
    assert world.comments[-1]["body"].endswith("second")


def test_what_somebody_else_wrote_is_never_written_over(world: forges.Forge) -> None:
    forged = forge.marked("preview", "all is well")
    world.comments.append({**world.written(forged, by_us=False), "id": 1})
    forge.here().comment("preview", "it is not")
    assert world.comments[0]["body"] == forged
    assert world.comments[1]["body"].endswith("it is not")


def test_an_issue_is_open_as_long_as_there_is_a_reason(world: forges.Forge) -> None:
    here = forge.here()
    here.close_issue("drift of gke")
    here.open_issue("drift of gke", "gke has drifted", "one field")
    here.open_issue("drift of gke", "gke has drifted", "two fields")
    here.open_issue("drift of eks", "eks has drifted", "one field")
    assert [each["state"] for each in world.issues] == ["open", "open"]
    assert "two fields" in str(world.issues[0])
    here.close_issue("drift of gke")
    assert [each["state"] for each in world.issues] == ["closed", "open"]
    here.open_issue("drift of gke", "gke has drifted", "again")
    assert len(world.issues) == 3


def test_a_change_is_proposed_once_and_then_written_anew(world: forges.Forge) -> None:
    for branch in (forges.BASE, "data-gke-raw-of-another"):
        world.files[branch, "stacks/Pulumi.gke.yaml"] = "key: old\n"
    urls = {forge.here().propose("data-gke-raw", "stacks/Pulumi.gke.yaml", f"key: {key}\n", key) for key in ("a", "bb")}
    assert len(urls) == 1
    assert len(world.requests) == 1
    assert world.files["data-gke-raw", "stacks/Pulumi.gke.yaml"] == "key: bb\n"
    for branch in (forges.BASE, "data-gke-raw-of-another"):
        assert world.files[branch, "stacks/Pulumi.gke.yaml"] == "key: old\n"


def test_a_token_that_may_not_write_is_told_with_the_forges_own_words(world: forges.Forge) -> None:
    world.refuses = True
    with pytest.raises(CiError, match=r"POST .* was refused with 403: .*not accessible.*may the job's token do that\?"):
        forge.here().comment("preview", "text")


@pytest.mark.parametrize(
    ("world", "name", "value", "said"),
    [
        (forges.GitHub, "GITHUB_REF", "refs/heads/main", "only a job of a pull request"),
        (forges.GitLab, "CI_MERGE_REQUEST_IID", "", "only a job of a merge request"),
        (forges.GitHub, "GITHUB_TOKEN", "", "GITHUB_TOKEN is not set"),
        (forges.GitLab, "GITLAB_TOKEN", "", r"GITLAB_TOKEN is not set: an access token .* docs/ci\.md"),
        (forges.GitHub, "GITHUB_ACTIONS", "", "neither GITHUB_ACTIONS nor GITLAB_CI"),
    ],
    indirect=["world"],
)
def test_what_a_job_does_not_have_is_named(
    world: forges.Forge, name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(CiError, match=said):
        forge.here().comment("preview", "text")
    assert world.comments == []
