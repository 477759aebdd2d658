"""Which Python runs a program, and what that Python has installed."""

import select
import sys
from pathlib import Path

import pytest
from language_host.interpreter import Interpreter, NoInterpreter, choose
from language_host.packages import installed, plugins
from language_host.process import Processes, stream

pytestmark = pytest.mark.unit


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment as far as anybody here looks into one."""
    packages = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    for name in ("pulumi_one", "pulumi_two", "pulumi_policy", "pulumi_one-1.0.dist-info", "other-2.0.dist-info"):
        (packages / name).mkdir(parents=True)
    (packages / "pulumi_one" / "pulumi-plugin.json").write_text('{"resource": true}')
    (packages / "pulumi_two" / "pulumi-plugin.json").write_text(
        '{"resource": true, "name": "second", "version": "2.0", "server": "https://example.com"}'
    )
    (packages / "pulumi_policy" / "pulumi-plugin.json").write_text('{"resource": false}')
    (tmp_path / "venv" / "bin").mkdir()
    (tmp_path / "venv" / "bin" / "python").touch()
    return tmp_path


def test_without_options_this_interpreter_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_PYTHON_CMD", raising=False)
    assert choose({}, "/project").python == sys.executable
    monkeypatch.setenv("PULUMI_PYTHON_CMD", "python3.12")
    assert choose({}, "/project").python == "python3.12"


def test_a_virtualenv_is_relative_to_the_project(environment: Path) -> None:
    chosen = choose({"virtualenv": "venv"}, str(environment))
    assert chosen.python == str(environment / "venv" / "bin" / "python")
    assert chosen.environment["VIRTUAL_ENV"] == str(environment / "venv")
    assert chosen.environment["PATH"].startswith(f"{environment / 'venv' / 'bin'}:")


def test_uv_means_the_nearest_environment_of_its_own(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_PROJECT_ENVIRONMENT", raising=False)
    (environment / "venv").rename(environment / ".venv")
    (environment / "inner").mkdir()
    assert choose({"toolchain": "uv"}, str(environment / "inner")).prefix == environment / ".venv"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"virtualenv": "gone"}, "python3 -m venv"),
        ({"toolchain": "poetry"}, "use pip or uv"),
        ({"typechecker": "mypy"}, "run the type checker by itself"),
    ],
)
def test_what_is_not_there_is_named_with_the_way_out(options: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(NoInterpreter, match=message):
        choose(options, str(tmp_path))


def test_plugins_and_packages_are_read_without_starting_it(environment: Path) -> None:
    chosen = choose({"virtualenv": "venv"}, str(environment))
    assert installed(chosen) == [("other", "2.0"), ("pulumi-one", "1.0")]
    assert list(plugins(chosen)) == [
        {"resource": True, "name": "one", "version": "1.0"},
        {"resource": True, "name": "second", "version": "2.0", "server": "https://example.com"},
    ]


def test_this_interpreter_has_the_sdk() -> None:
    here = Interpreter(sys.executable, {})
    assert "pulumi-kubernetes" in dict(installed(here))
    assert ("kubernetes", "4.32.0") in {(each["name"], each["version"]) for each in plugins(here)}


def test_the_two_outputs_of_a_process_stay_apart(tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    processes = Processes()
    process = processes.start([sys.executable, "-c", code], folder=str(tmp_path), environment={}, piped=True)
    assert set(stream(process)) == {("stdout", b"out\n"), ("stderr", b"err\n")}
    assert processes.wait(process) == 3


def test_stopping_ends_what_a_program_started_too(tmp_path: Path) -> None:
    processes = Processes()
    process = processes.start(
        ["/bin/sh", "-c", "sleep 60 & echo started; wait"], folder=str(tmp_path), environment={}, piped=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    processes.stop()
    closed = select.poll()
    closed.register(process.stdout, select.POLLHUP)
    assert closed.poll(20_000), "what it started holds its output as long as it lives"
    assert process.stdout.read() == b""
    assert processes.wait(process) < 0
