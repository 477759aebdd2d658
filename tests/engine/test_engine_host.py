"""The language host: programs, their output and their failures, dynamic resources, policy packs, time."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ml_platform.kube import Client
from pulumi_project import Project
from support.until import until, while_running

pytestmark = pytest.mark.engine

DYNAMIC = """
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

class Doubler(ResourceProvider):
    def create(self, props):
        if props["given"] < 0:
            raise Exception("negative")
        return CreateResult(id_="one", outs={"given": props["given"], "doubled": 2 * props["given"]})
    def diff(self, id_, olds, news):
        return DiffResult(changes=olds["given"] != news["given"])
    def update(self, id_, olds, news):
        return UpdateResult(outs={"given": news["given"], "doubled": 2 * news["given"]})

class Double(Resource):
    doubled: pulumi.Output[int]
    def __init__(self, name, given):
        super().__init__(Doubler(), name, {"given": given, "doubled": None})

pulumi.export("doubled", Double("d", pulumi.Config().require_int("given")).doubled)
"""

PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def no_public_names(args, report):
    if args.resource_type == "kubernetes:core/v1:ConfigMap" and "public" in args.props["metadata"]["name"]:
        report(f"{args.props['metadata']['name']} is public")

PolicyPack("tests", policies=[ResourceValidationPolicy(
    name="names", description="No public names.",
    enforcement_level=EnforcementLevel.MANDATORY, validate=no_public_names,
)])
"""

Make = Callable[..., Project]


def test_a_programs_output_configuration_and_folder(bare_project: Make) -> None:
    program = """
import os, sys
import pulumi
print("on stdout")
print("on stderr", file=sys.stderr)
pulumi.export("folder", os.path.basename(os.getcwd()))
pulumi.export("plain", pulumi.Config().require("plain"))
pulumi.export("hidden", pulumi.Config().require_secret("hidden"))
"""
    project = bare_project(program=program)
    (project.folder / "inner").mkdir()
    (project.folder / "__main__.py").rename(project.folder / "inner" / "__main__.py")
    with (project.folder / "Pulumi.yaml").open("a") as file:
        file.write("main: inner\n")
    project.run("config", "set", "plain", "seen")
    project.run("config", "set", "--secret", "hidden", "unseen")
    made = project.up()
    assert made.ok, made.text
    for expected in ("on stdout", "on stderr", '"inner"', '"seen"', "[secret]"):
        assert expected in made.text
    assert "unseen" not in made.text


def test_a_failing_program_shows_its_traceback_and_its_code(bare_project: Make) -> None:
    project = bare_project(program="def broken():\n    raise ValueError('the reason')\nbroken()\n")
    failed = project.up()
    assert not failed.ok
    assert "ValueError: the reason" in failed.text
    (project.folder / "__main__.py").write_text("import sys\nprint('last words')\nsys.exit(3)\n")
    failed = project.up()
    assert not failed.ok
    assert "last words" in failed.text
    assert "exit code: 3" in failed.text


def test_the_virtualenv_of_the_project_is_used_or_named_as_missing(bare_project: Make, tmp_path: Path) -> None:
    project = bare_project(program="import sys, pulumi\npulumi.export('prefix', sys.prefix)\n")
    manifest = project.folder / "Pulumi.yaml"
    manifest.write_text(f"name: {project.folder.name}\nruntime:\n  name: python\n  options:\n    virtualenv: venv\n")
    missing = project.up()
    assert not missing.ok
    assert "virtualenv" in missing.text
    assert str(project.folder / "venv") in missing.text

    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", project.folder / "venv"],
        check=True,
    )
    packages = next(Path(sys.prefix).glob("lib/python*/site-packages"))
    site = next((project.folder / "venv").glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(f"{packages}\n")
    made = project.up()
    assert made.ok, made.text
    assert str(project.folder / "venv") in made.text


def test_an_interrupt_ends_the_program_without_a_traceback(bare_project: Make) -> None:
    project = bare_project(program="import time\nprint('started', flush=True)\ntime.sleep(300)\n")
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test"]
    running = subprocess.Popen(
        command, cwd=project.folder, env=project.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        seen = ""
        while "started" not in seen:
            seen += running.stdout.readline()
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=20)
    finally:
        running.kill()
    assert running.returncode != 0
    assert "Traceback" not in rest
    (project.folder / "__main__.py").write_text("")
    again = project.up()
    assert again.ok, again.text


def test_nothing_outlives_an_engine_that_is_killed(bare_project: Make, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    program = f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(300)\n"
    project = bare_project(program=program)
    running = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test"],
        cwd=project.folder, env=project.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while_running(running, lambda: mark.exists() and mark.read_text(), "the program has not started")
    running.kill()
    running.wait()
    program_id = int(mark.read_text())
    until(lambda: not Path(f"/proc/{program_id}").exists(), "the program still runs")


def test_dynamic_resources(bare_project: Make) -> None:
    project = bare_project(program=DYNAMIC)
    project.run("config", "set", "given", "21")
    made = project.up()
    assert made.ok, made.text
    assert project.run("stack", "output", "doubled").stdout.strip() == "42"
    project.run("config", "set", "given", "4")
    assert project.up().changed == {"d": "update"}
    assert project.run("stack", "output", "doubled").stdout.strip() == "8"
    assert project.up().changed == {}


def test_a_policy_pack_judges_a_preview(stack: Any, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(PACK)
    stack.declare(stack.object("ConfigMap", "private"))
    assert stack.preview("--policy-pack", str(pack)).ok
    stack.declare(stack.object("ConfigMap", "public"))
    judged = stack.preview("--policy-pack", str(pack))
    assert not judged.ok
    assert "public is public" in judged.text


def test_what_is_installed_is_told(bare_project: Make) -> None:
    told = bare_project(program="").run("about").stdout
    assert "pulumi-kubernetes" in told.lower().replace("_", "-")


def test_an_update_of_many_that_changes_nothing(stack: Any, kube: Client, record_property: Any) -> None:
    """Records what it took; slowness is the benchmark's to judge, not a test's."""
    stack.declare(*(stack.object("ConfigMap", f"c{index}", data={"a": "x" * 500}) for index in range(150)))
    quick = {"PULUMI_SKIP_CHECKPOINTS": "true"}
    made = stack.up(**quick)
    assert made.ok, made.text
    begun = time.monotonic()
    again = stack.up(**quick)
    seconds = time.monotonic() - begun
    assert (again.ok, again.changed) == (True, {})
    record_property("noop_up_150_seconds", round(seconds, 2))
    print(f"no-op up of 150 objects: {seconds:.2f} s")
