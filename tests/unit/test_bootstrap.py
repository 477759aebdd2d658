"""What the launcher says before there is an environment: everything that is missing, at once."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from ml_local import paths
from support.until import until

NOBODY = 65534
ALWAYS = ("awk", "basename", "cat", "cut", "dirname", "df", "flock", "grep", "id", "mkdir", "sh", "sha256sum")
TO_BUILD = ("apt-config", "apt-get", "dpkg-deb", "find", "mount", "setpriv", "tar", "unshare")
OLD = "#!/bin/sh\necho Python 3.10.12\nexit 1\n"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


class Machine:
    """A machine with few commands."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache"
        self._commands = folder / "bin"
        self._commands.mkdir()

    def has(self, commands: Iterable[str]) -> None:
        """Install commands of this machine."""
        for name in commands:
            (self._commands / name).symlink_to(f"/usr/bin/{name}")

    def has_python(self, name: str, script: str = f'#!/bin/sh\nexec {sys.executable} "$@"\n') -> None:
        """Install a Python by that name."""
        (self._commands / name).write_text(script)
        (self._commands / name).chmod(0o755)

    def has_environment(self) -> None:
        """Have the project's environment, whose Python says how it was called."""
        digest = hashlib.sha256((paths.checkout() / "requirements.txt").read_bytes()).hexdigest()[:12]
        environment = self.cache / "python" / f"{VERSION}-{digest}"
        (environment / "bin").mkdir(parents=True)
        (environment / "complete").touch()
        (environment / "bin/python").write_text('#!/bin/sh\necho "python $*"\n')
        (environment / "bin/python").chmod(0o755)

    def run(self, *words: str, user: int | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the launcher."""
        environment = {"PATH": str(self._commands), "ML_PLATFORM_CACHE": str(self.cache), **variables}
        bootstrap = paths.checkout() / "local" / "bootstrap"
        return subprocess.run(
            ["/bin/sh", bootstrap, *words], env=environment, user=user, capture_output=True, text=True, check=False
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One that has nothing but what every Unix has."""
    found = Machine(tmp_path)
    found.has(ALWAYS)
    return found


def test_all_that_is_missing_is_said_at_once_with_its_package(machine: Machine) -> None:
    machine.has_python("python3", OLD)
    done = machine.run("ml_local", "up", SSL_CERT_FILE="/nonexistent.crt")
    assert done.returncode == 1
    assert "this machine lacks what `python -m ml_local up` needs" in done.stderr
    assert "Python 3.11, 3.12 or 3.13" in done.stderr
    assert "python3 is Python 3.10.12" in done.stderr
    assert "/nonexistent.crt: apt-get install ca-certificates" in done.stderr
    for command in TO_BUILD:
        assert f"the command {command}: apt-get install " in done.stderr


def test_a_python_that_is_not_the_default_one_is_found(machine: Machine) -> None:
    machine.has_python("python3", OLD)
    machine.has_python(f"python{VERSION}")
    machine.has_environment()
    done = machine.run("ml_platform.bundles", "list")
    assert done.stdout == "python -m ml_platform.bundles list\n", done.stderr


def test_a_python_that_is_named_is_the_only_one_tried(machine: Machine) -> None:
    machine.has_python(f"python{VERSION}")
    done = machine.run("ml_platform.bundles", PYTHON="/opt/python3")
    assert done.returncode == 1
    assert "/opt/python3 is missing" in done.stderr


def test_what_only_a_build_needs_is_not_asked_of_others(machine: Machine) -> None:
    machine.has_python("python3")
    machine.has_environment()
    done = machine.run("ml_platform.bundles", "list", SSL_CERT_FILE="/nonexistent.crt")
    assert done.returncode == 0, done.stderr


def test_images_are_built_on_a_mac_which_has_neither_flock_nor_sha256sum(tmp_path: Path) -> None:
    mac = Machine(tmp_path)
    mac.has([*(each for each in ALWAYS if each not in ("flock", "sha256sum")), "perl", "shasum"])
    mac.has_python("python3")
    mac.has_environment()
    done = mac.run("ml_images", "--help")
    assert done.stdout == "python -m ml_images --help\n", done.stderr


def test_whoever_is_not_root_has_a_cache_in_their_home(machine: Machine) -> None:
    machine.has_python("python3")
    done = machine.run("ml_images", user=NOBODY, ML_PLATFORM_CACHE="", HOME="/nonexistent")
    assert "a cache that it can write, /nonexistent/.cache/ml-platform" in done.stderr


FRESH = f"""#!/bin/sh
echo "$*" >> {{log}}
case "$*" in
  *sys.exit*) ;;
  *print*) echo {VERSION} ;;
  *ml_local.toolchains) trap 'echo ended >> {{log}}; exit 1' TERM; sleep 1; echo fetched >> {{log}} ;;
  *"-m venv"*) for folder; do :; done; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python" ;;
  *"pip install"* | *" install "*) {{install}} ;;
esac
"""


@pytest.mark.parametrize(
    ("words", "install", "steps"),
    [
        (["ml_local", "build"], ":", ["fetched", "-m ml_local build"]),
        (["ml_local", "build"], "sleep 0.5; exit 1", ["ended"]),
        (["ml_platform.bundles", "list"], ":", ["-m ml_platform.bundles list"]),
    ],
    ids=["beside pip", "ended where pip fails", "only where there is something to build"],
)
def test_what_go_builds_from_is_fetched_while_pip_installs(
    words: list[str], install: str, steps: list[str], machine: Machine, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    machine.has([*TO_BUILD, "cp", "rm", "sleep", "touch"])
    machine.has_python("python3", FRESH.format(log=log, install=install))
    machine.run(*words)

    def seen() -> list[str]:
        said = log.read_text().splitlines()
        return [line for line in said if line in ("fetched", "ended") or line == f"-m {' '.join(words)}"]

    until(lambda: len(seen()) >= len(steps), f"not all of {steps} is done", seconds=5)
    assert seen() == steps
