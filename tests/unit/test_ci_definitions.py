"""GitHub's workflows and GitLab's jobs: valid by published schemas, equal in what they do, pinned, of few rights."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_ci import changes
from ml_ci.__main__ import COMMANDS
from ml_local import paths

ROOT = paths.checkout()
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTION = ROOT / ".github/actions/setup/action.yml"
GITLAB, OF_STACK = ROOT / ".gitlab-ci.yml", ROOT / ".gitlab/stack.yml"
PAGE = (ROOT / "docs/ci.md").read_text()
STACK = "gke"
WRITES = {
    "change.yml": {"comment": {"pull-requests"}, "preview": {"id-token"}},
    "merge.yml": {"up": {"id-token"}},
    "drift.yml": {"drift": {"id-token", "issues"}},
    "vulnerabilities.yml": {},
    "data.yml": {"data": {"contents", "pull-requests"}},
}


def workflow(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / ".github/workflows" / name).read_text()))


def of_stack() -> dict[str, Any]:
    """The jobs of one stack, as GitLab puts its name in."""
    _, jobs = yaml.safe_load_all(OF_STACK.read_text().replace("$[[ inputs.stack ]]", STACK))
    return dict(jobs)


def gitlab_jobs() -> dict[str, dict[str, Any]]:
    whole = {**yaml.safe_load(GITLAB.read_text()), **of_stack()}
    return {name: job for name, job in whole.items() if isinstance(job, dict) and "script" in job}


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            yield from ((path.name, step) for step in job.get("steps", ()))
    yield from (("setup", step) for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"])


def command(line: str) -> str:
    """What is called, whatever the CI calls its values."""
    line = line.removesuffix(' >> "$GITHUB_OUTPUT"').replace('"', "").replace("$STACK", STACK)
    return re.sub(r"--since \$\w+", "--since COMMIT", line)


def on_github() -> set[str]:
    return {command(step["run"]) for _, step in steps() if "run" in step}


def on_gitlab() -> set[str]:
    return {command(line) for job in gitlab_jobs().values() for line in job["script"]}


def test_githubs_definitions_are_valid_by_their_schemas() -> None:
    assert invalid("github-workflows", *WORKFLOWS) == ""
    assert invalid("github-actions", ACTION) == ""


def test_gitlabs_jobs_are_valid_by_its_schema(tmp_path: Path) -> None:
    whole = {**yaml.safe_load(GITLAB.read_text()), **of_stack()}
    (tmp_path / "whole.yml").write_text(yaml.safe_dump(whole))
    assert invalid("gitlab-ci", GITLAB, tmp_path / "whole.yml") == ""
    whole[f"up {STACK}"]["resource-group"] = STACK
    (tmp_path / "whole.yml").write_text(yaml.safe_dump(whole))
    assert "resource-group" in invalid("gitlab-ci", tmp_path / "whole.yml")


def invalid(schema: str, *files: Path) -> str:
    words = ["-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def test_both_call_the_same_commands() -> None:
    rules = "./local/bootstrap ml_ci changed"  # GitLab's own rules say which stacks
    assert {each for each in on_github() if not each.startswith(rules)} == on_gitlab()


def test_what_is_called_is_there() -> None:
    called = {line.split()[2] for line in on_github() | on_gitlab() if line.startswith("./local/bootstrap ml_ci")}
    logins = {line.split()[2] for line in of_stack()[f".{STACK}"]["before_script"]}  # GitHub has actions for it
    assert called | logins == set(COMMANDS)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    others = [line.split() for line in on_gitlab() if not line.startswith("./local/bootstrap ml_ci")]
    assert {words[1] for words in others if words[0] == "make"} <= targets
    assert all((ROOT / word).exists() for words in others if words[0] != "make" for word in words if "/" in word)


def test_gitlabs_jobs_are_of_stages_and_extend_jobs_that_there_are() -> None:
    whole = {**yaml.safe_load(GITLAB.read_text()), **of_stack()}
    assert {job["stage"] for job in gitlab_jobs().values()} == set(whole["stages"])
    assert {job["extends"] for job in gitlab_jobs().values() if "extends" in job} <= set(whole)
    assert [name for name, job in gitlab_jobs().items() if not (job.get("rules") or job.get("extends"))] == []


def test_a_script_is_one_line() -> None:
    lines = [step["run"] for _, step in steps() if "run" in step]
    lines += [line for job in gitlab_jobs().values() for line in job["script"]]
    assert [line for line in lines if "\n" in line.strip() or "${{" in line] == []


def test_gitlab_has_the_stacks_and_the_paths_of_the_commands() -> None:
    includes = yaml.safe_load(GITLAB.read_text())["include"]
    assert [each["inputs"]["stack"] for each in includes] == changes.stacks()
    paths = {*changes.own(STACK), *(path for shared in changes.SHARED.values() for path in shared)}
    expected = {f"{path}**/*" if path.endswith("/") else path for path in paths}
    for name in (f"preview {STACK}", f"up {STACK}"):
        assert set(of_stack()[name]["rules"][0]["changes"]) == expected


def test_an_update_waits_for_approval_and_never_runs_beside_another() -> None:
    up = of_stack()[f"up {STACK}"]
    assert up["rules"][0]["when"] == "manual"
    assert (up["environment"]["name"], up["resource_group"], up["interruptible"]) == (STACK, STACK, False)
    github = workflow("merge.yml")["jobs"]["up"]
    assert github["with"]["environment"] == "${{ matrix.stack }}"
    assert github["concurrency"] == {"group": "up-${{ matrix.stack }}"}


@pytest.mark.parametrize(
    ("event", "github", "gitlab"),
    [
        ("a change", {"pull_request"}, 'if: $CI_PIPELINE_SOURCE == "merge_request_event"'),
        ("a merge", {"push"}, 'if: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH'),
        ("drift", {"schedule", "workflow_dispatch"}, 'if: $CI_PIPELINE_SOURCE == "schedule"'),
        (
            "vulnerabilities",
            {"schedule", "workflow_dispatch"},
            'if: $CI_PIPELINE_SOURCE == "schedule" && $OSV_DATABASE && $NODE_RUNNER',
        ),
        ("data", {"repository_dispatch", "workflow_dispatch"}, "if: $CI_PIPELINE_SOURCE =~ /^(trigger|web|api)$/"),
    ],
)
def test_both_start_on_the_same_events(event: str, github: set[str], gitlab: str) -> None:
    triggers = {path.stem: set(yaml.safe_load(path.read_text())[True]) for path in WORKFLOWS}
    assert triggers[event.split()[-1]] == github
    assert gitlab in GITLAB.read_text() + OF_STACK.read_text()


def test_actions_are_pinned_by_commit_with_their_version() -> None:
    texts = [path.read_text() for path in (*WORKFLOWS, ACTION)]
    used = [line for text in texts for line in re.findall(r"uses: (.*)", text) if not line.startswith("./")]
    assert len(used) > 5
    assert [line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
    assert len({line.partition("@")[0] for line in used}) == len(set(used)), "one action, one version"


@pytest.mark.parametrize("path", [path for path in WORKFLOWS if path.stem != "stack"], ids=lambda path: path.stem)
def test_a_job_may_write_only_what_it_must(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    assert content["permissions"] == {"contents": "read"}
    given = {name: job["permissions"] for name, job in content["jobs"].items() if "permissions" in job}
    writes = {name: {scope for scope, right in each.items() if right == "write"} for name, each in given.items()}
    assert writes == WRITES[path.name]


def test_no_cloud_has_a_key_in_ci() -> None:
    text = "".join(path.read_text() for path in (*WORKFLOWS, ACTION, GITLAB, OF_STACK))
    secrets = set(re.findall(r"secrets\.(\w+)", text))
    ionos = {"IONOS_TOKEN", "IONOS_S3_ACCESS_KEY", "IONOS_S3_SECRET_KEY"}
    assert secrets == {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", *ionos}


@pytest.mark.parametrize(
    "variables", [workflow("stack.yml")["jobs"]["run"]["env"], yaml.safe_load(GITLAB.read_text())["variables"]]
)
def test_pulumi_asks_nobody_for_a_newer_version_of_itself(variables: dict[str, str]) -> None:
    assert variables["PULUMI_SKIP_UPDATE_CHECK"] == "true"


def test_each_variable_and_secret_is_documented() -> None:
    text = "".join(path.read_text() for path in (*WORKFLOWS, ACTION, GITLAB, OF_STACK))
    named = set(re.findall(r"(?:vars|secrets)\.(\w+)", text)) | {"CI_IMAGE", "NODE_RUNNER", "GITLAB_TOKEN"}
    assert [name for name in sorted(named) if f"`{name}`" not in PAGE] == []


def test_the_page_names_each_command_and_file() -> None:
    assert [name for name in COMMANDS if f"`ml_ci {name}" not in PAGE] == []
    named = set(re.findall(r"`((?:\.github|\.gitlab|policies|stacks|docs)[\w./-]*\.\w+)`", PAGE))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def attacked(*inputs: Path) -> subprocess.CompletedProcess[str]:
    """What a linter that knows attacks on workflows finds in these."""
    lint = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--no-progress", "--min-severity", "medium"]
    words = [*lint, "--config", str(ROOT / ".github/zizmor.yml"), *map(str, inputs)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_no_workflow_is_open_to_an_attack_that_is_known() -> None:
    done = attacked(ROOT / ".github")
    assert done.returncode == 0, done.stdout


def test_a_workflow_that_takes_a_title_for_a_command_is_found(tmp_path: Path) -> None:
    run = "echo ${{ github.event.pull_request.title }}"
    jobs = {"a": {"runs-on": "ubuntu-24.04", "steps": [{"run": run}]}}
    file = tmp_path / "open.yml"
    file.write_text(yaml.safe_dump({"name": "open", "on": "pull_request_target", "permissions": {}, "jobs": jobs}))
    done = attacked(file)
    assert done.returncode != 0
    assert "template-injection" in done.stdout


def test_what_proposes_newer_versions_is_set_up_by_its_own_schema() -> None:
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.renovate"]
    done = subprocess.run([*words, ROOT / ".github/renovate.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_each_command_that_is_built_is_among_what_is_kept_newest() -> None:
    rules = json.loads((ROOT / ".github/renovate.json").read_text())["packageRules"]
    kept = next(rule["matchPackageNames"] for rule in rules if rule.get("enabled") is True)
    files = (ROOT / "local/toolchains").glob("*/go.mod")
    tools = {tool for file in files for tool in _tools(file.read_text())}
    assert len(tools) > 20
    assert [tool for tool in tools if not any(f"{tool}/".startswith(f"{module}/") for module in kept)] == []


def _tools(module: str) -> list[str]:
    """The commands that a go.mod names."""
    blocks = re.findall(r"^tool \((.*?)^\)", module, re.MULTILINE | re.DOTALL)
    return [
        *re.findall(r"^tool ([\w./-]+)$", module, re.MULTILINE),
        *(tool for each in blocks for tool in each.split()),
    ]
