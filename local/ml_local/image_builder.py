"""Builds one image: a Debian root with mmdebstrap, all others from Containerfiles with buildah.

Owns how the two are started, with a view of the file system of their own: their packages beside the host's, nothing of
the host changed, nothing left behind when they are killed. Everything they write lies in a builder's folder. It does
not know which images there are.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ml_local import apt_sources, debian, paths
from ml_local.command import run
from ml_local.errors import LocalError
from ml_local.oci_layout import Layout

TIMESTAMP = "1767225600"  # of all files and images: the same inputs give the same bytes
PIP_CACHE = "/var/cache/pip"  # inside a build
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")

# /usr is the private root's, with what the host alone has behind it, and buildah's storage is at its usual place.
ENTER = """
umask 022
mount --bind "$2" /var/lib
mount -t overlay -o "ro,lowerdir=$1/usr:/usr" overlay /usr
shift 2 && exec "$@"
"""
# What the official slim image leaves out too; and the name, the name servers and the proxies of this machine.
SLIM_HOOK = (
    'cd "$1" && rm -rf usr/share/man/* usr/share/locale/* usr/share/info/* var/log/* '
    "etc/apt/apt.conf.d/99mmdebstrap etc/hostname etc/resolv.conf && "
    "find usr/share/doc ! -type d ! -name copyright -delete && find usr/share/doc -type d -empty -delete && "
    'printf "path-exclude=/usr/share/%s/*\\n" doc man locale info > etc/dpkg/dpkg.cfg.d/slim && '
    'echo "path-include=/usr/share/doc/*/copyright" >> etc/dpkg/dpkg.cfg.d/slim'
)

# What a failed build's output says, the most telling first.
FAILURES = (
    (
        r"[Nn]o space left on device",
        r"the disk is full. Free some space below {cache}, or name another place: ML_PLATFORM_CACHE=DIR",
    ),
    (
        r"Retrying \(Retry\(total=0,.*?(?:No matching distribution found for|satisfies the requirement) (\S+)",
        r"the Python package registry does not answer, and \1 comes from there. Look at `pip config list`",
    ),
    (
        r"(?:No matching distribution found for|satisfies the requirement) (\S+)",
        r"the Python package registry has no \1, which is pinned, or no wheel of it. Try `pip download --no-deps \1`; "
        "another release is pinned by `uv pip compile --generate-hashes`",
    ),
    (
        r"DO NOT MATCH THE HASHES.*?\n\s+(\S+) from",
        r"the Python package \1 is not the one that was pinned: it has another hash. Ask its authors, or take the "
        "registry's as it is now by `uv pip compile --generate-hashes`",
    ),
    (
        r"(\d{3}) Client Error[^\n]*?url:? (\S+)",
        r"the Python package registry refused \2 (\1). Look at `pip config list`",
    ),
    (
        r"HTTP error (\d{3}) while getting (\S+)",
        r"the Python package registry refused \2 (\1). Look at `pip config list`",
    ),
    (
        r"E: (?:Unable to locate package|Package) '?([\w.+-]+)",
        r"Debian has no package \1 here. Look at /etc/apt/sources.list*, try `apt-get update`",
    ),
    (
        r"E: Failed to fetch (\S+)",
        r"the Debian mirror did not give \1. Try `apt-get update`, then run `make up` again",
    ),
    (
        r".*^Collecting (\S+)",
        r"it ended at the Python package \1. Try `pip download --no-deps \1`",
    ),
)


@dataclass(frozen=True)
class Builder:
    """Builds into one folder: the images' layout, buildah's storage, what it writes meanwhile."""

    folder: Path

    @property
    def layout(self) -> Layout:
        """All images that were built here."""
        return Layout(self.folder / "oci")

    def debian_root(self, reference: str) -> None:
        """Make the image of a minimal Debian.

        Raises:
            LocalError: a mirror does not answer, or the disk is full.
        """
        work = self.folder / "work" / "debian"
        work.mkdir(parents=True, exist_ok=True)
        options = [f"--aptopt={line}" for line in apt_sources.proxies()]
        hooks = debian.root() / "root/usr/share/mmdebstrap/hooks/merged-usr"
        command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--include=usr-is-merged", *options]
        command += [f"--hook-dir={hooks}", f"--customize-hook={SLIM_HOOK}"]
        command += [apt_sources.RELEASE, f"{work}/root.tar", "-"]
        self._run(command, "debian", stdin="\n".join(apt_sources.sources()) + "\n")
        (work / "Containerfile").write_text('FROM scratch\nADD root.tar /\nCMD ["bash"]\n')
        self.containerfile(reference, work / "Containerfile", {"root.tar": work / "root.tar"})
        shutil.rmtree(work)

    def containerfile(self, reference: str, file: Path, copied: Mapping[str, Path], base: str | None = None) -> None:
        """Build a Containerfile and put the image into the layout.

        Args:
            reference: the image's name.
            file: the Containerfile.
            copied: all that it may copy, by the path in its context, or in `commands` for one that holds a Go command.
            base: an image of the layout, its argument BASE.

        Raises:
            LocalError: a step failed; the message has its last lines and names the package that could not be had.
        """
        name = reference.partition(":")[0]
        pip_cache = paths.cache() / "pip"
        pip_cache.mkdir(parents=True, exist_ok=True)
        build = ["buildah", "build", "--signature-policy", self._policy(), "--isolation", "chroot", "--network", "host"]
        build += ["--timestamp", TIMESTAMP, "--build-arg", f"SOURCE_DATE_EPOCH={TIMESTAMP}"]
        build += ["--volume", f"{pip_cache}:{PIP_CACHE}", *self._secrets()]
        build += ["--build-arg", f"BASE={self._stored(base)}"] if base else []
        with staged(self.folder / "work" / "context" / name, copied) as context:
            build += ["--build-context", f"commands={context}"]
            self._run([*build, "--file", str(file), "--tag", reference, str(context)], name)
        push = ["buildah", "push", "--signature-policy", self._policy(), "--quiet", "--compression-format", "zstd"]
        below = self.layout.find(_name(base)) if base and _continues(file) else None
        with self.layout.export(_name(reference), below):
            self._run([*push, f"localhost/{reference}", f"oci:{self.layout.folder}:{_name(reference)}"], name)

    def digest(self, reference: str) -> str:
        """The digest of an image's manifest.

        Raises:
            LocalError: it is not in the layout.
        """
        if digest := self.layout.find(_name(reference)):
            return digest
        raise LocalError(
            f"the image {reference} is not in {self.layout.folder}; remove {self.folder} and run `make up` again"
        )

    def marker(self, name: str) -> Path:
        """The file that holds the digest of a built image: there is no half of it."""
        return self.folder / "built" / name

    def adopt(self, folder: Path, images: Mapping[str, str]) -> None:
        """Have images of another builder, by name and digest: their blobs are moved out of its layout at `folder`."""
        for path in (folder / "blobs").glob("*/*"):
            target = self.layout.blob(f"{path.parent.name}:{path.name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        for name, digest in images.items():
            self.layout.add(name, digest)
            self.marker(name).parent.mkdir(parents=True, exist_ok=True)
            partial = self.marker(name).with_suffix(".partial")
            partial.write_text(digest)
            partial.replace(self.marker(name))

    def take(self, other: Builder, reference: str) -> None:
        """Have an image that another built, to build on it."""
        self.layout.take(other.layout, _name(reference))

    def forget(self, references: Sequence[str]) -> None:
        """Remove images from the layout and from buildah's storage."""
        self.layout.drop([_name(reference) for reference in references])
        for reference in references:
            self._run(["buildah", "rmi", f"localhost/{reference}"], "forget", check=False)

    def _stored(self, reference: str) -> str:
        """The name of an image of the layout in buildah's storage, where it is brought if it is not."""
        stored = f"localhost/{reference}"
        if not self._run(["buildah", "images", "--quiet", stored], "base", check=False).strip():
            source = f"oci:{self.layout.folder}:{_name(reference)}"
            pulled = self._run(["buildah", "pull", "--quiet", "--signature-policy", self._policy(), source], "base")
            self._run(["buildah", "tag", pulled.split()[-1], stored], "base")
            # A build notes the first name of its base: not this one, which it has of our folder.
            self._run(["buildah", "rmi", f"localhost{self.layout.folder}:latest"], "base")
        return stored

    def _policy(self) -> str:
        return self._write("policy.json", json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))

    def _run(self, command: Sequence[str], name: str, *, stdin: str | None = None, check: bool = True) -> str:
        work = self.folder / "work"
        for part in ("lib", "tmp", "run"):
            (work / part).mkdir(parents=True, exist_ok=True)
        # setpriv: killed with us. unshare: its mounts and processes end with it.
        entered = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ]
        entered += ["sh", "-ec", ENTER, "sh", str(debian.root() / "root"), str(work / "lib")]
        if command[0] == "buildah":
            command = ["buildah", "--storage-driver", "overlay", "--runroot", str(work / "run"), *command[1:]]
        environment = {"TMPDIR": str(work / "tmp"), "HOME": str(work), "SOURCE_DATE_EPOCH": TIMESTAMP}
        log = paths.cache() / "logs" / f"image-{name}.log"
        done = run([*entered, *command], env=environment, log=log, check=False, stdin=stdin)
        if check and done.returncode != 0:
            output = done.stdout + done.stderr
            tail = "\n".join(output.strip().splitlines()[-8:])
            raise LocalError(f"the image {name} could not be built: {explain(output)}\n{tail}\nThe whole output: {log}")
        return done.stdout

    def _secrets(self) -> list[str]:
        """Settings of this machine that a build needs and no image may keep."""
        authority = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE") or CERTIFICATES
        apt = [*apt_sources.proxies(), 'Acquire::https::CAInfo "/run/secrets/ca";']
        files = {
            "apt": self._write("apt.conf", "\n".join(apt) + "\n"),
            "pip": self._write("pip.conf", _pip_configuration()),
            "ca": authority,
        }
        return [word for key, path in files.items() for word in ("--secret", f"id={key},src={path}")]

    def _write(self, name: str, text: str) -> str:
        path = self.folder / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)


def cached() -> Builder:
    """The one whose images the platform runs."""
    return Builder(paths.cache() / "images")


@contextmanager
def staged(context: Path, copied: Mapping[str, Path]) -> Iterator[Path]:
    """A folder with those files alone: what the checkout holds beside them, and its umask, are no inputs of a build."""
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir(parents=True)
    for path, source in copied.items():
        target = context / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)
    for folder in (context, *(each for each in context.rglob("*") if each.is_dir())):
        folder.chmod(0o755)
    try:
        yield context
    finally:
        shutil.rmtree(context)


def _continues(containerfile: Path) -> bool:
    """Whether the image has the layers of its base, and does not only copy from it."""
    return containerfile.read_text().split("\nFROM ")[-1].startswith("${BASE}\n")


def _name(reference: str) -> str:
    return reference.replace(":", "-")


def explain(output: str) -> str:
    """What went wrong in a build, as far as its output tells: the package and the way out."""
    for pattern, meaning in FAILURES:
        if found := re.search(pattern, output, re.DOTALL | re.MULTILINE):
            return found.expand(meaning).format(cache=paths.cache())
    return "its last lines are:"


def _pip_configuration() -> str:
    listed = run([sys.executable, "-m", "pip", "config", "list"], check=False).stdout
    pairs = re.findall(r"^(?:\w+|:env:)\.([\w-]+)='(.*)'$", listed, re.MULTILINE)
    known = {key.removeprefix("default-"): value for key, value in pairs}
    lines = [f"{key} = {known[key]}" for key in PIP_SETTINGS if key in known]
    fixed = ["[global]", "cert = /run/secrets/ca", f"cache-dir = {PIP_CACHE}", "disable-pip-version-check = true"]
    return "\n".join([*fixed, *lines, ""])
