"""The rules of the house: who may import whom, and what `platform/` must never become."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKLOADS_MAY_SEE = (
    "asking", "component", "components.namespace", "configuration", "handle", "kube", "labels", "names", "needs",
    "network", "objects", "pods",
)  # fmt: skip
OF_BOTH = ("capabilities.py", "files.py", "schema.py", "stack_settings.py")
"""Modules of the workloads that know the platform's settings too: what does not go together is said by one of them."""
CLOUDS = ("pulumi_aws", "pulumi_eks", "pulumi_gcp", "pulumi_ionoscloud", "ionoscloud")


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Each imported module, and whether it is imported when the module is."""
    tree = ast.parse(path.read_text())
    at_once = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((f"{node.module}.{alias.name}", id(node) in at_once) for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize(
    ("folder", "never"),
    [
        ("platform/ml_platform", ("ml_workloads", "ml_runtime", "ml_local", "kubernetes_provider", "language_host")),
        ("platform/ml_platform/kube", ("pulumi", "pulumi_kubernetes", "pydantic")),
        ("workloads/ml_workloads", ("ml_runtime", "ml_local")),
        ("workloads/ml_runtime", ("pulumi", "pulumi_kubernetes", "ml_platform", "ml_workloads", "ml_local")),
        ("stacks", ("ml_local", "ml_runtime", "pulumi_kubernetes")),
    ],
)
def test_a_package_never_imports(folder: str, never: tuple[str, ...]) -> None:
    assert modules(folder)
    found = [f"{path.name}: {name}" for path in modules(folder) for name, _ in imports(path) if within(name, never)]
    assert found == []


def test_workloads_see_a_platform_through_its_handle_only() -> None:
    allowed = tuple(f"ml_platform.{name}" for name in WORKLOADS_MAY_SEE)
    found = [
        f"{path.name}: {name}"
        for path in modules("workloads/ml_workloads")
        for name, _ in imports(path)
        if within(name, ("ml_platform",)) and not within(name, allowed) and path.name not in OF_BOTH
    ]
    assert found == []


def test_clouds_are_imported_only_where_their_cluster_is_chosen() -> None:
    folder = ROOT / "platform/ml_platform/clusters"
    found = [
        f"{path}: {name}"
        for root in ("platform", "workloads", "stacks")
        for path in modules(root)
        for name, _ in imports(path)
        if within(name, CLOUDS) and folder not in path.parents
    ]
    assert found == []


def test_the_choice_of_a_cluster_loads_no_source_before_it_is_made() -> None:
    at_once = [name for name, now in imports(ROOT / "platform/ml_platform/clusters/__init__.py") if now]
    assert not [name for name in at_once if name.endswith((".local", ".existing", ".ionos", ".gke", ".eks"))]


def test_a_run_loads_nothing_slow_that_most_runs_need_not() -> None:
    program = (ROOT / "stacks/__main__.py").read_text().partition("\nsettings =")[0]
    listed = f"{program}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", listed], cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {"cryptography.x509", "cryptography.hazmat.primitives.asymmetric.ec"} & set(done.stdout.split()) == set()


@pytest.mark.parametrize(("asked", "sent"), [("", 0), ("1", 1)])
def test_the_debug_messages_of_the_sdk_are_sent_where_they_are_asked_for(asked: str, sent: int) -> None:
    program = (
        "from unittest.mock import Mock\nfrom pulumi import log\nfrom ml_platform.settings import begin\n"
        "log.get_engine = lambda: Mock(Log=lambda request: print(request.message))\n"
        "begin()\nlog.debug('of the SDK')\nlog.info('of the program')"
    )
    variables = environment() | {"ML_PLATFORM_DEBUG": asked}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["of the SDK"] * sent + ["of the program"]


def test_a_run_looks_for_nothing_to_free() -> None:
    listed = "import gc\nfrom ml_platform.settings import begin\nbegin()\nprint(gc.isenabled())"
    done = subprocess.run([sys.executable, "-c", listed], cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
    assert "settings.begin()" in (ROOT / "workloads/ml_workloads/stack_settings.py").read_text()


def environment() -> dict[str, str]:
    folders = [str(ROOT / folder) for folder in ("platform", "workloads")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}


@pytest.mark.parametrize("folder", ["platform", "tests", "tests/platform"])
def test_no_folder_shadows_the_standard_library(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()
    assert not list((ROOT / "platform").glob("*.py"))


@pytest.mark.parametrize("words", [["-c", "import platform; platform.system()"], ["-m", "platform"]])
def test_python_started_in_the_checkout_has_its_own_platform_module(words: list[str]) -> None:
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_the_stacks_program_exports() -> None:
    paths = [path for root in ("platform", "workloads") for path in modules(root)]
    assert [path.name for path in paths if "pulumi.export(" in path.read_text()] == []


def test_the_program_is_a_table_of_contents() -> None:
    assert len((ROOT / "stacks/__main__.py").read_text().splitlines()) < 40


@pytest.mark.parametrize("root", ["platform", "workloads", "local", "policies"])
def test_every_module_says_what_it_owns(root: str) -> None:
    for path in modules(root):
        text = path.read_text()
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path} has no docstring"


@pytest.mark.parametrize("path", sorted((ROOT / "workloads/notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_has_shown(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert [cell["id"] for cell in cells if cell["outputs"] or cell["execution_count"]] == []
