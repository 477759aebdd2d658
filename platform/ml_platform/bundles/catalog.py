"""The catalog: which releases exist, pinned, and what each needs.

It owns the entries of releases/*.toml and the check that a choice of them fits together. It does not read what an entry
points to (source.py) and knows no settings: what depends on those is a transform.
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
    """What a commit holds at `path`: YAML files joined in the order of their names, a kustomization, or a chart."""

    kind: Literal["git"]
    repository: str  # github.com/<owner>/<name>
    ref: str  # the tag, for the reader
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    path: str
    render: Literal["files", "kustomize", "helm"]
    release: str | None = None
    """Of a chart: the name of the Helm release; the part's own if not said."""
    values: Mapping[str, Any] = Field(default_factory=dict)
    """Of a chart, by dotted names as `helm --set` takes them; plain, whatever the settings."""
    chart_version: str | None = None
    """Written into Chart.yaml, where upstream's release tool does so."""
    app_version: str | None = None
    """Written there as well; `chart_version` if not said."""
    fetched: tuple["Fetched", ...] = ()
    """Of a kustomization: what it takes from the network while it is built."""


class Fetched(_Frozen):
    """A file that a kustomization names by its URL. It is made of a commit instead, which pins it as well."""

    url: str
    by: str
    """The folder of that kustomization."""
    source: GitSource


class ChartSource(_Frozen):
    """A published chart: https://<repository> or oci://<registry>/<path>."""

    kind: Literal["chart"]
    repository: Annotated[str, Field(pattern=r"^(https|oci)://")]
    chart: str
    version: str
    digest: Sha256
    """Of the archive."""
    release: str | None = None
    values: Mapping[str, Any] = Field(default_factory=dict)


class ManifestSource(_Frozen):
    """A release asset. Without `sha256` the catalog's lock has it, written by the first download."""

    kind: Literal["manifest"]
    url: Annotated[str, Field(pattern=r"^https://")]
    sha256: Sha256 | None = None


Source = Annotated[FileSource | GitSource | ChartSource | ManifestSource, Field(discriminator="kind")]


class Edit(_Frozen):
    """What upstream's release tool, or the absence of a network, changes in a text before it is the rendering:
    `drop` removes all documents of a kind, `replace` a text. Nothing is reformatted."""

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
    """What it is rendered for; the entry's own if not said."""
    edits: tuple[Edit, ...] = ()


class Rule(_Frozen):
    """What must be dropped or mended in a rendering, whatever the settings; `why` is for the reader.

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
    """An object that `webhook` must refuse. That refusal, and nothing else, proves that the webhook answers."""

    webhook: str
    pods: str  # label selector of what serves it, in the bundle's namespace
    manifest: dict[str, Any]


class Certificate(_Frozen):
    """A serving certificate that the release leaves to cert-manager: without it, it is issued by the stack itself."""

    secret: str
    service: str
    deployment: str
    """Restarted by a new one."""


class RuntimeImage(_Frozen):
    """An image that no object names where images stand: a controller uses it when there is work."""

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
    """What Helm is told the cluster is."""
    api_versions: tuple[str, ...] = ()
    pod_security: PodSecurity = "restricted"
    images: Mapping[str, str] = Field(default_factory=dict)
    """Our short name by which settings and clusters bring their own: the reference in the release. A lean release has
    the short name itself as its reference."""
    runtime_images: tuple[RuntimeImage, ...] = ()
    needs: tuple[str, ...] = ()
    """Bundles; of one that must be of a certain line, with that: `knative-serving 1.23`."""
    excludes: tuple[str, ...] = ()
    instead: str | None = None
    """For the reader: the nearest choice of settings that does without it."""
    rules: tuple[Rule, ...] = ()
    probes: tuple[Probe, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    sizes: Mapping[Size, Mapping[str, Mapping[str, str]]] = Field(default_factory=dict)
    """Size -> workload -> cpu_request, memory_request, cpu_limit, memory_limit of its first container; `standard` is
    what the release says unless it is given here."""
    own_definitions: tuple[str, ...] = ()
    """CRDs that its operator applies itself: waited for, never declared."""

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
    """Every release by the name of its bundle; the first one is what a stack gets that names no version."""
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
    """The release of bundle `name` with `version`, or its default one."""
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
    """What a bundle needs, and what that needs in turn."""
    found: dict[str, Entry] = {}
    names = list(each.needs)
    while names:
        name, _ = _need(names.pop())
        if name not in found:
            found[name] = entry(name)
            names.extend(found[name].needs)
    return list(found.values())


def nearest(misfit: Entry, server: str) -> str:
    """The choice of settings that works on a cluster of version `server` and comes nearest to a release that does
    not."""
    fitting = [each.version for each in releases()[misfit.name] if each.supports(server)]
    return f"bundles.versions.{misfit.name}: {fitting[0]}" if fitting else misfit.instead or f"no {misfit.name}"


def check(chosen: Iterable[Entry]) -> None:
    """Refuses a choice in which something is missing or does not go together, before anything is touched."""
    entries = {each.name: each for each in chosen}
    for each in entries.values():
        for needed in each.needs:
            name, line = _need(needed)
            if name not in entries:
                raise BundleError(f"Bundle {each.name!r} needs {name!r}: choose it as well, or leave it out.")
            if not entries[name].version.startswith(line):
                raise BundleError(
                    f"Bundle {each.title} needs {needed}, but {entries[name].title} is chosen: "
                    f"{_way_out(each, entries[name])}."
                )
        for other in each.excludes:
            if other in entries:
                raise BundleError(f"Bundles {each.name!r} and {other!r} exclude each other: leave one of them out.")


def _need(text: str) -> tuple[str, str]:
    """The name of a bundle, and what its version begins with."""
    name, _, line = text.partition(" ")
    return name, f"{line}." if line else ""


def _way_out(misfit: Entry, other: Entry) -> str:
    """The releases of `misfit` that go with `other`."""
    fitting = [
        each.title
        for each in releases()[misfit.name]
        if all(other.version.startswith(line) for name, line in map(_need, each.needs) if name == other.name)
    ]
    return f"choose {' or '.join(fitting) or f'another version of {other.name}'}"
