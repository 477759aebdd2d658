"""The model of a workload: what a kind runs, how many of it there are at most, how it ends, what it loads.

The kinds themselves are data, in workloads.py, by group and kind. Every policy takes what it needs to know of a kind
from there; who looks for the pods is pods.py, which also judges what no row knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ml_policies.engine.resource import Resource
from ml_policies.shapes.counts import Counted, seconds
from ml_policies.shapes.fields import Path, at, fits, path, steps
from ml_policies.shapes.quantities import number

Made = Callable[[Resource], Iterable[tuple[Mapping[str, object], float]]]
"""`resources` of pods that an operator makes of words of its own, and how many of each there are at most."""


@dataclass(frozen=True)
class Limit:
    """A field that bounds something, and what holds where it is not set."""

    field: str
    default: float = 0.0


Tried = Callable[[Resource], Iterator[tuple[str, float]]]
"""Where a run says how often it is tried again, and how often that is."""


def tried(*limits: Limit) -> Tried:
    return lambda resource: (found for each in limits for found in _limits(resource, each))


def _limits(resource: Resource, limit: Limit) -> Iterator[tuple[str, float]]:
    """One for each holder of the field that there is."""
    *holder, last = path(limit.field)
    for where, held in at(resource.props, tuple(holder)):
        given = held.get(last)
        yield ".".join((*where, last)), limit.default if given is None else number(given)


@dataclass(frozen=True)
class Run:
    """How what ends by itself does so."""

    deadline: str = ""
    """The place of the seconds after which it is ended; where all of its parts need one, a star stands for each."""
    default: float | None = None
    """What holds where it is not set; None if nothing ends it then."""
    waited: bool = False
    """Whether it may be ended by whoever waits for its outcome."""
    retries: Tried = field(default=tried())
    gone: Mapping[str, str] = field(default_factory=dict)
    """Places that make it remove itself after its end, by any value or by this one."""
    overlaps: str = ""
    """Where a schedule says whether a run may start beside the one before; without a place it has none."""


@dataclass(frozen=True)
class Workload:
    pods: tuple[str, ...] = ()
    """Places of pod specifications; a star stands for each element or value."""
    containers: tuple[str, ...] = ()
    """Places of single containers; one that is also a pod is a pod and its container in one mapping."""
    completed: bool = False
    """Whether an operator adds what the containers don't say: an image, a security context."""
    template: bool = False
    """Whether it runs nothing before something else names it."""
    sized: bool = True
    """Whether it says itself what its containers take, and not who names it."""
    counts: Mapping[str, Counted] = field(default_factory=dict)
    """How many there are of what is below a place: one, if no place above says more."""
    made: Made | None = None
    """Pods beside those that are written."""
    run: Run | None = None
    """How it ends; what stands has none."""
    parts: tuple[str, ...] = ()
    """Places of what answers requests, and is scaled by them."""
    models: tuple[str, ...] = ()
    """Places of what is loaded by a `storageUri` and asked by a `protocolVersion`."""
    sources: tuple[str, ...] = ()
    """Places of other texts that say from where a model is loaded."""

    @cached_property
    def places(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        return tuple(map(path, self.pods)), tuple(map(path, self.containers))

    @cached_property
    def counted(self) -> tuple[tuple[Path, Counted], ...]:
        return tuple((path(place), count) for place, count in self.counts.items())

    def has_pod(self, found: Path) -> bool:
        return any(fits(found, pattern) for pattern in self.places[0])

    def has_container(self, found: Path) -> bool:
        return any(fits(found, pattern) for pattern in self.places[1])

    def copies(self, resource: Resource, where: Path) -> float:
        """How many there are at most of what is at a place."""
        found = 1.0
        for above, value in steps(resource.props, where):
            for pattern, count in self.counted:
                if fits(above, pattern):
                    found *= count(value, resource)
        return found


def deadline(run: Run, resource: Resource) -> float | None:
    """The last end of all its parts; None if nothing ends one of them."""
    if not run.deadline:
        return None
    *holder, last = path(run.deadline)
    given = [held.get(last) for _, held in at(resource.props, tuple(holder))]
    if not given or any(each is None for each in given):
        return run.default
    return max(map(seconds, given))
