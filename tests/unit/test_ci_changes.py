"""Which stacks a change touches, and as what; against a real git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ml_ci import changes
from ml_ci.errors import CiError

STACK_FILE = """\
config:
  ml-platform:cluster: {source: gke}
  ml-platform:workloads:
    data:
      raw: {uri: s3://datasets/one.csv} # what is learned from
    runs:
      iris: {data: raw}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("gke", "eks", "local"):
        write(tmp_path, f"stacks/Pulumi.{name}.yaml", STACK_FILE)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path)
    return tmp_path


def write(root: Path, path: str, text: str = "x\n") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path) -> str:
    git(root, "add", "--all")
    git(root, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=a change")
    return git(root, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("platform/ml_platform/platform.py", "x\n", {"eks": "platform", "gke": "platform"}),
        ("policies/prices.toml", "x\n", {"eks": "platform", "gke": "platform"}),
        ("workloads/ml_runtime/train.py", "x\n", {"eks": "code", "gke": "code"}),
        ("policies/environments/gke.toml", "x\n", {"gke": "platform"}),
        ("stacks/Pulumi.gke.yaml", STACK_FILE.replace("one.csv", "two.csv"), {"gke": "data"}),
        ("stacks/Pulumi.gke.yaml", STACK_FILE.replace("data: raw", "data: other"), {"gke": "code"}),
        ("stacks/Pulumi.gke.yaml", STACK_FILE.replace("source: gke", "source: existing"), {"gke": "platform"}),
        ("stacks/Pulumi.gke.yaml", "config: {", {"gke": "platform"}),
        ("stacks/Pulumi.gke.yaml", "config: [a, b]", {"gke": "platform"}),
        ("stacks/Pulumi.gke.yaml", STACK_FILE.replace("    data:", "    - data:"), {"gke": "platform"}),
        ("stacks/Pulumi.new.yaml", STACK_FILE, {"new": "platform"}),
        ("stacks/Pulumi.local.yaml", STACK_FILE.replace("one.csv", "two.csv"), {}),
        ("docs/ci.md", "x\n", {}),
        ("platform.md", "x\n", {}),
        ("workloads/examples/größe/a b.py", "x\n", {"eks": "code", "gke": "code"}),
    ],
)
def test_a_change_is_of_something_to_some_stacks(
    checkout: Path, path: str, text: str, expected: dict[str, str]
) -> None:
    before = git(checkout, "rev-parse", "HEAD")
    write(checkout, path, text)
    commit(checkout)
    assert changes.changed(before, checkout) == expected


def test_a_file_that_has_moved_is_a_change_of_both_places(checkout: Path) -> None:
    write(checkout, "workloads/train.py")
    before = commit(checkout)
    git(checkout, "mv", "workloads/train.py", "train.py")
    commit(checkout)
    assert changes.changed(before, checkout) == {"eks": "code", "gke": "code"}


def test_a_change_of_several_things_is_one_of_the_platform_first(checkout: Path) -> None:
    before = git(checkout, "rev-parse", "HEAD")
    write(checkout, "stacks/Pulumi.gke.yaml", STACK_FILE.replace("one.csv", "two.csv"))
    write(checkout, "workloads/ml_runtime/train.py")
    commit(checkout)
    assert changes.changed(before, checkout) == {"eks": "code", "gke": "code"}
    write(checkout, "platform/a.py")
    commit(checkout)
    assert changes.changed(before, checkout) == {"eks": "platform", "gke": "platform"}


def test_what_others_have_merged_meanwhile_is_not_the_changes(checkout: Path) -> None:
    git(checkout, "switch", "--quiet", "--create", "change")
    write(checkout, "stacks/Pulumi.gke.yaml", STACK_FILE.replace("one.csv", "two.csv"))
    commit(checkout)
    git(checkout, "switch", "--quiet", "main")
    write(checkout, "platform/a.py")
    ahead = commit(checkout)
    git(checkout, "switch", "--quiet", "change")
    assert changes.changed(ahead, checkout) == {"gke": "data"}


@pytest.mark.parametrize("since", ["0" * 40, "f" * 40])
def test_all_has_changed_since_a_commit_that_is_not_there(checkout: Path, since: str) -> None:
    assert changes.changed(since, checkout) == {"eks": "platform", "gke": "platform"}


def test_the_embedded_stack_is_nobodys_but_its_machines() -> None:
    assert {"eks", "existing", "gke", "ionos"} <= set(changes.stacks())
    assert changes.EMBEDDED not in changes.stacks()


def test_a_stack_without_a_file_is_refused_with_those_that_have_one(checkout: Path) -> None:
    with pytest.raises(CiError, match=r"--stack 'aks' has no stack file; there are eks, gke: add stacks/Pulumi\.aks"):
        changes.check("aks", checkout)
