"""The catalog: the pinned releases of all bundles, and what each of them needs.

This module owns the entries of releases/*.toml and the check that a choice of them fits together. source.py reads what
an entry points to; transforms adapt it to the settings.
"""

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ml_platform.bundles.errors import BundleError

RELEASES = Path(__file__).with_name("releases")
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PodSecurity = Literal["restricted", "baseline", "privileged"]
Size = Literal["small", "standard", "large"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileSource(_Frozen):
    """A YAML file, or a folder of them in the order of their names, in this repository."""

    kind: Literal["file"]
    path: str


class GitSource(_Frozen):
    """The content of `path` in a commit: YAML files joined in the order of their names, a kustomization, or a chart."""

    kind: Literal["git"]
    repository: str  # github.com/<owner>/<name>
    ref: str  # the tag, for the reader
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    path: str
    render: Literal["files", "kustomize", "helm"]
    release: str | None = None
    """The name of a chart's Helm release; the part's name by default."""
    values: Mapping[str, Any] = Field(default_factory=dict)
    """Values of a chart, by dotted names as `helm --set` takes them; the same under all settings."""
    chart_version: str | None = None
    """The version to write into Chart.yaml, where upstream's release tool does so."""
    app_version: str | None = None
    """The appVersion to write there as well; `chart_version` by default."""
    fetched: tuple["Fetched", ...] = ()
    """Files that a kustomization would fetch from the network while it is built."""


class Fetched(_Frozen):
    """A file that a kustomization names by URL. It is rendered from a commit instead, which pins it as well."""

    url: str
    by: str
    """The folder of the kustomization that names the URL."""
    source: GitSource


class ChartSource(_Frozen):
    """A published chart: https://<repository> or oci://<registry>/<path>."""

    kind: Literal["chart"]
    repository: Annotated[str, Field(pattern=r"^(https|oci)://")]
    chart: str
    version: str
    digest: Sha256
    """The sha256 of the archive."""
    release: str | None = None
    values: Mapping[str, Any] = Field(default_factory=dict)


class ManifestSource(_Frozen):
    """A release asset. Its digest is `sha256`, or the one that the command `lock` has recorded."""

    kind: Literal["manifest"]
    url: Annotated[str, Field(pattern=r"^https://")]
    sha256: Sha256 | None = None


Source = Annotated[FileSource | GitSource | ChartSource | ManifestSource, Field(discriminator="kind")]


class Edit(_Frozen):
    """A change of a text before it becomes the rendering: one that upstream's release tool makes, or one that a build
    without a network needs. `drop` removes all documents of a kind, `replace` replaces a text; all else stays as it
    is."""

    drop: str | None = None
    replace: tuple[str, str] | None = None
    why: str


class Part(_Frozen):
    """One rendering. A mirror holds it as <name>/<version>.yaml."""

    name: str
    version: str
    sha256: Sha256  # of the rendering, edits included
    source: Source
    namespace: str | None = None
    """The namespace that it is rendered for; the entry's by default."""
    edits: tuple[Edit, ...] = ()


class Rule(_Frozen):
    """A change that a rendering needs under all settings; `why` tells the reader its reason.

    `kind` and `name` may hold `*`. `drop` removes the objects that match, `remove` the field at `path` in them, `set`
    gives it `value`, `keep` keeps an object of a Helm hook. A path is names joined by dots, `*` for each item of a list
    or map; a name that holds dots stands in brackets: `metadata.annotations.[cert-manager.io/inject-ca-from]`.
    """

    action: Literal["drop", "remove", "set", "keep"]
    kind: str
    name: str = "*"
    namespace: str = "*"
    path: str | None = None
    value: Any = None
    why: str

    @model_validator(mode="after")
    def _fits_its_action(self) -> Self:
        if (self.path is not None) != (self.action in ("remove", "set")):
            raise ValueError(f"a rule to {self.action} {self.kind} {self.name} takes {_PATHS[self.action]}")
        return self


_PATHS = {"remove": "a path", "set": "a path", "drop": "no path", "keep": "no path"}


class Probe(_Frozen):
    """An object that `webhook` must refuse. Only the refusal proves that the webhook answers."""

    webhook: str
    pods: str  # label selector of the pods that serve it, in the bundle's namespace
    manifest: dict[str, Any]


class Certificate(_Frozen):
    """A serving certificate that the release leaves to cert-manager; on clusters without it the stack issues it."""

    secret: str
    service: str
    deployment: str
    """The Deployment that a new certificate restarts."""


class RuntimeImage(_Frozen):
    """An image that a controller uses at run time; no pod of the release has it."""

    image: str
    why: str


class Entry(_Frozen):
    """One release of a bundle, pinned."""

    name: str
    version: str
    licence: str
    namespace: str
    kubernetes: Annotated[str, Field(pattern=r"^>=\d+\.\d+,<\d+\.\d+$")]
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    kube_version: str = "1.35.0"
    """The Kubernetes version that charts are rendered for."""
    api_versions: tuple[str, ...] = ()
    pod_security: PodSecurity = "restricted"
    images: Mapping[str, str] = Field(default_factory=dict)
    """Our short name of an image -> its reference in the release. Settings and clusters replace an image by its short
    name. In a lean release the reference is the short name itself."""
    runtime_images: tuple[RuntimeImage, ...] = ()
    needs: tuple[str, ...] = ()
    """Names of bundles, each with a line of versions where only that works: `knative-serving 1.23`."""
    excludes: tuple[str, ...] = ()
    instead: str | None = None
    """The nearest choice of settings that works without this bundle, as text for the reader."""
    rules: tuple[Rule, ...] = ()
    probes: tuple[Probe, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    sizes: Mapping[Size, Mapping[str, Mapping[str, str]]] = Field(default_factory=dict)
    """Size -> workload -> cpu_request, memory_request, cpu_limit, memory_limit of its first container; `standard` is
    what the release says unless it is given here."""
    formats: tuple[str, ...] = ()
    """The formats of models that its own runtimes serve."""
    own_definitions: tuple[str, ...] = ()
    """CRDs that its operator applies itself: the stack waits for them and never declares them."""

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"

    def supports(self, server: str) -> bool:
        """Whether a cluster of version `server` (v1.36.4, 1.34+) is in the supported window."""
        lowest, highest = (_minor(bound) for bound in self.kubernetes.split(","))
        return lowest <= _minor(server) < highest


def _minor(version: str) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", version)
    if not found:
        raise BundleError(f"{version!r} is not a Kubernetes version; expected for example v1.36.4.")
    return int(found[1]), int(found[2])


@functools.cache
def releases(folder: Path = RELEASES) -> Mapping[str, tuple[Entry, ...]]:
    """Name of a bundle -> its releases. The first one is the default, for stacks that name no version."""
    found: dict[str, tuple[Entry, ...]] = {}
    for path in sorted(folder.glob("*.toml"), key=lambda path: (path.stem == "lean", path.stem)):
        try:
            for name, table in tomllib.loads(path.read_text()).items():
                entries = tuple(Entry.model_validate({"name": name, **fields}) for fields in table)
                found[name] = found.get(name, ()) + entries
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise BundleError(f"{path} is no part of a catalog: {error}") from error
    return found


def entry(name: str, version: str | None = None) -> Entry:
    """The release of bundle `name` with `version`, or its default one.

    Raises:
        BundleError: the catalog has no such bundle, or no such version of it.
    """
    known = releases()
    if name not in known:
        raise BundleError(f"There is no bundle {name!r}; the catalog has: {', '.join(sorted(known))}.")
    if version is None:
        return known[name][0]
    for each in known[name]:
        if each.version == version:
            return each
    versions = ", ".join(each.version for each in known[name])
    raise BundleError(f"The catalog has no version {version!r} of bundle {name!r}; choose one of: {versions}.")


def requirements(each: Entry) -> list[Entry]:
    """The bundles that a bundle needs, directly or through another one."""
    found: dict[str, Entry] = {}
    names = list(each.needs)
    while names:
        name, _ = _need(names.pop())
        if name not in found:
            found[name] = entry(name)
            names.extend(found[name].needs)
    return list(found.values())


def nearest(unsupported: Entry, server: str) -> str:
    """The choice of settings that comes nearest to the release `unsupported` and works on a cluster of version
    `server`."""
    fitting = [each.version for each in releases()[unsupported.name] if each.supports(server)]
    if fitting:
        return f"bundles.versions.{unsupported.name}: {fitting[0]}"
    return unsupported.instead or f"no {unsupported.name}"


def check(chosen: Iterable[Entry]) -> None:
    """Checks that the chosen releases fit together, before anything is touched.

    Raises:
        BundleError: a needed bundle is missing or has another version, or two bundles exclude each other.
    """
    entries = {each.name: each for each in chosen}
    for each in entries.values():
        for needed in each.needs:
            name, line = _need(needed)
            if name not in entries:
                raise BundleError(f"Bundle {each.name!r} needs {name!r}: choose it as well, or leave it out.")
            if not entries[name].version.startswith(line):
                raise BundleError(
                    f"Bundle {each.title} needs {needed}, but {entries[name].title} is chosen: "
                    f"{_alternatives(each, entries[name])}."
                )
        for other in each.excludes:
            if other in entries:
                raise BundleError(f"Bundles {each.name!r} and {other!r} exclude each other: leave one of them out.")


def _need(text: str) -> tuple[str, str]:
    """The name of a needed bundle, and the prefix that its version must have."""
    name, _, line = text.partition(" ")
    return name, f"{line}." if line else ""


def _alternatives(chosen: Entry, other: Entry) -> str:
    """The advice to choose a release of `chosen`'s bundle that works with `other`."""
    fitting = [
        each.title
        for each in releases()[chosen.name]
        if all(other.version.startswith(line) for name, line in map(_need, each.needs) if name == other.name)
    ]
    return f"choose {' or '.join(fitting) or f'another version of {other.name}'}"
