"""The tool on this machine that builds images and pushes them: Docker's buildx, Podman or Buildah.

Owns how each is found and called, and what its failures mean. Its storage, settings and login are the user's own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_local import image_builder
from ml_local.errors import LocalError

Progress = Callable[[str], None]
# What shows that a tool is not only installed: Docker's daemon and Podman's machine may not run.
CHECKS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "docker": (("docker", "buildx", "version"), ("docker", "version")),
    "podman": (("podman", "info"),),
    "buildah": (("buildah", "--version"),),
}
SETTINGS = ("GOPROXY",)  # of the environment, for Containerfiles that take them

REFUSED = r"unauthorized|authentication required|denied|\b40[13]\b|no basic auth"
FULL = r"no space left|\b507\b|[Ii]nsufficient [Ss]torage|quota|disk is full"
AWAY = r"connection re(?:fused|set)|no such host|i/o timeout|\bEOF\b|\b50[0234]\b|[Nn]o route to host|TLS handshake"
FAILURES = (
    (
        r"exec format error",
        "this machine can't run programs of another platform. Set up its emulation, once: "
        "`docker run --privileged --rm tonistiigi/binfmt --install all`; or build on a machine of that platform",
    ),
    (
        r"[Mm]ulti-platform build is not supported|docker exporter does not currently support exporting manifest lists",
        "Docker's default builder makes images for one platform. Make another one, once: `docker buildx create --use`",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|[Cc]ertificate verification failed",
        "a registry of packages has a certificate that the build does not trust, as behind a proxy. Give its "
        "authority: SECRETS=ca=<file>",
    ),
    (r"no space left on device", "the disk of {tool} is full. Free some, as by `{tool} system prune`"),
    (
        r"(?:pinging container registry|failed to resolve source metadata for|initializing source docker://)\s*(\S+)",
        "it could not have \\1, which it is built on. Another Debian 12, as of a mirror: BASE=<image>",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Build:
    """One image to build and push."""

    reference: str
    containerfile: Path
    context: Path
    platforms: Sequence[str]
    arguments: Mapping[str, str]
    contexts: Mapping[str, str]
    """More build contexts: an image of a registry each, by name."""
    secrets: Mapping[str, Path]
    plain: bool
    """Whether the registry is spoken to without TLS."""
    log: Path


@dataclass(frozen=True)
class Tool:
    """One of the three."""

    name: str

    def build_and_push(self, build: Build, progress: Progress) -> None:
        """Build for all platforms and push one image of them.

        Raises:
            LocalError: it failed; the message says why, what to do, and where the whole output is.
        """
        environment = {**os.environ, "SOURCE_DATE_EPOCH": image_builder.TIMESTAMP}
        for command in self._commands(build):
            code, output = _run(command, environment, build.log, progress)
            if code != 0 and command[1:3] != ["manifest", "rm"]:
                tail = "\n".join(output.strip().splitlines()[-8:])
                raise LocalError(f"{self._reason(output, build.reference)}\n{tail}\nThe whole output: {build.log}")

    def _commands(self, build: Build) -> list[list[str]]:
        words = ["--platform", ",".join(build.platforms), "--file", str(build.containerfile)]
        arguments = {**{name: os.environ[name] for name in SETTINGS if os.environ.get(name)}, **build.arguments}
        arguments["SOURCE_DATE_EPOCH"] = image_builder.TIMESTAMP
        words += [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        words += [word for name, image in build.contexts.items() for word in _context(name, image)]
        words += [word for name, path in build.secrets.items() for word in ("--secret", f"id={name},src={path}")]
        if self.name == "docker":
            pushed = ["--tag", build.reference, "--provenance=false", "--push", "--progress=plain"]
            return [["docker", "buildx", "build", *words, *pushed, str(build.context)]]
        tls = ["--tls-verify=false"] if build.plain else []
        listed = f"localhost/{build.reference.partition('/')[2]}"
        words += ["--timestamp", image_builder.TIMESTAMP, "--manifest", listed, *tls]
        push = [self.name, "manifest", "push", "--all", "--format", "oci", *tls, listed, f"docker://{build.reference}"]
        # A list of images that an interrupted run left would be added to.
        return [[self.name, "manifest", "rm", listed], [self.name, "build", *words, str(build.context)], push]

    def _reason(self, output: str, reference: str) -> str:
        """What went wrong: with the registry where the tool speaks of it, else within the build."""
        host = reference.partition("/")[0]
        of_registry = "\n".join(line for line in output.splitlines()[-20:] if host in line or "blob" in line)
        again = "What is pushed stays: run the same command again"
        if re.search(FULL, of_registry):
            return f"the registry {host} has no room for {reference}. Free some there. {again}"
        if re.search(REFUSED, of_registry):
            return (
                f"the registry {host} refused {reference}. Log in as somebody who may push: `{self.name} login {host}`"
            )
        if re.search(AWAY, of_registry):
            return f"the registry {host} went away while {reference} was pushed or pulled. {again} when it is back"
        for pattern, meaning in FAILURES:
            if found := re.search(pattern, output):
                return f"{reference} could not be built: {found.expand(meaning).format(tool=self.name)}"
        return f"{reference} could not be built: {image_builder.explain(output)}"


def find(chosen: str | None) -> Tool:
    """The tool that is named, else the first that works here.

    Raises:
        LocalError: it does not work; the message says what each of them said.
    """
    reasons = {}
    for name in [chosen] if chosen else CHECKS:
        if name not in CHECKS:
            raise LocalError(f"TOOL is {name!r}; it is one of {', '.join(CHECKS)}")
        reason = _failing(CHECKS[name])
        if reason is None:
            return Tool(name)
        reasons[name] = reason
    listed = "\n".join(f"  {name}: {reason}" for name, reason in reasons.items())
    raise LocalError(
        f"images are built by Docker with buildx, by Podman or by Buildah. Install or start one of them:\n{listed}"
    )


def _failing(checks: Sequence[Sequence[str]]) -> str | None:
    if shutil.which(checks[0][0]) is None:
        return "not on PATH"
    for check in checks:
        done = subprocess.run(check, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
            return f"`{' '.join(check)}` failed: {said[-1]}"
    return None


def _context(name: str, image: str) -> tuple[str, str]:
    return "--build-context", f"{name}=docker-image://{image}"


def _run(command: Sequence[str], environment: Mapping[str, str], log: Path, progress: Progress) -> tuple[int, str]:
    """The exit code and all that it printed, which goes into `log` as well, each line as it comes."""
    log.parent.mkdir(parents=True, exist_ok=True)
    printed: list[str] = []
    with log.open("a") as written:
        written.write(f"$ {' '.join(command)}\n")
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            for line in process.stdout:
                written.write(line)
                printed.append(line)
                if line.strip():
                    progress(line.strip()[:100])
            return process.wait(), "".join(printed)
        except BaseException:
            process.terminate()
            process.wait()
            raise
